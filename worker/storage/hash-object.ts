import { createHash, type Hash } from "node:crypto";
import { limits } from "../registry/limits.ts";
import { sliceRange } from "./slices.ts";

/**
 * The SHA-256 of an object, in hexadecimal, read in slices. Null when it is not there, or not as large as it
 * should be. None is asked for ahead: slices are large, and what waits in a stream takes memory.
 * @param onProgress told after each read how many bytes are hashed; what it throws ends the reading
 */
export async function hashObject(
  bucket: R2Bucket,
  key: string,
  sizeBytes: number,
  onProgress: (doneBytes: number) => Promise<void>,
): Promise<string | null> {
  const hash = createHash("sha256");
  for (const range of sliceRange({ offset: 0, length: sizeBytes }, limits.hashSliceBytes)) {
    const object = await bucket.get(key, { range });
    if (object === null) return null;
    if (object.size !== sizeBytes) {
      await object.body.cancel();
      return null;
    }
    const bytes = await hashStream(hash, object.body, (done) => onProgress(range.offset + done));
    // The object is as large as it should be: this says something of the reading, and nothing of the bytes.
    if (bytes !== range.length) throw new Error(`a read of ${range.length} bytes ended after ${bytes}`);
  }
  return hash.digest("hex");
}

/** Reads into one buffer, over and over: the chunks of 4 KiB that a stream brings by itself cost more than their hash. */
async function hashStream(hash: Hash, body: ReadableStream, onRead: (bytes: number) => Promise<void>): Promise<number> {
  const reader = body.getReader({ mode: "byob" });
  let bytes = 0;
  try {
    for (let buffer = new ArrayBuffer(limits.hashReadBytes); ; ) {
      const { value, done } = await reader.readAtLeast(buffer.byteLength, new Uint8Array(buffer));
      if (value !== undefined && value.byteLength > 0) {
        hash.update(value);
        bytes += value.byteLength;
        await onRead(bytes);
      }
      if (done || value === undefined) return bytes;
      // A read takes the buffer away and brings it back.
      buffer = value.buffer;
    }
  } catch (thrown) {
    await reader.cancel().catch(() => undefined);
    throw thrown;
  }
}
