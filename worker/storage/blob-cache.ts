import { limits } from "../registry/limits.ts";
import { blobSliceUrl, SLICE_CACHE } from "./layout.ts";
import { type ByteRange, type Slice, streamSlices } from "./slices.ts";

/** A public object, and what reading it takes. */
export interface PublicObject {
  bucket: R2Bucket;
  objectKey: string;
  sizeBytes: number;
  /** Work that must not hold up the answer. */
  later: (work: Promise<unknown>) => void;
}

/**
 * Streams a range of a public object through the Cache API, in aligned slices. What a slice holds never
 * changes, because a key is written once. Requests that want a slice which another request of this isolate
 * is fetching wait for that one: the clients ask for three ranges of 5 MiB at a time, and two of them
 * share a slice.
 */
export async function streamPublicObject(object: PublicObject, range: ByteRange): Promise<ReadableStream | null> {
  const request = { ...object, caching: 0 };
  return await streamSlices(alignedSlices(range), (part) => readPart(request, part));
}

/** One request's reading. */
interface Reading extends PublicObject {
  /** How many slices it is bringing into the cache; each is held as a whole until it is there. */
  caching: number;
}

/** A range cut where slices of the object end. */
function alignedSlices({ offset, length }: ByteRange): ByteRange[] {
  const size = limits.serveSliceBytes;
  const end = offset + length;
  const parts: ByteRange[] = [];
  for (let at = offset; at < end; ) {
    const partEnd = Math.min((Math.floor(at / size) + 1) * size, end);
    parts.push({ offset: at, length: partEnd - at });
    at = partEnd;
  }
  return parts;
}

/** How a slice came into reach: it is in the cache, or here are its bytes. Null when the object is gone. */
type Fetched = "cached" | Uint8Array | null;

interface Flight {
  fetched: Promise<Fetched>;
  /** When it began, in milliseconds. */
  since: number;
}

/** Slices that are being fetched in this isolate, and held until they are in the cache. */
const flights = new Map<string, Flight>();

/** Whether the isolate may hold one more. */
function hasRoom(): boolean {
  const oldest = Date.now() - limits.flightSeconds * 1000;
  for (const [url, { since }] of flights) if (since < oldest) flights.delete(url);
  return flights.size < limits.isolateSlices;
}

/** A part of one slice. */
async function readPart(object: Reading, part: ByteRange): Promise<Slice> {
  const index = Math.floor(part.offset / limits.serveSliceBytes);
  const sliceOffset = index * limits.serveSliceBytes;
  const within = { offset: part.offset - sliceOffset, length: part.length };
  const url = blobSliceUrl(object.objectKey, index);
  if (!flights.has(url)) {
    const hit = await matchRange(url, within);
    if (hit !== null) return hit;
  }
  const mayFetch = flights.has(url) || (object.caching < limits.cachingSlices && hasRoom());
  if (!mayFetch) return await readPast(object, part);
  const fetched = await fetchOnce(object, url, {
    offset: sliceOffset,
    length: Math.min(limits.serveSliceBytes, object.sizeBytes - sliceOffset),
  });
  if (fetched === null) return null;
  if (fetched !== "cached") return fetched.subarray(within.offset, within.offset + within.length);
  const hit = await matchRange(url, within);
  if (hit !== null) return hit;
  // Evicted between two looks, or the one who fetched it went away: not worth a second round.
  return await readPast(object, part);
}

/** Past the cache. */
async function readPast({ bucket, objectKey }: PublicObject, part: ByteRange): Promise<Slice> {
  const read = await bucket.get(objectKey, { range: part });
  return read?.body ?? null;
}

async function fetchOnce(object: Reading, url: string, slice: ByteRange): Promise<Fetched> {
  const known = flights.get(url);
  if (known !== undefined) return await waitFor(known.fetched, url);
  const flight = fetchSlice(object, url, slice);
  flights.set(url, { fetched: flight, since: Date.now() });
  // Others may be waiting for it when this request is cut off.
  object.caching++;
  const landed = land(url, flight).finally(() => {
    object.caching--;
  });
  object.later(landed);
  return await flight;
}

/** Keeps what was fetched; until it is kept, others find it in the flight. */
async function land(url: string, flight: Promise<Fetched>): Promise<void> {
  try {
    const fetched = await flight;
    if (fetched instanceof Uint8Array) await putSlice(url, fetched);
  } finally {
    flights.delete(url);
  }
}

async function fetchSlice(object: PublicObject, url: string, slice: ByteRange): Promise<Fetched> {
  // Another flight may have landed since this request looked.
  const hit = await matchRange(url, { offset: 0, length: 1 });
  if (hit !== null) {
    await hit.cancel();
    return "cached";
  }
  const read = await object.bucket.get(object.objectKey, { range: slice });
  if (read === null) return null;
  const bytes = new Uint8Array(await read.arrayBuffer());
  // Kept, it would be short for as long as it is cached.
  if (bytes.length !== slice.length) return "cached";
  return bytes;
}

/** Another request's fetch. Should that request be gone, this one goes its own way after a while. */
async function waitFor(flight: Promise<Fetched>, url: string): Promise<Fetched> {
  const patience = new AbortController();
  const tooLong = scheduler.wait(limits.sharedSliceSeconds * 1000, { signal: patience.signal }).then(
    (): Fetched => {
      flights.delete(url);
      return "cached";
    },
    (): Fetched => "cached",
  );
  try {
    return await Promise.race([flight.catch((): Fetched => "cached"), tooLong]);
  } finally {
    patience.abort();
  }
}

/** Null when it is not there; a cache that fails has nothing either. */
async function matchRange(url: string, { offset, length }: ByteRange): Promise<ReadableStream | null> {
  try {
    const cache = await caches.open(SLICE_CACHE);
    const headers = { Range: `bytes=${offset}-${offset + length - 1}` };
    const response = await cache.match(new Request(url, { headers }));
    if (response?.status === 206) return response.body;
    await response?.body?.cancel();
  } catch {
    // The bucket has it.
  }
  return null;
}

async function putSlice(url: string, bytes: Uint8Array): Promise<void> {
  const cache = await caches.open(SLICE_CACHE);
  const headers = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Length": String(bytes.length),
    "Content-Type": "application/octet-stream",
  };
  await cache.put(url, new Response(bytes, { headers }));
}
