import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { bareObject } from "../bare-server.ts";
import { type Bench, MIB, report, type Servers } from "../bench.ts";
import { discard, send } from "../client.ts";
import { interleave } from "../measure.ts";
import { askForDownload } from "../registry-push.ts";
import type { Stored } from "./transfer.ts";

const SLICE_BYTES = 8 * MIB;
const RANGE_BYTES = 5 * MIB;
const MOST_SLICES = 24;

/**
 * The time until the first byte of a range, of slices that nobody read since both servers started, and of the
 * same ones again. The files are in the system's page cache either way.
 */
export async function measureFirstByte(
  bench: Bench,
  { registry, bare }: Servers,
  { image, key }: Stored,
  how: string,
): Promise<void> {
  const url = (await askForDownload(registry, image)) ?? "";
  const slices = Math.min(MOST_SLICES, Math.floor(image.sizeBytes / SLICE_BYTES));
  const measures = {
    ours: (slice: number) => firstByteMs(url, slice),
    bare: (slice: number) => firstByteMs(bareObject(bare, key), slice),
  };
  report(bench, {
    name: `First byte of a range, cold, ${how}`,
    unit: "ms",
    ...(await interleave(slices, measures)),
    goal: null,
  });
  // What was read is kept behind the answers.
  await sleep(500);
  report(bench, {
    name: `First byte of a range, warm, ${how}`,
    unit: "ms",
    ...(await interleave(slices, measures)),
    goal: null,
  });
}

async function firstByteMs(url: string, slice: number): Promise<number> {
  const offset = slice * SLICE_BYTES;
  const began = performance.now();
  const response = await send(url, { headers: { Range: `bytes=${offset}-${offset + RANGE_BYTES - 1}` } });
  await once(response, "readable");
  const ms = performance.now() - began;
  await discard(response);
  return ms;
}
