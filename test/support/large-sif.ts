import { createHash, randomFillSync } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { makeSif, type SifOptions } from "./make-sif.ts";

const CHUNK_BYTES = 1024 ** 2;
/** Whatever may be swapped on the way (parts, slices, ranges) ends on a multiple of this. */
const BLOCK_BYTES = 4096;

/**
 * Writes a SIF file of any size, a chunk at a time. It is random, so that two files always differ, and every
 * block of it names its own place, so that none can stand in for another.
 * @returns its SHA-256, in hexadecimal
 */
export async function writeLargeSif(path: string, sizeBytes: number, options: SifOptions = {}): Promise<string> {
  const chunk = randomFillSync(Buffer.alloc(CHUNK_BYTES));
  const header = makeSif(options);
  const hash = createHash("sha256");
  const file = await open(path, "w");
  try {
    for (let start = 0; start < sizeBytes; start += CHUNK_BYTES) {
      for (let at = 0; at < CHUNK_BYTES; at += BLOCK_BYTES) chunk.writeDoubleLE(start + at, at);
      const bytes = Buffer.from(chunk.subarray(0, Math.min(CHUNK_BYTES, sizeBytes - start)));
      if (start === 0) bytes.set(header);
      hash.update(bytes);
      await file.write(bytes);
    }
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}

/** The SHA-256 of a file of any size, in hexadecimal. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: CHUNK_BYTES }), hash);
  return hash.digest("hex");
}
