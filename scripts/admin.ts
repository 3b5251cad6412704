import { commands } from "./admin/commands.ts";
import { findRegistry } from "./admin/registry.ts";
import { registryPage, writePage } from "./admin/registry-page.ts";
import { inspectImages, printIntegrity, rebuildSearch, resealKeys, verifyStored } from "./admin/upkeep.ts";
import { explainIfAsked, fail, readOptions } from "./arguments.ts";

const [name = "", ...rest] = process.argv.slice(2);
if (name === "--help") explainIfAsked([name], usage());
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
if (command === undefined) fail(name === "" ? usage() : `There is no command '${name}'.\n\n${usage()}`);

const { url, data, ...args } = parseOptions(rest);
const registry = findRegistry({ url, data });
await run();

async function run(): Promise<void> {
  switch (name) {
    case "add-token": {
      const { token, id } = await registry.call<{ token: string; id: string }>(name, args);
      console.error(`Token ${id.slice(0, 8)} for ${args.username}. It is shown this once:`);
      console.log(token);
      return;
    }
    case "login-link": {
      const link = await registry.call<{ url: string; expiresAt: string }>(name, args);
      console.error(`Signs ${args.username} in, once, until ${link.expiresAt}. Open it in the browser:`);
      console.log(link.url);
      return;
    }
    case "add-key": {
      const { key, origin } = await registry.call<{ key: string; origin: string | null }>(name, args);
      explainKey(args.username ?? "", origin ?? registry.url);
      console.log(key);
      return;
    }
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
    case "register":
      return await register();
    case "reseal-keys":
      return await resealKeys(registry);
    case "rebuild-search":
      return await rebuildSearch(registry);
    case "check-integrity":
      return await printIntegrity(registry);
    case "verify":
      return await verifyStored(registry, args);
    case "inspect":
      return await inspectImages(registry, args);
    default: {
      const result = await registry.call<Record<string, unknown>>(name, args);
      const wasCreated = result.created === true ? ` (created user ${args.username})` : "";
      console.log(`Done: ${name} ${Object.values(args).join(" ")}${wasCreated}`);
    }
  }
}

async function printPages(): Promise<void> {
  for await (const { items } of registry.pages<{ items: unknown[] }>(name, args)) {
    for (const item of items) console.log(JSON.stringify(item));
  }
}

async function register(): Promise<void> {
  type Page = { items: { name: string; value: string | null }[] };
  const { items } = await registry.call<Page>("show-settings");
  const settings = new Map(items.map((item) => [item.name, item.value ?? ""]));
  const page = registryPage((setting) => settings.get(setting) ?? "", registry.url, new Date());
  console.log(writePage(page, { folder: args.folder ?? "", replaces: args.force !== undefined }));
  console.error(page.instructions);
}

/** Where the key goes. It is not repeated: what is not the key may be shown to anyone. */
function explainKey(username: string, base: string): void {
  const stored = {
    SREGISTRY_REGISTRY_BASE: base,
    SREGISTRY_REGISTRY_USERNAME: username.toLowerCase(),
    SREGISTRY_REGISTRY_TOKEN: "THE KEY",
  };
  console.error(`A key for ${username}. In ~/.sregistry it stands so, or in three variables of these names:`);
  console.error(JSON.stringify({ SREGISTRY_CLIENT: "registry", registry: stored }, null, 2));
  console.error("The key. It is shown this once:");
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
