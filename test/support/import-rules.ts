import type { Import, SourceFile } from "./imports.ts";

/*
 * The import directions of ARCHITECTURE.md. A room is a folder or a file; what it may take stands in its line.
 * "type x" means that only types of x may be taken.
 */
interface Room {
  /** The room of a path is the first whose pattern it matches. */
  pattern: RegExp;
  /** Other rooms. Its own is always allowed, except between protocols. */
  rooms: string;
  /** Packages it may take, by the start of their names. */
  packages: string;
}

const rooms: Readonly<Record<string, Room>> = {
  index: { pattern: /^worker\/index\.ts$/, rooms: "app wiring durable registry type-context", packages: "" },
  app: { pattern: /^worker\/app\.ts$/, rooms: "protocols http", packages: "hono" },
  protocols: {
    pattern: /^worker\/protocols\//,
    rooms: "http registry words access formats version type-context",
    packages: "hono zod",
  },
  http: {
    pattern: /^worker\/http\//,
    rooms: "wiring registry words formats type-access type-context",
    packages: "hono type-zod",
  },
  wiring: {
    pattern: /^worker\/(?:create-context|env)\.ts$/,
    rooms: "words origin storage type-context type-durable",
    packages: "",
  },
  origin: { pattern: /^worker\/origin\.ts$/, rooms: "words", packages: "" },
  context: { pattern: /^worker\/context\.ts$/, rooms: "type-words type-storage", packages: "" },
  // The registry's words: pure, and known to all.
  words: {
    pattern:
      /^worker\/registry\/(?:digest|error-help|errors|limits|names|provider-families|providers|setting-kinds|settings)\.ts$/,
    rooms: "",
    packages: "zod",
  },
  registry: {
    pattern: /^worker\/registry\//,
    rooms: "words access identity origin storage formats type-context",
    packages: "drizzle-orm zod",
  },
  // Who signed a token of somebody else's: it asks them, and knows nothing of our users.
  identity: { pattern: /^worker\/identity\//, rooms: "words", packages: "jose zod oauth4webapi" },
  access: { pattern: /^worker\/access\//, rooms: "words", packages: "node:zlib" },
  formats: { pattern: /^worker\/formats\//, rooms: "", packages: "multipasta" },
  storage: { pattern: /^worker\/storage\//, rooms: "words", packages: "aws4fetch drizzle-orm jose node:crypto zod" },
  durable: { pattern: /^worker\/durable\//, rooms: "registry words type-context", packages: "cloudflare:workers" },
  version: { pattern: /^worker\/version\.ts$/, rooms: "", packages: "" },
  ui: { pattern: /^ui\//, rooms: "", packages: "solid-js rapidoc" },
  // Commands run in Node: of the Worker they may take what needs no platform.
  // The benchmark pushes the same files as the tests.
  // The JSON API's document is made from its routes.
  "api-document": {
    pattern: /^scripts\/generate\/(?:openapi|api-document)\.ts$/,
    rooms: "protocols http words version",
    packages: "zod",
  },
  scripts: { pattern: /^scripts\//, rooms: "words access origin samples api-document", packages: "*" },
  samples: { pattern: /^test\/support\/make-sif\.ts$/, rooms: "", packages: "" },
};

/** Every import that goes where it may not, and everything else ARCHITECTURE.md forbids, as sentences. */
export function findOffences(sources: readonly SourceFile[]): string[] {
  return [
    ...sources.flatMap((source) => source.imports.flatMap((taken) => judge(source.path, taken))),
    ...sources.flatMap(findBarrel),
    ...sources.flatMap(findInputOutput),
    ...findCycles(sources),
  ];
}

function judge(path: string, { to, isPackage, isType }: Import): string[] {
  const room = roomOf(path);
  if (room === null) return [`${path} stands in no room that ARCHITECTURE.md knows`];
  const edge = `${path} → ${to}${isType ? " (types)" : ""}`;
  if (isPackage) {
    const isFine = allows(
      rooms[room]?.packages,
      (name) => name === "*" || to === name || to.startsWith(`${name}/`),
      isType,
    );
    return isFine ? [] : [`${edge}: ${room} may not use this package`];
  }
  if (/\.(?:css|svg|woff2)$/.test(to)) return [];
  const target = roomOf(to);
  if (target === "protocols" && room === "protocols") {
    return protocolOf(path) === protocolOf(to) ? [] : [`${edge}: no protocol imports another`];
  }
  if (target === room || (target !== null && allows(rooms[room]?.rooms, (name) => name === target, isType))) return [];
  return [`${edge}: ${room} may not import ${target ?? "this"}`];
}

function roomOf(path: string): string | null {
  return Object.entries(rooms).find(([, { pattern }]) => pattern.test(path))?.[0] ?? null;
}

function protocolOf(path: string): string | undefined {
  return path.split("/")[2];
}

function allows(list: string | undefined, isMeant: (name: string) => boolean, isType: boolean): boolean {
  return (list ?? "")
    .split(" ")
    .some((entry) => isMeant(entry.replace(/^type-/, "")) && (isType || !entry.startsWith("type-")));
}

/** A file that passes on what others declare hides who uses what. index.ts must: workerd reads the class from it. */
function findBarrel({ path, imports }: SourceFile): string[] {
  if (path === "worker/index.ts") return [];
  return imports.filter(({ isReExport }) => isReExport).map(({ to }) => `${path} passes on ${to}: no barrel files`);
}

const pureRooms = ["access", "formats", "words"];
const reachesOut = [
  "fetch",
  "caches",
  "console",
  "process",
  "setTimeout",
  "setInterval",
  "WebSocket",
  "globalThis",
  "env",
];

/** The pure rooms name nothing that reads or writes anything outside. (Packages and other rooms are judged above.) */
function findInputOutput({ path, identifiers }: SourceFile): string[] {
  if (!pureRooms.includes(roomOf(path) ?? "")) return [];
  return reachesOut.filter((name) => identifiers.has(name)).map((name) => `${path} names ${name}: it may do no I/O`);
}

/** Chains of files that import one another, types too: such files are one thing in several pieces. */
function findCycles(sources: readonly SourceFile[]): string[] {
  const next = new Map(sources.map(({ path, imports }) => [path, imports.filter((taken) => !taken.isPackage)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, chain: readonly string[]) => {
    const start = chain.indexOf(path);
    if (start !== -1) cycles.push(`${[...chain.slice(start), path].join(" → ")}: no cycles`);
    if (start !== -1 || done.has(path)) return;
    for (const { to } of next.get(path) ?? []) visit(to, [...chain, path]);
    done.add(path);
  };
  for (const { path } of sources) visit(path, []);
  return cycles;
}
