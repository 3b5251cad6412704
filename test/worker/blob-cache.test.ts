import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import { blobSliceUrl, SLICE_CACHE } from "../../worker/storage/layout.ts";
import { makeSif } from "../support/make-sif.ts";
import { type Call, watched } from "../support/worker/calls.ts";
import { ask, environment, newPerson, push, uniqueName } from "../support/worker/registry.ts";

const slice = limits.serveSliceBytes;
const sizeBytes = 2 * slice + 1_000_000;
/** What the clients ask for, three at a time. */
const clientRange = 5 * 1024 * 1024;

/** A published image whose every byte tells where it is, the URL a pull gets, and its key in R2. */
async function published(options: { private?: boolean } = {}) {
  const person = await newPerson("cached");
  const name = uniqueName("cache");
  const path = `${person.username}/${name}/app`;
  const bytes = makeSif({ salt: path, sizeBytes });
  for (let at = 40_000; at < bytes.length; at += 4) bytes[at] = (at >> 3) & 0xff;
  const { digest } = await push(person.token, `${path}:v1`, bytes, options);
  const key = await env.DB.prepare("SELECT object_key AS k FROM blobs WHERE digest = ?")
    .bind(digest)
    .first<string>("k");
  const newUrl = async (token: string | null, settings: Record<string, string> = {}) => {
    const redirect = await ask(`/v1/imagefile/${path}:v1?arch=amd64`, { token, env: environment(settings) });
    return redirect.headers.get("Location") ?? "";
  };
  return { bytes, key: key ?? "", person, collection: `${person.username}/${name}`, newUrl };
}

/** An environment that notes the reads of the bucket. */
function reading(): { of: ReturnType<typeof environment>; reads: Call[] } {
  const reads: Call[] = [];
  const before = async (call: Call) => {
    if (call.kind === "r2") reads.push(call);
  };
  return { of: watched(environment(), { before }), reads };
}

async function cachedSlices(key: string): Promise<number[]> {
  const cache = await caches.open(SLICE_CACHE);
  const indexes: number[] = [];
  for (let index = 0; index * slice < sizeBytes; index++) {
    const hit = await cache.match(blobSliceUrl(key, index));
    await hit?.body?.cancel();
    if (hit !== undefined) indexes.push(index);
  }
  return indexes;
}

async function readRange(url: string, start: number, length: number, of = environment()): Promise<Uint8Array> {
  const end = Math.min(start + length, sizeBytes) - 1;
  const response = await ask(url, { headers: { Range: `bytes=${start}-${end}` }, env: of });
  expect(response.status).toBe(206);
  return new Uint8Array(await response.arrayBuffer());
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a public image", () => {
  it("is read from the bucket once, whatever ranges are asked for at the same time", async () => {
    const { bytes, newUrl } = await published();
    const url = await newUrl(null);
    const { of, reads } = reading();
    const starts = Array.from({ length: Math.ceil(sizeBytes / clientRange) }, (_, index) => index * clientRange);
    const cold = await Promise.all(starts.map((start) => readRange(url, start, clientRange, of)));
    expect(Buffer.compare(Buffer.concat(cold), bytes)).toBe(0);
    expect(reads).toHaveLength(3);
    const warm = await Promise.all(starts.map((start) => readRange(url, start, clientRange, of)));
    expect(Buffer.compare(Buffer.concat(warm), bytes)).toBe(0);
    const whole = await ask(url, { env: of });
    expect(Buffer.compare(new Uint8Array(await whole.arrayBuffer()), bytes)).toBe(0);
    expect(reads).toHaveLength(3);
  });

  it("leaves its slices in the cache, marked as never to change, under keys that no request can name", async () => {
    const { key, newUrl } = await published();
    const url = await newUrl(null);
    await readRange(url, slice + 5, 10);
    expect(await cachedSlices(key)).toEqual([1]);
    const cache = await caches.open(SLICE_CACHE);
    const hit = await cache.match(blobSliceUrl(key, 1));
    expect(hit?.headers.get("Cache-Control")).toContain("immutable");
    await hit?.body?.cancel();
    const { hostname } = new URL(blobSliceUrl(key, 1));
    expect(hostname.endsWith(".invalid")).toBe(true);
    expect(await caches.default.match(url)).toBeUndefined();
  });

  it("is not kept where that is switched off", async () => {
    const { key, newUrl, bytes } = await published();
    const url = await newUrl(null);
    const read = await readRange(url, 0, 100, environment({ BLOB_CACHE: "false" }));
    expect(read).toEqual(bytes.slice(0, 100));
    expect(await cachedSlices(key)).toEqual([]);
  });

  it("is served all the same when its cached slices are gone", async () => {
    const { key, newUrl, bytes } = await published();
    const url = await newUrl(null);
    await readRange(url, 0, 10);
    await (await caches.open(SLICE_CACHE)).delete(blobSliceUrl(key, 0));
    expect(await readRange(url, 0, 10)).toEqual(bytes.slice(0, 10));
  });
});

describe("a cache that does not work", () => {
  it.each(["open", "match", "put"] as const)("does not break a download: %s fails", async (broken) => {
    const { newUrl, bytes } = await published();
    const url = await newUrl(null);
    const cache = await caches.open(SLICE_CACHE);
    const fail = async () => {
      throw new Error("the cache is down");
    };
    const failing = { match: cache.match.bind(cache), put: cache.put.bind(cache), [broken]: fail };
    vi.spyOn(caches, "open").mockImplementation(async () =>
      broken === "open" ? await fail() : (failing as unknown as Cache),
    );
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    expect(await readRange(url, slice - 5, 10)).toEqual(bytes.slice(slice - 5, slice + 5));
    expect(await readRange(url, 0, 10)).toEqual(bytes.slice(0, 10));
  });

  it("is not given a slice that came short", async () => {
    const { newUrl, key, bytes } = await published();
    const url = await newUrl(null);
    const of = environment();
    const get = async (...args: Parameters<R2Bucket["get"]>) => {
      const object = (await of.BLOBS.get(...args)) as R2ObjectBody;
      return { body: object.body, arrayBuffer: async () => (await object.arrayBuffer()).slice(0, 1000) };
    };
    const short = { ...of, BLOBS: { get } as unknown as R2Bucket };
    expect(await readRange(url, 2000, 10, short)).toEqual(bytes.slice(2000, 2010));
    expect(await cachedSlices(key)).toEqual([]);
  });
});

describe("bytes of a private image never enter the cache", () => {
  it("when the collection is private", async () => {
    const { key, newUrl, person, bytes } = await published({ private: true });
    const url = await newUrl(person.token);
    expect(Buffer.compare(await readRange(url, 0, sizeBytes), bytes)).toBe(0);
    expect(await cachedSlices(key)).toEqual([]);
  });

  it.each([{ PRIVATE_ONLY: "true" }, { API_REQUIRE_AUTH: "true" }])(
    "when %o hides it from the public",
    async (settings) => {
      const { key, newUrl, person } = await published();
      await readRange(await newUrl(person.token, settings), 0, sizeBytes);
      expect(await cachedSlices(key)).toEqual([]);
    },
  );

  it("from the next URL on when it becomes private; what was signed before ends with its time", async () => {
    const { key, newUrl, person, collection, bytes } = await published();
    const before = await newUrl(null);
    await readRange(before, 0, 10);
    const headers = { Authorization: `Bearer ${env.ADMIN_SECRET}` };
    const body = { verb: "set-visibility", args: { collection, visibility: "private" } };
    expect((await ask("/admin/rpc", { method: "POST", headers, body })).status).toBe(200);
    expect(await newUrl(null)).toBe("");
    expect(await readRange(before, 0, 10)).toEqual(bytes.slice(0, 10));
    await readRange(await newUrl(person.token), slice, 10);
    expect(await cachedSlices(key)).toEqual([0]);
  });
});
