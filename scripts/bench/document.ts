import { limits } from "../../worker/registry/limits.ts";
import type { Bench } from "./bench.ts";
import { cellsOf } from "./figures.ts";
import type { Machine } from "./machine.ts";

const MIB = 1024 ** 2;

const introduction = `# Benchmarks

<!-- Written by \`npm run bench\`; what is changed here is lost. -->

The registry beside a bare Worker (\`scripts/bench/bare-worker.js\`) that does the same work on the same kind of R2 and D1 and nothing else: no
users, no checks, no framework. Both run as \`npm start\` runs the registry. The figures say what the registry adds to the platform, on one machine;
how fast Cloudflare's own R2 and D1 are they cannot say. They are reported, and no test fails by them.`;

const explanations = `## What is measured

- **Figures** are medians of interleaved rounds, with the least and the most behind them; **ratio** is ours divided by the bare Worker's.
- **Push**: ours is the whole of it, from the start of the upload until the image can be pulled: a signed URL for each part, the parts one after
  another as the clients send them, one object of them, all of it read back and hashed, and published. The bare Worker's is the PUTs of the same
  parts and nothing else. Neither counts that a client hashes its file first.
- **Pull**: ranges of 5 MiB, three at a time over kept connections, as the clients read; the bytes are thrown away. An image is stored in parts when
  it was pushed in parts (above 64 MiB), and in one piece when an old client sent it so. The local R2 reads an object in parts several times
  slower than one in one piece, which hides what a Worker adds: one piece is the harder comparison.
- **Verification**: \`npm run admin -- verify\` of one image, which streams it through one buffer, against reading it in slices of 8 MiB, one ahead,
  without a digest.
- **Resolve**: 16 requests at a time by somebody anonymous.
- **Search**: by somebody anonymous, of images with about 60 words each: words that one of them has, and that all have, of
  which the newest 500 are ranked. Here the second column of figures is the same search among 1,000 images in place of a bare Worker's.
- **First byte**: of a range of 5 MiB. Cold is the first read of a slice after the servers started, warm the next one. The system has the files in
  memory both times. \`BLOB_CACHE=true\` is how a deployment runs; \`npm start\` leaves it off: the local cache is on the same disk,
  and would keep every public image a second time.
- **Peak memory**: the most that the Worker's process (workerd, in which the local R2 and D1 run too) ever held, each from a fresh process.`;

/** docs/benchmarks.md. */
export function document(
  bench: Bench,
  machine: Machine,
  command: string,
  loads: { before: string; after: string },
): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const header = ["measured", "ours", "bare Worker", "ratio", "goal", "met"];
  const rows = [header, header.map(() => "---"), ...bench.figures.map(cellsOf)];
  const heldMib = (2 * limits.serveSliceBytes) / MIB;
  return [
    introduction,
    `Taken on ${new Date().toISOString().slice(0, 10)} by \`${command}\`, ${bench.rounds} rounds, on ${machine.cpu}, ${machine.memory} of memory; load of the machine
before ${loads.before}, after ${loads.after}; ${versions.join(", ")}.`,
    rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n"),
    ...(bench.omitted.length === 0 ? [] : [bench.omitted.map((line) => `- ${line}`).join("\n")]),
    `Bytes our own code holds for one request: ${heldMib} MiB at most while serving (two slices), ${limits.hashReadBytes / MIB} MiB while verifying (one buffer); the
goal is 32 MiB, and \`test/worker/held-bytes.test.ts\` asserts it.`,
    explanations,
    "",
  ].join("\n\n");
}
