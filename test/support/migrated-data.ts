import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestProject } from "vitest/node";
import { build } from "../../scripts/server/build.ts";
import { newSecrets } from "../../scripts/server/local-data.ts";
import { startServer } from "../../scripts/server/registry-server.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** A folder with the data of a registry in which nothing is yet. */
    migratedData: string;
  }
}

/** Builds the registry, and makes its tables once, so that each test server begins with a copy. */
export default async function setup(project: TestProject): Promise<() => void> {
  const root = resolve(import.meta.dirname, "../..");
  await build(root);
  const data = mkdtempSync(join(tmpdir(), "registry-empty-"));
  const server = await startServer({ root, data, host: "127.0.0.1", port: 0, secrets: newSecrets() });
  await server.stop();
  project.provide("migratedData", data);
  return () => rmSync(data, { recursive: true, force: true });
}
