import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { findOffences } from "../support/import-rules.ts";
import { readSource, readSources } from "../support/imports.ts";

const root = resolve(import.meta.dirname, "../..");
const sources = readSources(root, ["worker", "ui", "scripts"]);

describe("the import directions of ARCHITECTURE.md", () => {
  it("hold for every file of worker, ui and scripts", () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(findOffences(sources)).toEqual([]);
  });

  it("are judged over files that are there", () => {
    const imports = sources.flatMap(({ path, imports }) => imports.map((taken) => ({ path, ...taken })));
    const broken = imports.filter(({ to, isPackage }) => !isPackage && !existsSync(resolve(root, to)));
    expect(broken).toEqual([]);
  });

  it("let the Worker use only packages that are installed with it", () => {
    const schema = z.looseObject({ dependencies: z.record(z.string(), z.string()) });
    const { dependencies } = schema.parse(JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")));
    const used = sources.filter(({ path }) => path.startsWith("worker/")).flatMap(({ imports }) => imports);
    const packages = used
      .filter(({ isPackage }) => isPackage)
      .map(({ to }) => to.replace(/^((?:@[^/]+\/)?[^/]+).*$/, "$1"));
    const ofThePlatform = /^(?:node|cloudflare):/;
    const missing = [...new Set(packages)].filter(
      (name) => !ofThePlatform.test(name) && !Object.hasOwn(dependencies, name),
    );
    expect(missing).toEqual([]);
  });
});

/** One broken rule each: where the file stands, what it says, and what is found. */
const broken: readonly (readonly [rule: string, path: string, text: string, found: string])[] = [
  [
    "nothing imports a protocol but app.ts",
    "worker/http/x.ts",
    `import { library } from "../protocols/library/routes.ts";`,
    "http may not import protocols",
  ],
  [
    "nor index.ts",
    "worker/index.ts",
    `import { library } from "./protocols/library/routes.ts";`,
    "index may not import protocols",
  ],
  [
    "nor a registry function, by its types",
    "worker/registry/pull/x.ts",
    `import type { X } from "../../protocols/web/blobs.ts";`,
    "registry may not import protocols",
  ],
  [
    "nor lazily",
    "worker/registry/x.ts",
    `export const load = () => import("../protocols/web/blobs.ts");`,
    "registry may not import protocols",
  ],
  [
    "no protocol imports another",
    "worker/protocols/library/x.ts",
    `import { blobs } from "../web/blobs.ts";`,
    "no protocol imports another",
  ],
  [
    "a protocol asks the registry, not the storage",
    "worker/protocols/web/x.ts",
    `import { streamObject } from "../../storage/blobs.ts";`,
    "protocols may not import storage",
  ],
  [
    "a protocol holds no query",
    "worker/protocols/web/x.ts",
    `import { eq } from "drizzle-orm";`,
    "protocols may not use this package",
  ],
  [
    "a protocol takes of the context its types",
    "worker/protocols/web/x.ts",
    `import { x } from "../../context.ts";`,
    "protocols may not import context",
  ],
  [
    "the registry knows no HTTP",
    "worker/registry/x.ts",
    `import { readJson } from "../http/body.ts";`,
    "registry may not import http",
  ],
  ["nor Hono", "worker/registry/x.ts", `import { Hono } from "hono";`, "registry may not use this package"],
  [
    "nor Durable Objects",
    "worker/registry/x.ts",
    `import { RateLimiter } from "../durable/rate-limiter.ts";`,
    "registry may not import durable",
  ],
  [
    "the storage does not look up",
    "worker/storage/x.ts",
    `import { authorize } from "../registry/authorize.ts";`,
    "storage may not import registry",
  ],
  [
    "access does no I/O by a package",
    "worker/access/x.ts",
    `import { readFileSync } from "node:fs";`,
    "access may not use this package",
  ],
  [
    "nor by the storage, by its types",
    "worker/access/x.ts",
    `import type { Database } from "../storage/db/client.ts";`,
    "access may not import storage",
  ],
  [
    "nor by the platform",
    "worker/access/x.ts",
    `export const x = () => fetch("https://example.org");`,
    "it may do no I/O",
  ],
  ["formats do no I/O", "worker/formats/x.ts", `export const x = () => caches.default;`, "it may do no I/O"],
  [
    "formats stand alone",
    "worker/formats/x.ts",
    `import { limits } from "../registry/limits.ts";`,
    "formats may not import words",
  ],
  [
    "names.ts does no I/O",
    "worker/registry/names.ts",
    `import { streamObject } from "../storage/blobs.ts";`,
    "words may not import storage",
  ],
  ["nor by the platform", "worker/registry/names.ts", `export const x = console.log;`, "it may do no I/O"],
  [
    "the UI imports nothing of the Worker",
    "ui/x.ts",
    `import { limits } from "../worker/registry/limits.ts";`,
    "ui may not import words",
  ],
  [
    "not its types either",
    "ui/x.tsx",
    `export type X = import("../worker/registry/errors.ts").ErrorCode;`,
    "ui may not import words",
  ],
  [
    "the Worker imports nothing of the UI",
    "worker/protocols/web/x.ts",
    `import { paths } from "../../../ui/paths.ts";`,
    "protocols may not import ui",
  ],
  [
    "nor of the commands",
    "worker/app.ts",
    `import { build } from "../scripts/server/build.ts";`,
    "app may not import scripts",
  ],
  [
    "nor of the tests",
    "worker/app.ts",
    `import { ask } from "../test/support/worker/registry.ts";`,
    "app may not import this",
  ],
  [
    "commands run no query of their own",
    "scripts/x.ts",
    `import { openDatabase } from "../worker/storage/db/client.ts";`,
    "scripts may not import storage",
  ],
  ["a new room is put into the map first", "worker/helpers/x.ts", `import { x } from "./y.ts";`, "stands in no room"],
  ["no barrel files", "worker/registry/pull/all.ts", `export * from "./resolve.ts";`, "no barrel files"],
  ["nor in two steps", "ui/x.ts", `import { paths } from "./paths.ts"; export { paths };`, "no barrel files"],
  [
    "no cycles, of types either",
    "worker/registry/limits.ts",
    `import type { Settings } from "./settings.ts";`,
    "no cycles",
  ],
  [
    "an import can be followed",
    "worker/registry/x.ts",
    `export const x = (name: string) => import(name);`,
    "an address that is computed",
  ],
];

describe("a broken rule is found:", () => {
  it.each(broken)("%s (%s)", (_, path, text, found) => {
    const others = sources.filter((source) => source.path !== path);
    expect(findOffences([...others, readSource(path, text)]).join("\n")).toContain(found);
  });

  it("and named with both ends of the import", () => {
    const offences = findOffences([readSource("worker/access/x.ts", `import { x } from "../storage/blobs.ts";`)]);
    expect(offences).toEqual(["worker/access/x.ts → worker/storage/blobs.ts: access may not import storage"]);
  });

  it("types that ARCHITECTURE.md allows are no broken rule", () => {
    const text = `import type { Settings } from "../registry/settings.ts"; import { type ErrorCode } from "../registry/errors.ts";`;
    expect(findOffences([readSource("worker/access/x.ts", text)])).toEqual([]);
  });
});
