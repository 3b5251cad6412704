/** A part of a stage that begins with a line like `%files from build`. */
export interface DefinitionSection {
  /** In lower case, without its `%`: files, post, apprun … */
  name: string;
  /** What follows it in its line: `from build` of `%files`, the app's name of `%apprun`. */
  argument: string;
  /** Its lines as they stand, without empty ones at its end. */
  text: string;
}

export interface DefinitionStage {
  /** What stands before the first section, by keys in lower case: bootstrap, from, stage, mirrorurl … */
  header: Record<string, string>;
  /** In the file's order. Clients join those of one name. */
  sections: DefinitionSection[];
}

/** The recipe an image was built from. Its last stage is what became the image. */
export interface DefinitionFile {
  stages: DefinitionStage[];
}

/**
 * Reads a definition file as apptainer 1.4 does (pkg/build/types/parser), but takes what it would refuse: lines it
 * does not understand are left out. Build arguments (`{{ NAME }}`) stay as they stand. Time is linear in its length.
 */
export function parseDefinition(text: string): DefinitionFile {
  const stages: DefinitionStage[] = [];
  let lines: string[] = [];
  const end = () => {
    const stage = readStage(lines);
    if (Object.keys(stage.header).length > 0 || stage.sections.length > 0) stages.push(stage);
    lines = [];
  };
  for (const line of text.split(/\r?\n/)) {
    // A stage begins wherever a line does with this, inside a script too: clients look for nothing else.
    if (/^bootstrap:/i.test(line)) end();
    lines.push(line);
  }
  end();
  return { stages };
}

/** The labels of its last stage, as `%labels` sets them: a key, a space, a value. The last of one key counts. */
export function labelsOf({ stages }: DefinitionFile): Record<string, string> {
  const sections = stages.at(-1)?.sections.filter(({ name }) => name === "labels") ?? [];
  const lines = sections.flatMap(({ text }) => text.split("\n")).map((line) => line.trim());
  const labels = lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => splitAtSpace(line));
  return Object.fromEntries(labels);
}

function readStage(lines: readonly string[]): DefinitionStage {
  const sections: DefinitionSection[] = [];
  const first = lines.findIndex(isSectionLine);
  if (first === -1) return { header: readHeaderLines(lines), sections };
  let body: string[] = [];
  // From the end, so that a section's lines are all there when its first is met.
  for (const line of lines.slice(first).reverse()) {
    if (!isSectionLine(line)) {
      if (body.length > 0 || line.trim() !== "") body.push(line);
      continue;
    }
    const [name, argument] = splitAtSpace(line.trim().replace(/^%+/, ""));
    sections.push({ name: name.toLowerCase(), argument, text: body.reverse().join("\n") });
    body = [];
  }
  return { header: readHeaderLines(lines.slice(0, first)), sections: sections.reverse() };
}

function isSectionLine(line: string): boolean {
  return line.trimStart().startsWith("%");
}

function readHeaderLines(lines: readonly string[]): Record<string, string> {
  const header = new Map<string, string>();
  /** The key whose value goes on in the next line, because it ended with a backslash. */
  let open: string | null = null;
  for (const line of lines) {
    const [text = ""] = line.split("#", 1);
    const colon = text.indexOf(":");
    if (text.trim() === "" || (open === null && colon === -1)) {
      open = null;
      continue;
    }
    const key: string = open ?? text.slice(0, colon).trim().toLowerCase();
    const value: string = text.slice(open === null ? colon + 1 : 0).trim();
    const before: string = open === null ? "" : (header.get(key) ?? "");
    open = value.endsWith("\\") ? key : null;
    header.set(key, before + (open === null ? value : value.slice(0, -1)));
  }
  return Object.fromEntries(header);
}

function splitAtSpace(line: string): [first: string, rest: string] {
  const at = line.search(/\s/);
  return at === -1 ? [line, ""] : [line.slice(0, at), line.slice(at).trim()];
}
