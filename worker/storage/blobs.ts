import type { Digest } from "../registry/digest.ts";
import { digestHex } from "../registry/digest.ts";
import { limits } from "../registry/limits.ts";
import { type ByteRange, sliceRange, streamSlices } from "./slices.ts";

/** Outcome of taking in bytes. Only `stored` leaves an object. */
export type StoreResult = "stored" | "key-used" | "digest-mismatch";

/**
 * Writes an object once: R2 computes the SHA-256 in flight and keeps nothing
 * when it is not the digest's, or when the key was written before.
 * @param body a stream whose length is known (a request body with Content-Length)
 */
export async function storeObject(
  bucket: R2Bucket,
  key: string,
  body: ReadableStream,
  digest: Digest,
): Promise<StoreResult> {
  try {
    const stored = await bucket.put(key, body, {
      onlyIf: new Headers({ "If-None-Match": "*" }),
      sha256: digestHex(digest),
      httpMetadata: { contentType: "application/octet-stream" },
    });
    return stored === null ? "key-used" : "stored";
  } catch (thrown) {
    // R2's "BadDigest" (10037): the checksum given does not match what was received.
    if (thrown instanceof Error && /10037|checksum|BadDigest/i.test(thrown.message)) return "digest-mismatch";
    throw thrown;
  }
}

/** The first bytes of an object, with what R2 knows of the whole. */
export interface ObjectStart {
  bytes: Uint8Array;
  sizeBytes: number;
  /** What R2 computed when it took the bytes in, in hexadecimal. */
  sha256Hex: string | null;
}

export async function readObjectStart(bucket: R2Bucket, key: string, lengthBytes: number): Promise<ObjectStart | null> {
  const object = await bucket.get(key, { range: { offset: 0, length: lengthBytes } });
  if (object === null) return null;
  return {
    bytes: new Uint8Array(await object.arrayBuffer()),
    sizeBytes: object.size,
    sha256Hex: object.checksums.toJSON().sha256 ?? null,
  };
}

export async function readObjectRange(bucket: R2Bucket, key: string, range: ByteRange): Promise<Uint8Array | null> {
  const object = await bucket.get(key, { range });
  return object === null ? null : new Uint8Array(await object.arrayBuffer());
}

/** Streams a range of an object. Null when the object is gone. */
export async function streamObject(bucket: R2Bucket, key: string, range: ByteRange): Promise<ReadableStream | null> {
  return await streamSlices(sliceRange(range, limits.serveSliceBytes), async (slice) => {
    const object = await bucket.get(key, { range: slice });
    return object?.body ?? null;
  });
}
