import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isLoopback } from "../worker/origin.ts";
import { commands } from "./admin-commands.ts";
import { explainIfAsked, fail, readOptions } from "./arguments.ts";
import { registryPage, writePage } from "./registry-page.ts";
import { DEFAULT_DATA, findServer, loadSecrets, readSecrets } from "./server/local-data.ts";

const [name = "", ...rest] = process.argv.slice(2);
if (name === "--help") explainIfAsked([name], usage());
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
if (command === undefined) fail(name === "" ? usage() : `There is no command '${name}'.\n\n${usage()}`);

const { url, data, ...args } = parseOptions(rest);
const target = findTarget();
await run();

async function run(): Promise<void> {
  switch (name) {
    case "add-token": {
      const { token, id } = (await call(args)) as { token: string; id: string };
      console.error(`Token ${id.slice(0, 8)} for ${args.username}. It is shown this once:`);
      console.log(token);
      return;
    }
    case "login-link": {
      const link = (await call(args)) as { url: string; expiresAt: string };
      console.error(`Signs ${args.username} in, once, until ${link.expiresAt}. Open it in the browser:`);
      console.log(link.url);
      return;
    }
    case "add-key": {
      const { key, origin } = (await call(args)) as { key: string; origin: string | null };
      explainKey(args.username ?? "", origin ?? target.url);
      console.log(key);
      return;
    }
    case "reseal-keys":
      return await resealKeys();
    case "list-users":
    case "list-robots":
    case "list-teams":
    case "list-keys":
    case "list-tokens":
    case "list-collections":
    case "list-audit":
    case "list-topics":
    case "show-settings":
    case "show-quota":
      return await printPages();
    case "rebuild-search":
      return await rebuildSearch();
    case "register":
      return await register();
    case "check-integrity":
      return await printIntegrity();
    case "verify":
      return await verifyStored();
    case "inspect":
      return await inspectImages();
    default: {
      const result = (await call(args)) as Record<string, unknown>;
      const wasCreated = result.created === true ? ` (created user ${args.username})` : "";
      console.log(`Done: ${name} ${Object.values(args).join(" ")}${wasCreated}`);
    }
  }
}

async function printPages(): Promise<void> {
  for (let after: string | null = null; ; ) {
    const page = (await call({ ...args, ...(after === null ? {} : { after }) })) as {
      items: unknown[];
      next?: string | null;
    };
    for (const item of page.items) console.log(JSON.stringify(item));
    after = page.next ?? null;
    if (after === null) return;
  }
}

/** Can be interrupted, and then begins anew. */
async function rebuildSearch(): Promise<void> {
  let step: { next: string | null; documents: number } = { next: null, documents: 0 };
  do {
    step = (await call(step.next === null ? {} : { after: step.next })) as typeof step;
    console.error(`${counted(step.documents, "document")} so far`);
  } while (step.next !== null);
  console.log(`The search index is made anew: ${counted(step.documents, "document")}.`);
}

async function register(): Promise<void> {
  const { items } = (await call({}, "show-settings")) as { items: { name: string; value: string | null }[] };
  const settings = new Map(items.map((item) => [item.name, item.value ?? ""]));
  const page = registryPage((setting) => settings.get(setting) ?? "", target.url, new Date());
  console.log(writePage(page, { folder: args.folder ?? "", replaces: args.force !== undefined }));
  console.error(page.instructions);
}

/** Where the key goes. It is not repeated: what is not the key may be shown to anyone. */
function explainKey(username: string, url: string): void {
  const registry = {
    SREGISTRY_REGISTRY_BASE: url,
    SREGISTRY_REGISTRY_USERNAME: username.toLowerCase(),
    SREGISTRY_REGISTRY_TOKEN: "THE KEY",
  };
  console.error(`A key for ${username}. In ~/.sregistry it stands so, or in three variables of these names:`);
  console.error(JSON.stringify({ SREGISTRY_CLIENT: "registry", registry }, null, 2));
  console.error("The key. It is shown this once:");
}

/** Ends with status 1 when there is a key that neither secret opens. */
async function resealKeys(): Promise<void> {
  let [resealed, lost] = [0, 0];
  for (let after: string | null = null; ; ) {
    const page = (await call(after === null ? {} : { after })) as {
      resealed: number;
      lost: number;
      next: string | null;
    };
    resealed += page.resealed;
    lost += page.lost;
    after = page.next;
    if (after === null) break;
  }
  console.log(`${counted(resealed, "key")} sealed anew.`);
  if (lost === 0) return;
  console.log(`${counted(lost, "key")} cannot be opened: their users need new ones (list-keys, add-key).`);
  process.exitCode = 1;
}

/** Ends with status 1 when anything but open uploads and what waits to be freed is found. */
async function printIntegrity(): Promise<void> {
  const harmless = ["upload-open", "blob-unreferenced", "object-discarded"];
  let problems = 0;
  let objects = 0;
  for (let after: string | null = null; ; ) {
    const page = (await call(after === null ? {} : { after })) as {
      findings: { kind: string; subject: string }[];
      objects: number;
      next: string | null;
    };
    for (const finding of page.findings) {
      if (!harmless.includes(finding.kind)) problems++;
      console.log(`${finding.kind} ${finding.subject}`);
    }
    objects += page.objects;
    after = page.next;
    if (after === null) break;
  }
  console.log(
    problems === 0
      ? `${counted(objects, "object")}, no problem found.`
      : `${counted(objects, "object")}, ${counted(problems, "problem")}.`,
  );
  if (problems > 0) process.exitCode = 1;
}

/** Can be interrupted and begun again at any time. Ends with status 1 when anything is damaged or unreadable. */
async function verifyStored(): Promise<void> {
  const { all, ...one } = args;
  if ((all === undefined) === (one.image === undefined)) fail("Say either --all or --image REFERENCE.");
  let checked = 0;
  let problems = 0;
  for await (const digest of all === undefined ? [await findDigest(one)] : storedDigests()) {
    const { state, about } = await verifyOne(digest);
    checked++;
    if (["stored", "deleting", "gone"].includes(state)) continue;
    problems++;
    console.log(`${state} ${digest} ${about}`);
  }
  console.log(
    problems === 0
      ? `${counted(checked, "blob")} read, no damage found.`
      : `${counted(checked, "blob")} read, ${counted(problems, "problem")}.`,
  );
  if (problems > 0) process.exitCode = 1;
}

async function findDigest(one: Record<string, string>): Promise<string> {
  return ((await call(one, "find-digest")) as { digest: string }).digest;
}

async function* storedDigests(): AsyncGenerator<string> {
  for (let after: string | null = null; ; ) {
    const page = (await call(after === null ? {} : { after }, "list-blobs")) as {
      items: { digest: string }[];
      next: string | null;
    };
    for (const { digest } of page.items) yield digest;
    after = page.next;
    if (after === null) return;
  }
}

/** Each call waits a while for the reading to end. */
async function verifyOne(digest: string): Promise<{ state: string; about: string }> {
  for (;;) {
    const check = (await call({ digest }, "verify-blob")) as {
      state: string;
      doneBytes?: number;
      totalBytes?: number;
      error?: string;
      images?: string[];
    };
    if (check.state !== "verifying") return { state: check.state, about: check.error ?? check.images?.join(" ") ?? "" };
    console.error(`${digest}: ${check.doneBytes} of ${check.totalBytes} bytes`);
  }
}

/** Can be interrupted and begun again at any time. Ends with status 1 when an image cannot be read. */
async function inspectImages(): Promise<void> {
  const { all, again, ...one } = args;
  const ways = [all, again, one.image].filter((way) => way !== undefined);
  if (ways.length !== 1) fail("Say --all, --again or --image REFERENCE.");
  let read = 0;
  let problems = 0;
  for await (const { id, image } of one.image === undefined
    ? imagesToInspect(again !== undefined)
    : [await find(one)]) {
    const { state, error } = await inspectOne(id, image);
    read++;
    if (state !== "failed") continue;
    problems++;
    console.log(`failed ${image} ${error}`);
  }
  console.log(
    problems === 0
      ? `${counted(read, "image")} read.`
      : `${counted(read, "image")} read, ${counted(problems, "problem")}.`,
  );
  if (problems > 0) process.exitCode = 1;
}

async function find(one: Record<string, string>): Promise<{ id: string; image: string }> {
  return (await call(one, "find-image")) as { id: string; image: string };
}

async function* imagesToInspect(again: boolean): AsyncGenerator<{ id: string; image: string }> {
  for (let after: string | null = null; ; ) {
    const page = (await call(after === null ? {} : { after }, "list-inspections")) as {
      items: { imageId: string; image: string; state: string }[];
      next: string | null;
    };
    for (const { imageId, image, state } of page.items) if (again || state !== "done") yield { id: imageId, image };
    after = page.next;
    if (after === null) return;
  }
}

/** Each call waits a while for the reading to end. */
async function inspectOne(id: string, image: string): Promise<{ state: string; error?: string }> {
  for (;;) {
    const result = (await call({ id }, "inspect-image")) as { state: string; error?: string };
    if (result.state !== "running") return result;
    console.error(`${image}: still being read`);
  }
}

async function call(callArgs: Record<string, unknown>, verb = name): Promise<unknown> {
  const response = await fetch(`${target.url}/admin/rpc`, {
    method: "POST",
    headers: { Authorization: `Bearer ${target.secret}`, "Content-Type": "application/json" },
    body: JSON.stringify({ verb, args: callArgs }),
  }).catch((error: unknown) =>
    fail(`No registry answers at ${target.url}: ${error instanceof Error ? error.message : error}`),
  );
  const answer = (await response.json().catch(() => null)) as { result?: unknown; error?: { message: string } } | null;
  if (response.ok && answer !== null) return answer.result;
  return fail(answer?.error?.message ?? `The registry answered ${response.status}.`);
}

/** The registry to talk to: a deployment by `--url`, else the one that runs on the data folder. */
function findTarget(): { url: string; secret: string } {
  const folder = resolve(data ?? DEFAULT_DATA);
  if (url !== undefined) {
    const { protocol, hostname, origin } = URL.canParse(url)
      ? new URL(url)
      : fail(`--url must be an address, not '${url}'`);
    if (protocol !== "https:" && !isLoopback(hostname)) fail("The admin secret travels over https only.");
    return { url: origin, secret: secretFor(hostname, folder) };
  }
  const server = findServer(folder) ?? fail(`No registry runs on ${folder}. Start it with: npm start`);
  return { url: server.url, secret: process.env.ADMIN_SECRET || loadSecrets(folder).ADMIN_SECRET };
}

/** The secret of a local registry goes to another host only where --data says that it belongs there. */
function secretFor(hostname: string, folder: string): string {
  const isLocal = data !== undefined || isLoopback(hostname);
  const local = isLocal ? readSecrets(folder)?.ADMIN_SECRET : undefined;
  return (
    process.env.ADMIN_SECRET ||
    local ||
    deployedSecret() ||
    fail("No admin secret is known for that address. Put it into the environment as ADMIN_SECRET.")
  );
}

/** What `npm run deploy` keeps. */
function deployedSecret(): string | null {
  const file = join(import.meta.dirname, "..", ".secrets", "deployment.json");
  if (!existsSync(file)) return null;
  return (JSON.parse(readFileSync(file, "utf8")) as { ADMIN_SECRET?: string }).ADMIN_SECRET ?? null;
}

function parseOptions(given: string[]): { url?: string; data?: string } & Record<string, string> {
  const known = [
    "url",
    "data",
    ...Array.from((command?.takes ?? "").matchAll(/--([a-z]+)/g), (match) => match[1] ?? ""),
  ];
  const flags = { "set-member": ["team"], verify: ["all"], inspect: ["all", "again"], register: ["force"] }[name] ?? [];
  const values = readOptions(given, known, flags, `npm run admin -- ${name} ${command?.takes ?? ""}`);
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function usage(): string {
  const lines = Object.entries(commands).map(([verb, { takes, does }]) => `  ${verb} ${takes}\n      ${does}`);
  return `npm run admin -- COMMAND [options]\n\n${lines.join("\n")}\n
  --url URL    a deployed registry; its secret comes from ADMIN_SECRET or from what npm run deploy keeps
  --data DIR   the data folder of a local registry (.data)`;
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
