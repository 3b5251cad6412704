import type { Digest } from "../registry/digest.ts";
import { digestHex } from "../registry/digest.ts";
import { limits } from "../registry/limits.ts";

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

export async function readObjectRange(
  bucket: R2Bucket,
  key: string,
  offset: number,
  lengthBytes: number,
): Promise<Uint8Array | null> {
  const object = await bucket.get(key, { range: { offset, length: lengthBytes } });
  return object === null ? null : new Uint8Array(await object.arrayBuffer());
}

/**
 * Streams a range of an object in slices, one ahead, so that a request of any
 * length holds two slices at most. Null when the object is gone.
 */
export async function streamObject(
  bucket: R2Bucket,
  key: string,
  range: { offset: number; length: number },
): Promise<ReadableStream | null> {
  const slices = sliceRange(range);
  const read = (index: number) => {
    const slice = slices[index];
    return slice === undefined ? null : bucket.get(key, { range: slice });
  };
  const first = await read(0);
  if (first === null) return null;
  const { readable, writable } = new FixedLengthStream(range.length);
  // Not awaited: it runs as long as the client reads. A client that goes away rejects it; so does a read that
  // fails, and then the answer is cut short, which a client notices, rather than left hanging.
  pump(first, read, writable).catch((thrown) => writable.abort(thrown).catch(() => undefined));
  return readable;
}

type SliceRead = (index: number) => Promise<R2ObjectBody | null> | null;

async function pump(first: R2ObjectBody, read: SliceRead, writable: WritableStream): Promise<void> {
  let current: R2ObjectBody | null = first;
  for (let index = 1; current !== null; index++) {
    const next = read(index);
    // Its failure is met below, when its turn comes.
    next?.catch(() => undefined);
    try {
      await current.body.pipeTo(writable, { preventClose: true });
    } catch (thrown) {
      next?.then((object) => object?.body.cancel()).catch(() => undefined);
      throw thrown;
    }
    current = next === null ? null : await next;
    // Not ended as if it were complete.
    if (next !== null && current === null) throw new Error("the object went while it was being sent");
  }
  await writable.close();
}

/** A range cut into reads of at most one slice. */
export function sliceRange({
  offset,
  length,
}: {
  offset: number;
  length: number;
}): { offset: number; length: number }[] {
  const slices: { offset: number; length: number }[] = [];
  for (let done = 0; done < length; done += limits.serveSliceBytes) {
    slices.push({ offset: offset + done, length: Math.min(limits.serveSliceBytes, length - done) });
  }
  return slices;
}
