import { decode, replaceControls } from "./fields.ts";

/** The texts of an image, or of one app (SCIF) in it. */
export interface SifScripts {
  /** Scripts that set its environment, by the path they have in it. */
  environment: Record<string, string>;
  labels: Record<string, string>;
  runscript: string | null;
  startscript: string | null;
  test: string | null;
  helpfile: string | null;
}

/** What `apptainer inspect --json --all` shows as `data.attributes`; there, what is empty here is absent. */
export interface SifAttributes extends SifScripts {
  deffile: string | null;
  apps: Record<string, SifScripts>;
}

/** Bounds of what is kept of an image's texts. Lengths are in UTF-16 code units. */
export interface AttributeLimits {
  /** A script, a help text, a definition file. */
  readonly sifTextLength: number;
  /** A label's value. */
  readonly sifLabelLength: number;
  /** The name of a label, an environment script or an app. */
  readonly sifKeyLength: number;
  /** Labels of one image or app; environment scripts; apps. */
  readonly sifKeys: number;
}

/** One text and its place. The whole is taken apart into these, so that any of them can be left out. */
export interface AttributeText {
  app: string | null;
  part: keyof SifScripts | "deffile";
  /** Of a label or an environment script. */
  key: string | null;
  text: string;
}

export interface AttributeTexts {
  texts: AttributeText[];
  /** What was there and is not among them, in words. */
  leftOut: string[];
}

const maps = ["environment", "labels"] as const;
const scripts = ["runscript", "startscript", "test", "helpfile"] as const;

/**
 * Takes `inspect-metadata.json` apart (apptainer pkg/inspect/metadata.go). Whatever has a wrong type is passed over.
 * @returns null where it is not JSON at all
 */
export function readMetadata(bytes: Uint8Array, limits: AttributeLimits): AttributeTexts | null {
  const json = parseJson(bytes);
  if (json === undefined) return null;
  const attributes = member(member(json, "data"), "attributes");
  const found: AttributeTexts = { texts: [], leftOut: [] };
  addScripts(found, null, attributes, limits);
  add(found, { app: null, part: "deffile", key: null, text: textOf(member(attributes, "deffile")) ?? "" }, limits);
  const apps = entriesOf(member(attributes, "apps"));
  for (const [name, app] of apps.slice(0, limits.sifKeys)) {
    if (name.length <= limits.sifKeyLength) addScripts(found, cleanText(name), app, limits);
    else found.leftOut.push(`app ${shorten(name)}: its name is too long`);
  }
  if (apps.length > limits.sifKeys) found.leftOut.push(`${apps.length - limits.sifKeys} apps: too many`);
  return found;
}

/** A JSON object of labels, as images before Singularity 3.7 carry it. @returns null where it is not JSON */
export function readLabels(bytes: Uint8Array, limits: AttributeLimits): AttributeTexts | null {
  const json = parseJson(bytes);
  return json === undefined ? null : toLabels(json, limits);
}

/** Labels from an object of them. */
export function toLabels(value: unknown, limits: AttributeLimits): AttributeTexts {
  const found: AttributeTexts = { texts: [], leftOut: [] };
  addMap(found, null, "labels", value, limits);
  return found;
}

/** Puts the texts together again. Keys like `__proto__` are keys like others. */
export function toAttributes(texts: readonly AttributeText[]): SifAttributes {
  const own = texts.filter(({ app }) => app === null);
  const byApp = Map.groupBy(
    texts.flatMap((text) => (text.app === null ? [] : { ...text, app: text.app })),
    ({ app }) => app,
  );
  return {
    ...toScripts(own),
    deffile: own.find(({ part }) => part === "deffile")?.text ?? null,
    apps: Object.fromEntries([...byApp].map(([app, its]) => [app, toScripts(its)])),
  };
}

/** What a text is called where it is left out. */
export function describeText({ app, part, key }: AttributeText): string {
  const name = key === null ? part : `${part === "labels" ? "label" : part} ${shorten(key)}`;
  return app === null ? name : `app ${shorten(app)}: ${name}`;
}

function toScripts(texts: readonly AttributeText[]): SifScripts {
  const mapOf = (wanted: (typeof maps)[number]) =>
    Object.fromEntries(texts.flatMap(({ part, key, text }) => (part === wanted && key !== null ? [[key, text]] : [])));
  const scriptOf = (wanted: (typeof scripts)[number]) => texts.find(({ part }) => part === wanted)?.text ?? null;
  return {
    environment: mapOf("environment"),
    labels: mapOf("labels"),
    runscript: scriptOf("runscript"),
    startscript: scriptOf("startscript"),
    test: scriptOf("test"),
    helpfile: scriptOf("helpfile"),
  };
}

function addScripts(found: AttributeTexts, app: string | null, value: unknown, limits: AttributeLimits): void {
  for (const part of maps) addMap(found, app, part, member(value, part), limits);
  for (const part of scripts) {
    add(found, { app, part, key: null, text: textOf(member(value, part)) ?? "" }, limits);
  }
}

function addMap(
  found: AttributeTexts,
  app: string | null,
  part: (typeof maps)[number],
  value: unknown,
  limits: AttributeLimits,
): void {
  const entries = entriesOf(value);
  for (const [key, content] of entries.slice(0, limits.sifKeys)) {
    const text = textOf(content);
    if (text !== null) add(found, { app, part, key, text: cleanText(text) }, limits);
  }
  if (entries.length > limits.sifKeys) {
    const what = describeText({ app, part, key: null, text: "" });
    found.leftOut.push(`${what}: ${entries.length - limits.sifKeys} of them, too many`);
  }
}

/** Scripts that are empty are as good as none, and `inspect` does not show them; a label may well be empty. */
function add(found: AttributeTexts, given: AttributeText, limits: AttributeLimits): void {
  if (given.key === null && given.text === "") return;
  const key = given.key === null ? null : cleanText(given.key);
  const text = { ...given, key, text: cleanText(given.text) };
  const maxLength = text.part === "labels" ? limits.sifLabelLength : limits.sifTextLength;
  if ((key ?? "").length <= limits.sifKeyLength && text.text.length <= maxLength) found.texts.push(text);
  else found.leftOut.push(`${describeText(text)}: too long`);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decode(bytes));
  } catch {
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

/** Old builders wrote labels as numbers and booleans too. */
function textOf(value: unknown): string | null {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}

/** JSON can escape what no database holds as text: NUL, and halves of a surrogate pair. */
function cleanText(text: string): string {
  return text.replaceAll("\0", "").toWellFormed();
}

function shorten(name: string): string {
  const start = name.slice(0, 60);
  return replaceControls(start.length < name.length ? `${start}…` : start);
}
