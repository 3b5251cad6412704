import { createHash } from "node:crypto";
import { abortMultipart, beginMultipart, completeMultipart, type Part } from "./multipart.ts";

/** Where a stream goes, as it is told before its first byte is stored. */
export interface StreamPlan {
  /** The file's first bytes: a part, or all of it when it is no longer. */
  start: Uint8Array;
  /** R2's id when it goes in parts. */
  multipartId: string | null;
}

export interface Streamed {
  sizeBytes: number;
  /** SHA-256 of what was given to R2, in hexadecimal. */
  sha256Hex: string;
}

/**
 * Stores bytes whose number and digest nobody announced, as they come: by one PUT up to the size of a part, above
 * it in parts. Two parts are in memory, one on its way and one that fills: what brings the bytes waits for R2, so
 * that no more of them come. The SHA-256 is taken by the way.
 * @param onPlan told before anything is stored; what it throws, as what `bytes` throws, ends the upload
 * @throws whatever R2 does not take; no parts are left then
 */
export async function streamIn(
  bucket: R2Bucket,
  key: string,
  bytes: AsyncIterable<Uint8Array>,
  partBytes: number,
  onPlan: (plan: StreamPlan) => Promise<void>,
): Promise<Streamed> {
  const parts = fillParts(bytes, partBytes);
  // Nothing else may hold these: it would for as long as the rest takes.
  const waiting = await takeTwo(parts, partBytes);
  const startOf = ([start = new Uint8Array()]: readonly Uint8Array[]) => start;
  if (waiting.length < 2) {
    await onPlan({ start: startOf(waiting), multipartId: null });
    return await putWhole(bucket, key, startOf(waiting));
  }
  const multipartId = await beginMultipart(bucket, key);
  try {
    await onPlan({ start: startOf(waiting), multipartId });
    return await putParts(bucket, { objectKey: key, multipartId }, restOf(waiting, parts));
  } catch (thrown) {
    // What went wrong first is what counts. R2 itself ends an upload after a week.
    await abortMultipart(bucket, key, multipartId).catch(() => undefined);
    throw thrown;
  }
}

async function putWhole(bucket: R2Bucket, key: string, bytes: Uint8Array): Promise<Streamed> {
  const sha256Hex = createHash("sha256").update(bytes).digest("hex");
  const stored = await bucket.put(key, bytes, {
    onlyIf: new Headers({ "If-None-Match": "*" }),
    sha256: sha256Hex,
    httpMetadata: { contentType: "application/octet-stream" },
  });
  if (stored === null) throw new Error("the key of a new upload was written already");
  return { sizeBytes: bytes.length, sha256Hex };
}

async function putParts(
  bucket: R2Bucket,
  upload: { objectKey: string; multipartId: string },
  parts: AsyncIterable<Uint8Array>,
): Promise<Streamed> {
  const hash = createHash("sha256");
  const done: Part[] = [];
  let sizeBytes = 0;
  let onItsWay: Promise<void> = Promise.resolve();
  try {
    for await (const part of parts) {
      hash.update(part);
      sizeBytes += part.length;
      await onItsWay;
      const resumed = bucket.resumeMultipartUpload(upload.objectKey, upload.multipartId);
      onItsWay = resumed.uploadPart(done.length + 1, part).then((stored) => {
        done.push(stored);
      });
      // It is awaited before the next one; should that never come, its failure is nobody's.
      onItsWay.catch(() => undefined);
    }
  } finally {
    await onItsWay;
  }
  const result = await completeMultipart(bucket, upload, done);
  if (result !== "completed") throw new Error(`R2 does not complete a streamed upload: ${result}`);
  return { sizeBytes, sha256Hex: hash.digest("hex") };
}

async function takeTwo(parts: AsyncGenerator<Uint8Array, void>, partBytes: number): Promise<Uint8Array[]> {
  const first = await parts.next();
  if (first.done) return [];
  const second = first.value.length < partBytes ? null : await parts.next();
  return second === null || second.done ? [first.value] : [first.value, second.value];
}

async function* restOf(waiting: Uint8Array[], parts: AsyncIterable<Uint8Array>) {
  for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) yield part;
  yield* parts;
}

/** The same bytes in pieces of exactly so many, but for the last. Each has a buffer of its own. */
async function* fillParts(bytes: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Uint8Array, void> {
  let part = new Uint8Array(partBytes);
  let filled = 0;
  for await (let rest of bytes) {
    while (rest.length > 0) {
      const piece = rest.subarray(0, partBytes - filled);
      part.set(piece, filled);
      filled += piece.length;
      rest = rest.subarray(piece.length);
      if (filled < partBytes) continue;
      yield part;
      part = new Uint8Array(partBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}
