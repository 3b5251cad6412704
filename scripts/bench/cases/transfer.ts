import { bareObject, sendBareParts } from "../bare-server.ts";
import { type Bench, report, type Servers } from "../bench.ts";
import { ask, pullRanges } from "../client.ts";
import type { Figure } from "../figures.ts";
import { BenchImage } from "../image.ts";
import { interleave, secondsOf } from "../measure.ts";
import type { Registry } from "../registry.ts";
import { askForDownload, register, sendInParts, sendWhole, setTag } from "../registry-push.ts";

/** An image that both servers hold. */
export interface Stored {
  image: BenchImage;
  /** What the bare Worker calls it. */
  key: string;
}

/**
 * Pushes, every round another image. The bare Worker's time is that of the PUTs alone; ours is a whole push:
 * start, URLs, PUTs, one object of them, reading it back, publishing.
 * @returns the image of the last round, with the tag `v1`
 */
export async function measurePush(bench: Bench, { registry, bare }: Servers): Promise<Stored> {
  const key = "in-parts";
  const { image: sizeBytes } = bench.sizes;
  const images = Array.from({ length: bench.rounds }, () => new BenchImage(sizeBytes));
  const partSeconds: number[] = [];
  const at = (round: number) => images[round] ?? new BenchImage(sizeBytes);
  const seconds = await interleave(bench.rounds, {
    ours: async (round) => {
      await emptyBucket(registry);
      const image = at(round);
      const { imageId, containerId } = await register(registry, image);
      const { whole, parts } = await sendInParts(registry, imageId, image);
      await setTag(registry, containerId, imageId, "v1");
      partSeconds.push(parts);
      return whole;
    },
    bare: async (round) => {
      await ask(bareObject(bare, key), { method: "DELETE" });
      return await sendBareParts(bare, key, at(round), registry.partBytes);
    },
  });
  const size = sizeText(sizeBytes);
  const goal = { atLeast: 0.7 };
  report(bench, rates(`${size} push, verified and published ÷ PUTting its parts`, sizeBytes, { ...seconds, goal }));
  const parts = { ours: partSeconds, bare: seconds.bare, goal: null };
  report(bench, rates(`${size} push up to its last part ÷ the same`, sizeBytes, parts));
  return { image: at(bench.rounds - 1), key };
}

/** Puts one more image on both servers, stored in one piece, as a client that knows no parts sends it. */
export async function storeWhole(bench: Bench, { registry, bare }: Servers): Promise<Stored> {
  const key = "whole";
  const image = new BenchImage(bench.sizes.image);
  const { imageId } = await register(registry, image);
  await sendWhole(registry, imageId, image);
  const headers = { "Content-Length": image.sizeBytes };
  await ask(bareObject(bare, key), { method: "PUT", headers, body: image.chunks(0, image.sizeBytes) });
  return { image, key };
}

/** Pulls as the clients do. Both servers have the object in the system's page cache, and read it once before. */
export async function measurePull(
  bench: Bench,
  { registry, bare }: Servers,
  { image, key }: Stored,
  how: string,
): Promise<void> {
  const url = (await askForDownload(registry, image)) ?? "";
  const pull = {
    ours: () => secondsOf(() => pullRanges(url, image.sizeBytes)),
    bare: () => secondsOf(() => pullRanges(bareObject(bare, key), image.sizeBytes)),
  };
  await interleave(1, pull);
  const seconds = await interleave(bench.rounds, pull);
  const name = `${sizeText(image.sizeBytes)} pull, ${how} ÷ the same ranges bare`;
  report(bench, rates(name, image.sizeBytes, { ...seconds, goal: { atLeast: 0.8 } }));
}

/** Earlier rounds' bytes are not needed any more, and a disk is only so large. */
async function emptyBucket({ server }: Registry): Promise<void> {
  const bucket = await server.miniflare.getR2Bucket("BLOBS");
  const { objects } = await bucket.list();
  await bucket.delete(objects.map(({ key }) => key));
}

function rates(name: string, sizeBytes: number, seconds: Pick<Figure, "ours" | "bare" | "goal">): Figure {
  const toRate = (each: number) => sizeBytes / 1e6 / each;
  return { name, unit: "MB/s", ours: seconds.ours.map(toRate), bare: seconds.bare.map(toRate), goal: seconds.goal };
}

export function sizeText(bytes: number): string {
  const mib = bytes / 1024 ** 2;
  return mib >= 1024 ? `${mib / 1024} GiB` : `${mib} MiB`;
}
