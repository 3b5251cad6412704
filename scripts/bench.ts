import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fail, readOptions } from "./arguments.ts";
import { type Bench, GIB, hasRoom, MIB, type Sizes, withFolder, withServers } from "./bench/bench.ts";
import { measureFirstByte } from "./bench/cases/first-byte.ts";
import { measureMemory } from "./bench/cases/memory.ts";
import { measureRealClient } from "./bench/cases/real-client.ts";
import { measureResolve } from "./bench/cases/resolve.ts";
import { measureSearch } from "./bench/cases/search.ts";
import { measurePull, measurePush, type Stored, storeWhole } from "./bench/cases/transfer.ts";
import { measureVerification } from "./bench/cases/verification.ts";
import { document } from "./bench/document.ts";
import { describeMachine, load } from "./bench/machine.ts";
import { build } from "./server/build.ts";

const usage = `npm run bench -- [--quick] [--rounds N]

  --rounds N   rounds of each measurement (5; with --quick 2)
  --quick      small images, to see that everything runs; docs/benchmarks.md stays as it is

The whole run takes about 20 minutes, and 13 GiB of disk while it runs. It uses apptainer where PATH has it or
APPTAINER names it. Nothing else should run on the machine.`;

const full: Sizes = { image: GIB, memory: [256 * MIB, 4 * GIB], client: 4 * GIB, rateSeconds: 3 };
const quick: Sizes = { image: 96 * MIB, memory: [80 * MIB], client: 96 * MIB, rateSeconds: 0.5 };

const options = readOptions(process.argv.slice(2), ["rounds", "quick"], ["quick"], usage);
const isQuick = options.quick === "true";
const rounds = Number(options.rounds ?? (isQuick ? 2 : 5));
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 50) fail(`--rounds must be a number from 1 to 50\n\n${usage}`);

const root = resolve(import.meta.dirname, "..");
const machine = describeMachine();
const folder = mkdtempSync(join(tmpdir(), "sregistry-edge-bench-"));
// Also when it is ended early; Miniflare ends its workerd then, too.
process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

await build(root);
const before = load();
console.log(`${machine.cpu}, ${machine.memory}; load ${before}; ${JSON.stringify(machine.versions)}`);
const bench: Bench = { root, folder, rounds, sizes: isQuick ? quick : full, figures: [], omitted: [] };
await measure(bench);
if (!isQuick) {
  const command = ["npm run bench", ...process.argv.slice(2)].join(" ").replace("bench --", "bench -- --");
  const file = join(root, "docs", "benchmarks.md");
  writeFileSync(file, document(bench, machine, command, { before, after: load() }));
  console.log(`Written to ${file}`);
}

async function measure(bench: Bench): Promise<void> {
  const { image, memory } = bench.sizes;
  if (hasRoom(bench, "Push, pull, verification, resolve and first byte", 5 * image)) {
    await withFolder(bench, "transfer", (data) => measureTransfer(bench, data));
  }
  for (const sizeBytes of memory) await measureMemory(bench, sizeBytes);
  await measureSearch(bench);
  await measureRealClient(bench);
}

async function measureTransfer(bench: Bench, data: string): Promise<void> {
  const [inParts, whole] = await withServers(bench, data, async (servers): Promise<[Stored, Stored]> => {
    const parts = await measurePush(bench, servers);
    const piece = await storeWhole(bench, servers);
    for (const [stored, how] of [
      [piece, "stored in one piece"],
      [parts, "stored in parts"],
    ] as const) {
      await measurePull(bench, servers, stored, how);
      await measureVerification(bench, servers, stored, how);
    }
    await measureResolve(bench, servers);
    return [parts, piece];
  });
  for (const BLOB_CACHE of ["false", "true"]) {
    const how = `BLOB_CACHE=${BLOB_CACHE}`;
    const again = async (servers: Parameters<typeof measureFirstByte>[1]) => {
      await measureFirstByte(bench, servers, whole, how);
      if (BLOB_CACHE === "false") return;
      await measurePull(bench, servers, whole, `stored in one piece, ${how}`);
      await measurePull(bench, servers, inParts, `stored in parts, ${how}`);
    };
    await withServers(bench, data, again, { BLOB_CACHE });
  }
}
