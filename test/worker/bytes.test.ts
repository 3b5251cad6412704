import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import { runUpkeep } from "../../worker/registry/upkeep/run-upkeep.ts";
import { openCapability, signCapability } from "../../worker/storage/capabilities.ts";
import { makeSif, type SifOptions } from "../support/make-sif.ts";
import { observed } from "../support/worker/calls.ts";
import {
  ask,
  digestOf,
  environment,
  newPerson,
  type Person,
  pull,
  push,
  register,
  startUpload,
  storedKeys,
  testContext,
} from "../support/worker/registry.ts";

/** A registered image, its bytes and where they go; and how many objects the bucket held before. */
async function readyToUpload(options: SifOptions & { bytes?: Uint8Array<ArrayBuffer> } = {}) {
  const person = await newPerson("up");
  const bytes = options.bytes ?? makeSif({ salt: person.username, ...options });
  const path = `${person.username}/c/app`;
  const image = await register(person.token, path, bytes);
  const url = await startUpload(person.token, image, bytes);
  return { person, bytes, path, image, url, before: await storedKeys() };
}

async function complete(person: Person, imageId: string): Promise<Response> {
  return await ask(`/v2/imagefile/${imageId}/_complete`, { method: "PUT", token: person.token, body: {} });
}

async function upkeepTomorrow(): Promise<void> {
  await runUpkeep({ ...testContext(), now: () => Date.now() + 24 * 3_600_000 });
}

describe("an upload URL", () => {
  it("takes exactly the announced bytes, once", async () => {
    const { bytes, url, person, image, path } = await readyToUpload();
    expect((await ask(url, { method: "PUT", body: bytes })).status).toBe(200);
    expect((await ask(url, { method: "PUT", body: bytes })).status).toBe(409);
    expect((await complete(person, image.imageId)).status).toBe(200);
    expect((await ask(url, { method: "PUT", body: bytes })).status).toBe(409);
    expect(await pull(`${path}:${image.digest}`)).toEqual(bytes);
  });

  it("takes one of two PUTs that come at once", async () => {
    const { bytes, url, before } = await readyToUpload();
    const two = await Promise.all([1, 2].map(() => ask(url, { method: "PUT", body: bytes })));
    expect(two.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await storedKeys()).toHaveLength(before.length + 1);
  });

  it("refuses a wrong size, and leaves nothing behind", async () => {
    const { bytes, url, before } = await readyToUpload();
    for (const body of [bytes.slice(0, -1), new Uint8Array([...bytes, 0]), new Uint8Array()]) {
      expect((await ask(url, { method: "PUT", body })).status).toBe(400);
    }
    expect(await storedKeys()).toEqual(before);
  });

  it("refuses bytes with another SHA-256, and leaves nothing behind", async () => {
    const { bytes, url, before, person, image } = await readyToUpload();
    const wrong = bytes.slice();
    wrong[bytes.length - 1] = 1;
    const response = await ask(url, { method: "PUT", body: wrong });
    expect(response.status).toBe(400);
    expect(response.headers.get("Sregistry-Error")).toMatch(/SHA-256/);
    expect(await storedKeys()).toEqual(before);
    expect((await complete(person, image.imageId)).status).toBe(409);
    expect((await ask(url, { method: "PUT", body: bytes })).status).toBe(200);
  });

  it("refuses a body of unknown length", async () => {
    const { bytes, url, before } = await readyToUpload();
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes);
        controller.close();
      },
    });
    expect((await ask(url, { method: "PUT", body })).status).toBe(411);
    expect(await storedKeys()).toEqual(before);
  });

  it("ends with its time", async () => {
    const bytes = makeSif({ salt: "late" });
    const ctx = testContext();
    const said = { objectKey: "objects/late", sizeBytes: bytes.length, digest: await digestOf(bytes) };
    const lifetime = { expiresAt: ctx.now() - 1000, since: ctx.now() };
    const token = await signCapability(ctx.settings, "upload", said, lifetime);
    expect((await ask(`/blobs/upload?t=${token}`, { method: "PUT", body: bytes })).status).toBe(410);
    expect(await env.BLOBS.head("objects/late")).toBeNull();
  });

  it("cannot be forged, changed, or used for a download", async () => {
    const { bytes, url, before } = await readyToUpload();
    const token = new URL(url).searchParams.get("t") ?? "";
    const [head = "", , iv = "", body = "", signature = ""] = token.split(".");
    const other = `${body[0] === "A" ? "B" : "A"}${body.slice(1)}`;
    const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
    const changed = [`${head}..${iv}.${other}.${signature}`, `${head}..${iv}.${body}.`, `${none}.${body}.`];
    for (const forged of ["", "x", ...changed]) {
      const put = await ask(`/blobs/upload?t=${forged}`, { method: "PUT", body: bytes });
      expect(put.status, forged).toBe(403);
    }
    expect((await ask(`/blobs/app.sif?t=${token}`)).status).toBe(403);
    expect(await storedKeys()).toEqual(before);
  });
});

describe("starting an upload", () => {
  it("refuses more than a single PUT may bring, saying how much that is", async () => {
    const { person, image } = await readyToUpload();
    const body = { filesize: limits.singleUploadBytes + 1, sha256sum: "" };
    const response = await ask(`/v2/imagefile/${image.imageId}`, { method: "POST", token: person.token, body });
    expect(response.status).toBe(413);
    expect(await response.text()).toContain(String(limits.singleUploadBytes));
  });

  it("refuses a claim that is not the image's own", async () => {
    const { person, image } = await readyToUpload();
    const body = { filesize: 5, sha256sum: "0".repeat(64) };
    const response = await ask(`/v2/imagefile/${image.imageId}`, { method: "POST", token: person.token, body });
    expect(response.status).toBe(400);
  });

  it("takes a raw v1 upload only up to what one request may bring", async () => {
    const { person, image, bytes } = await readyToUpload();
    const limited = { ...env, MAX_REQUEST_BYTES: String(bytes.length - 1) };
    const sent = { method: "POST", token: person.token, body: bytes };
    const refused = await ask(`/v1/imagefile/${image.imageId}`, { ...sent, env: limited });
    expect(refused.status).toBe(413);
    expect(await refused.text()).toContain("apptainer push library://");
    expect((await ask(`/v1/imagefile/${image.imageId}`, sent)).status).toBe(200);
  });
});

describe("completing an upload", () => {
  const cases: [string, SifOptions & { bytes?: Uint8Array<ArrayBuffer> }, RegExp][] = [
    ["a file that is no SIF", { bytes: new Uint8Array(Buffer.from("hello, not an image")) }, /not a SIF image/],
    ["a file that is long and no SIF", { bytes: new Uint8Array(50_000).fill(7) }, /not a SIF image/],
    ["an OCI-SIF", { isOciSif: true }, /OCI-SIF/],
    ["an image without architecture", { archCode: "00" }, /architecture/],
    ["an unknown architecture", { archCode: "99" }, /architecture/],
    ["an image without primary partition", { hasPrimaryPartition: false }, /partition/],
    [
      "a descriptor table beyond the end",
      { bytes: makeSif({ tableOffset: 50_000, sizeBytes: 80_000 }).slice(0, 60_000) },
      /outside the file/,
    ],
    ["objects beyond the end", { bytes: makeSif({ salt: "cut" }).slice(0, 37_000) }, /cut short/],
  ];
  it.each(cases)("refuses %s clearly, and frees its bytes", async (_, options, message) => {
    const { person, bytes, url, image, before, path } = await readyToUpload(options);
    expect((await ask(url, { method: "PUT", body: bytes })).status).toBe(200);
    const response = await complete(person, image.imageId);
    expect(response.status).toBe(422);
    const { error } = (await response.json()) as { error: { code: number; message: string } };
    expect(error).toMatchObject({ code: 422, message: expect.stringMatching(message) });
    expect(await storedKeys()).toEqual(before);
    expect(await pull(`${path}:${image.digest}`, person.token)).toBe(404);
  });

  it("reads a descriptor table that lies behind the first read", async () => {
    const { person, bytes, url, image } = await readyToUpload({ tableOffset: 40_000, sizeBytes: 90_000 });
    await ask(url, { method: "PUT", body: bytes });
    expect((await complete(person, image.imageId)).status).toBe(200);
  });

  it("is fine twice, and says what is missing before the bytes came", async () => {
    const { person, bytes, url, image } = await readyToUpload();
    const early = await complete(person, image.imageId);
    expect(early.status).toBe(409);
    expect(await early.text()).toContain("have not arrived");
    await ask(url, { method: "PUT", body: bytes });
    expect((await complete(person, image.imageId)).status).toBe(200);
    expect((await complete(person, image.imageId)).status).toBe(200);
  });

  it("finds the bytes of an earlier try of the same push", async () => {
    const { person, bytes, url, image } = await readyToUpload();
    await ask(url, { method: "PUT", body: bytes });
    await startUpload(person.token, image, bytes);
    expect((await complete(person, image.imageId)).status).toBe(200);
  });

  it("drops the tags that waited for a file that is refused", async () => {
    const { person, bytes, url, image, path } = await readyToUpload({ isOciSif: true });
    const body = { Arch: "amd64", Tag: "v1", ImageID: image.imageId };
    await ask(`/v2/tags/${image.containerId}`, { method: "POST", token: person.token, body });
    await ask(url, { method: "PUT", body: bytes });
    await complete(person, image.imageId);
    expect(
      await env.DB.prepare("SELECT count(*) AS n FROM wanted_tags WHERE image_id = ?").bind(image.imageId).first("n"),
    ).toBe(0);
    expect(await pull(`${path}:v1`, person.token)).toBe(404);
  });

  it("keeps one object for a digest that two people pushed", async () => {
    const [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
    const bytes = makeSif({ salt: "two people" });
    await push(alice.token, `${alice.username}/p/app:v1`, bytes, { private: true });
    await upkeepTomorrow();
    const before = await storedKeys();
    await push(bob.token, `${bob.username}/p/app:v1`, bytes, { private: true });
    await upkeepTomorrow();
    expect(await storedKeys()).toEqual(before);
    expect(await pull(`${bob.username}/p/app:v1`, bob.token)).toEqual(bytes);
  });
});

describe("downloading", () => {
  const sizeBytes = 2 * limits.serveSliceBytes + 12_345;

  async function published(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    const alice = await newPerson("alice");
    await push(alice.token, `${alice.username}/d/app:v1`, bytes);
    const redirect = await ask(`/v1/imagefile/${alice.username}/d/app:v1?arch=amd64`);
    return redirect.headers.get("Location") ?? "";
  }

  it("serves the whole, and any one range across slices, exactly", async () => {
    const bytes = makeSif({ salt: "ranges", sizeBytes });
    for (let at = 40_000; at < bytes.length; at += 1) bytes[at] = (at * 31 + (at >> 8)) & 0xff;
    const url = await published(bytes);
    const whole = await ask(url);
    expect(whole.status).toBe(200);
    expect(Buffer.compare(new Uint8Array(await whole.arrayBuffer()), bytes)).toBe(0);
    const slice = limits.serveSliceBytes;
    const ranges: [string, number, number][] = [
      ["bytes=0-0", 0, 1],
      [`bytes=${slice - 10}-${slice + 9}`, slice - 10, slice + 10],
      [`bytes=5-${2 * slice + 5}`, 5, 2 * slice + 6],
      ["bytes=100-", 100, sizeBytes],
      ["bytes=-7", sizeBytes - 7, sizeBytes],
      [`bytes=${sizeBytes - 1}-999999999999`, sizeBytes - 1, sizeBytes],
      [`bytes=-${sizeBytes + 5}`, 0, sizeBytes],
    ];
    for (const [range, start, end] of ranges) {
      const part = await ask(url, { headers: { Range: range } });
      expect(part.status, range).toBe(206);
      expect(part.headers.get("Content-Range"), range).toBe(`bytes ${start}-${end - 1}/${sizeBytes}`);
      expect(part.headers.get("Content-Length"), range).toBe(String(end - start));
      expect(Buffer.compare(new Uint8Array(await part.arrayBuffer()), bytes.subarray(start, end)), range).toBe(0);
    }
  });

  it("reads R2 in slices, one ahead of what the client has taken", async () => {
    const bytes = makeSif({ salt: "slices", sizeBytes: 4 * limits.serveSliceBytes });
    const url = await published(bytes);
    const lengths: number[] = [];
    const watched = observed(environment({ BLOB_CACHE: "false" }), ({ kind, args }) => {
      if (kind === "r2") lengths.push((args[1] as { range: { length: number } }).range.length);
    });
    const reader = (await ask(url, { env: watched })).body?.getReader();
    await reader?.read();
    // The one that is going out, and one more.
    expect(lengths).toEqual([limits.serveSliceBytes, limits.serveSliceBytes]);
    await reader?.cancel();
    lengths.length = 0;
    await (await ask(url, { env: watched })).arrayBuffer();
    expect(lengths).toEqual(new Array(4).fill(limits.serveSliceBytes));
  });

  it.each(["goes", "cannot be read"])(
    "is cut short, and neither ended nor left hanging, when an object %s",
    async (how) => {
      const url = await published(makeSif({ salt: how, sizeBytes }));
      let reads = 0;
      const failing = observed(environment(), async ({ kind, args }) => {
        reads += kind === "r2" ? 1 : 0;
        if (kind !== "r2" || reads < 2) return;
        if (how !== "goes") throw new Error("R2 is not there");
        await env.BLOBS.delete(String(args[0]));
      });
      const response = await ask(url, { env: failing });
      expect(response.status).toBe(200);
      await expect(response.arrayBuffer()).rejects.toThrow();
    },
  );

  it("answers 416 without a body to any other range, never the whole", async () => {
    const url = await published(makeSif({ salt: "416" }));
    for (const Range of [
      "bytes=999999-",
      "bytes=5-4",
      "bytes=-0",
      "bytes=a-b",
      "bytes=0-1,3-4",
      "lines=1-2",
      "bytes",
      "",
    ]) {
      const response = await ask(url, { headers: { Range } });
      expect(response.status, Range).toBe(416);
      expect(await response.text()).toBe("");
      expect(response.headers.get("Content-Range")).toBe("bytes */40960");
    }
  });

  it("honours If-Range, If-None-Match and HEAD", async () => {
    const url = await published(makeSif({ salt: "conditions" }));
    const head = await ask(url, { method: "HEAD" });
    expect([head.status, head.headers.get("Content-Length"), await head.text()]).toEqual([200, "40960", ""]);
    const etag = head.headers.get("ETag") ?? "";
    const date = head.headers.get("Last-Modified") ?? "";
    expect(etag).toMatch(/^"sha256:[0-9a-f]{64}"$/);
    const conditional = async (headers: Record<string, string>) => (await ask(url, { headers })).status;
    expect(await conditional({ Range: "bytes=0-1", "If-Range": etag })).toBe(206);
    expect(await conditional({ Range: "bytes=0-1", "If-Range": date })).toBe(206);
    expect(await conditional({ Range: "bytes=0-1", "If-Range": '"other"' })).toBe(200);
    expect(await conditional({ "If-None-Match": etag })).toBe(304);
    expect(await conditional({ "If-None-Match": '"other"' })).toBe(200);
    expect((await ask(url, { method: "HEAD", headers: { Range: "bytes=0-1" } })).status).toBe(206);
  });

  it("names the file, is never compressed, and tells no other site where it came from", async () => {
    const response = await ask(await published(makeSif({ salt: "headers" })), {
      headers: { "Accept-Encoding": "gzip" },
    });
    await response.arrayBuffer();
    expect(response.headers.get("Content-Disposition")).toBe('attachment; filename="app_v1.sif"');
    expect(response.headers.get("Content-Type")).toBe("application/octet-stream");
    expect(response.headers.get("Content-Encoding")).toBeNull();
    expect(response.headers.get("Cache-Control")).toContain("no-transform");
    expect(response.headers.get("Referrer-Policy")).toBe("no-referrer");
  });

  it("sends no text that a client could save as an image", async () => {
    const url = await published(makeSif({ salt: "errors" }));
    for (const wrong of [`${url}x`, url.replace("?t=", "?u="), url.replace(/t=.*/, "t=")]) {
      const response = await ask(wrong);
      expect([response.status, await response.text()]).toEqual([403, ""]);
    }
  });

  it("lives as long as the slowest download of that size", async () => {
    const url = await published(makeSif({ salt: "life" }));
    const ctx = testContext();
    const token = new URL(url).searchParams.get("t") ?? "";
    const { expiresAt } = await openCapability(ctx.settings, "download", token, ctx.now());
    expect((expiresAt - ctx.now()) / 1000).toBeGreaterThan(limits.downloadMinSeconds - 60);
  });
});
