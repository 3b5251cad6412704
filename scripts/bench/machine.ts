import { readFileSync, statfsSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, loadavg, totalmem } from "node:os";

const GIB = 1024 ** 3;

/** What the figures were taken on. */
export interface Machine {
  cpu: string;
  memory: string;
  versions: Record<string, string>;
}

export function describeMachine(): Machine {
  const processors = cpus();
  const versions = ["workerd", "miniflare", "wrangler"].map((name) => [name, versionOf(name)]);
  return {
    cpu: `${processors.length} × ${processors[0]?.model.trim() ?? "unknown"}`,
    memory: `${(totalmem() / GIB).toFixed(1)} GiB`,
    versions: { node: process.versions.node, ...Object.fromEntries(versions) },
  };
}

function versionOf(name: string): string {
  // Not every package exports its package.json, so it is looked for where packages lie.
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const folder of folders) {
    try {
      return (JSON.parse(readFileSync(`${folder}/${name}/package.json`, "utf8")) as { version: string }).version;
    } catch {}
  }
  return "unknown";
}

/** The load of the last minute, which says whether something else was running. */
export function load(): string {
  return (loadavg()[0] ?? 0).toFixed(2);
}

export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** The most memory a process ever held, in MiB. Null where the system does not say (no /proc). */
export function peakMemoryMib(pid: number): number | null {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kib === undefined ? null : Number(kib) / 1024;
  } catch {
    return null;
  }
}
