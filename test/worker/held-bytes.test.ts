import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import { type PublicObject, streamPublicObject } from "../../worker/storage/blob-cache.ts";
import { streamObject } from "../../worker/storage/blobs.ts";
import { watched } from "../support/worker/calls.ts";
import { environment } from "../support/worker/registry.ts";

const MOST_BYTES = 32 * 1024 ** 2;
const slices = 6;
const sizeBytes = slices * limits.serveSliceBytes;
const whole = { offset: 0, length: sizeBytes };

/** The most bytes that were asked of R2 and not yet taken by a reader who waits before each of some reads. */
async function mostHeld(objectKey: string, open: (bucket: R2Bucket) => Promise<ReadableStream | null>) {
  await env.BLOBS.put(objectKey, new Uint8Array(sizeBytes));
  let askedFor = 0;
  const before = async ({ kind, name }: { kind: string; name: string }) => {
    if (kind === "r2" && name === "get") askedFor += limits.serveSliceBytes;
  };
  const stream = await open(watched(environment(), { before }).BLOBS);
  let taken = 0;
  let most = 0;
  const reader = (stream ?? expect.fail("the object is gone")).getReader({ mode: "byob" });
  for (;;) {
    await scheduler.wait(5);
    most = Math.max(most, askedFor - taken);
    const { value, done } = await reader.readAtLeast(1024 ** 2, new Uint8Array(1024 ** 2));
    taken += value?.byteLength ?? 0;
    if (done) break;
  }
  expect(taken).toBe(sizeBytes);
  expect(askedFor).toBe(sizeBytes);
  return most;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("an answer to a reader who takes their time", () => {
  it("holds two slices of a private image", async () => {
    const objectKey = "objects/held-private";
    expect(await mostHeld(objectKey, (bucket) => streamObject(bucket, objectKey, whole))).toBeLessThanOrEqual(
      MOST_BYTES,
    );
  });

  it("holds two slices of a public image, which it also puts into the cache", async () => {
    const execution = createExecutionContext();
    const later: PublicObject["later"] = (work) => execution.waitUntil(work);
    const objectKey = "objects/held-public";
    const most = await mostHeld(objectKey, (bucket) =>
      streamPublicObject({ bucket, objectKey, sizeBytes, later }, whole),
    );
    expect(most).toBeLessThanOrEqual(MOST_BYTES);
    await waitOnExecutionContext(execution);
  });
});

describe("an answer to a reader who is faster than the cache", () => {
  it("keeps no more for it than a request may hold: the rest goes past", async () => {
    const objectKey = "objects/held-fast";
    const bytes = new Uint8Array(sizeBytes).fill(1);
    await env.BLOBS.put(objectKey, bytes);
    // Nothing is let go before all of it was sent.
    const sent = Promise.withResolvers<void>();
    let held = 0;
    vi.spyOn(Cache.prototype, "put").mockImplementation(async (_, response) => {
      held += Number(response.headers.get("Content-Length"));
      await sent.promise;
    });
    const execution = createExecutionContext();
    const later: PublicObject["later"] = (work) => execution.waitUntil(work);
    const stream = await streamPublicObject({ bucket: env.BLOBS, objectKey, sizeBytes, later }, whole);
    const read = new Uint8Array(await new Response(stream).arrayBuffer());
    sent.resolve();
    await waitOnExecutionContext(execution);
    expect(Buffer.compare(read, bytes)).toBe(0);
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThanOrEqual(MOST_BYTES);
  });
});

describe("many readers of different images at once", () => {
  it("have no more slices kept for the cache than an isolate can hold, and those of lost requests are let go", async () => {
    let puts = 0;
    vi.spyOn(Cache.prototype, "put").mockImplementation(async () => {
      puts++;
      // As when the request that would have kept it was cut off.
      await new Promise(() => undefined);
    });
    const later = () => undefined;
    const readAll = async (stem: string) => {
      const keys = Array.from({ length: limits.isolateSlices + 4 }, (_, index) => `objects/${stem}-${index}`);
      for (const key of keys) await env.BLOBS.put(key, key);
      const texts = keys.map(async (objectKey) => {
        const object = { bucket: env.BLOBS, objectKey, sizeBytes: objectKey.length, later };
        return await new Response(await streamPublicObject(object, { offset: 0, length: objectKey.length })).text();
      });
      expect(await Promise.all(texts)).toEqual(keys);
    };
    await readAll("crowd");
    expect(puts).toBe(limits.isolateSlices);
    const now = Date.now();
    vi.spyOn(Date, "now").mockReturnValue(now + (limits.flightSeconds + 1) * 1000);
    await readAll("second-crowd");
    expect(puts).toBe(2 * limits.isolateSlices);
    vi.spyOn(Date, "now").mockReturnValue(now + 2 * (limits.flightSeconds + 1) * 1000);
    await readAll("third-crowd");
    expect(puts).toBe(3 * limits.isolateSlices);
  });
});
