import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { V4WorkerOptions } from "miniflare";

/** What Miniflare is told of wrangler.toml: wrangler takes a second to load, and `npm start` need not. */
export const WORKER_OPTIONS = join("dist", "worker-options.json");

/** What the build noted of wrangler.toml. */
export type BuiltOptions = V4WorkerOptions & {
  compatibilityDate: string;
  cronTriggers: string[];
  d1Databases: NonNullable<V4WorkerOptions["d1Databases"]>;
};

export function readBuiltOptions(root: string): BuiltOptions {
  return JSON.parse(readFileSync(join(root, WORKER_OPTIONS), "utf8")) as BuiltOptions;
}

const sources = [
  "scripts/server/build.ts",
  "worker",
  "ui",
  "docs/openapi.json",
  "wrangler.toml",
  "vite.config.ts",
  "package-lock.json",
  "tsconfig.base.json",
];

/** Builds the UI and bundles the Worker as they are deployed, unless they are built from these very sources. */
export async function build(root: string): Promise<void> {
  const stamp = join(root, "dist", ".built-from");
  const wanted = hashOf(root);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  const run = (program: string, ...args: string[]) => execFileSync(program, args, { cwd: root, stdio: "pipe" });
  run("vite", "build", "--logLevel", "warn");
  run("wrangler", "deploy", "--dry-run", "--outdir", "dist/worker");
  const { unstable_getMiniflareWorkerOptions: optionsOf } = await import("wrangler");
  const { assets: _, ...options } = optionsOf(join(root, "wrangler.toml")).workerOptions;
  writeFileSync(join(root, WORKER_OPTIONS), JSON.stringify(options));
  writeFileSync(stamp, wanted);
}

function hashOf(root: string): string {
  const hash = createHash("sha256");
  for (const file of sources.flatMap((source) => filesIn(join(root, source)))) {
    hash.update(file).update("\0").update(readFileSync(file)).update("\0");
  }
  return hash.digest("hex");
}

function filesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
