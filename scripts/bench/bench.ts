import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Bare, startBare } from "./bare-server.ts";
import { cellsOf, type Figure } from "./figures.ts";
import { freeBytes, load } from "./machine.ts";
import { type Registry, startRegistry } from "./registry.ts";

export const MIB = 1024 ** 2;
export const GIB = 1024 ** 3;

export interface Sizes {
  /** The image that is pushed, pulled and verified. */
  image: number;
  /** Those that peak memory is taken with. */
  memory: readonly number[];
  /** The one that the real client pushes and pulls. */
  client: number;
  /** Seconds that requests are counted for, each round. */
  rateSeconds: number;
}

/** A run: what it does, and what came of it so far. */
export interface Bench {
  root: string;
  /** A folder of its own, removed afterwards. */
  folder: string;
  rounds: number;
  sizes: Sizes;
  figures: Figure[];
  /** What was not run, and why. */
  omitted: string[];
}

/** Both servers, running beside each other. */
export interface Servers {
  registry: Registry;
  bare: Bare;
}

/** Takes a figure into the report and shows it at once. */
export function report(bench: Bench, figure: Figure): void {
  bench.figures.push(figure);
  const [name, ours, bare, ratio, goal, met] = cellsOf(figure);
  const compared = ratio === "" ? "" : `   bare ${bare}   ratio ${ratio}`;
  const judged = goal === "" ? "" : `   goal ${goal}: ${met?.replaceAll("*", "")}`;
  console.log(`${name}: ${ours}${compared}${judged}   [load ${load()}]`);
}

/** Says that something is not run. */
export function omit(bench: Bench, what: string, why: string): void {
  bench.omitted.push(`${what}: not run, ${why}.`);
  console.log(bench.omitted.at(-1));
}

/** Whether the disk has room for something; says so when it has not. */
export function hasRoom(bench: Bench, what: string, neededBytes: number): boolean {
  const free = freeBytes(bench.folder);
  if (free >= neededBytes) return true;
  const gib = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;
  omit(bench, what, `because it needs ${gib(neededBytes)} of disk, and ${bench.folder} has ${gib(free)} free`);
  return false;
}

/** Gives some work a folder, which is gone afterwards. */
export async function withFolder<T>(bench: Bench, name: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(bench.folder, name);
  mkdirSync(folder, { recursive: true });
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

export async function withRegistry<T>(
  bench: Bench,
  data: string,
  work: (registry: Registry) => Promise<T>,
  settings: Record<string, string> = {},
): Promise<T> {
  const registry = await startRegistry(bench.root, join(data, "registry"), settings);
  try {
    return await work(registry);
  } finally {
    await registry.server.stop();
  }
}

export async function withBare<T>(bench: Bench, data: string, work: (bare: Bare) => Promise<T>): Promise<T> {
  const bare = await startBare(bench.root, join(data, "bare"));
  try {
    return await work(bare);
  } finally {
    await bare.stop();
  }
}

export async function withServers<T>(
  bench: Bench,
  data: string,
  work: (servers: Servers) => Promise<T>,
  settings: Record<string, string> = {},
): Promise<T> {
  return await withRegistry(
    bench,
    data,
    (registry) => withBare(bench, data, (bare) => work({ registry, bare })),
    settings,
  );
}
