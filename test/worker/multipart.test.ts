import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import { planParts } from "../../worker/registry/push/multipart.ts";
import { signCapability } from "../../worker/storage/capabilities.ts";
import { makeSif } from "../support/make-sif.ts";
import { MultipartClient, messageOf, multipartClient, PART_BYTES, smallParts } from "../support/worker/multipart.ts";
import {
  ask,
  environment,
  newPerson,
  newTokenFor,
  type Person,
  pull,
  storedKeys,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";

const sizeBytes = 2 * PART_BYTES + 12_345;

/** Somebody about to push an image of three parts. */
async function pusher(): Promise<{ person: Person; path: string; client: MultipartClient }> {
  const person = await newPerson("many");
  const path = `${person.username}/${uniqueName("parts")}/app`;
  const bytes = makeSif({ salt: path, sizeBytes });
  return { person, path, client: await multipartClient(person.token, path, bytes) };
}

describe("the parts of a file", () => {
  const mebibyte = 1024 ** 2;
  it("are 64 MiB, larger only when there would be more than R2 takes", () => {
    const plan = (size: number) => planParts(size, 64 * mebibyte);
    expect(plan(1)).toEqual({ partBytes: 64 * mebibyte, parts: 1 });
    expect(plan(64 * mebibyte + 1)).toEqual({ partBytes: 64 * mebibyte, parts: 2 });
    expect(plan(50 * 1024 * mebibyte)).toEqual({ partBytes: 64 * mebibyte, parts: 800 });
    expect(plan(10_000 * 64 * mebibyte)).toEqual({ partBytes: 64 * mebibyte, parts: 10_000 });
    const larger = plan(10_000 * 64 * mebibyte + 1);
    expect(larger.partBytes).toBe(128 * mebibyte);
    expect(larger.parts).toBe(5001);
    expect(plan(5_000_000_000_000).parts).toBeLessThanOrEqual(limits.parts);
  });
});

describe("a push in parts", () => {
  it("is published when every part is there, and pulled back as it was", async () => {
    const { client, path } = await pusher();
    const started = await client.start();
    expect(started).toMatchObject({ totalParts: 3, partSize: PART_BYTES, options: { s3compliant: "false" } });
    const parts = await client.putAll(started);
    expect(parts.every(({ token }) => /^"[^"]+"$/.test(token))).toBe(true);
    const done = await client.complete(started.uploadID, parts);
    expect(done.status).toBe(200);
    const quota = { quotaTotal: 0, quotaUsage: client.bytes.length };
    expect(await done.json()).toEqual({ data: { quota, containerUrl: `/${path}` } });
    expect((await client.setTag("v1")).status).toBe(200);
    expect(await pull(`${path}:v1`)).toEqual(client.bytes);
  });

  it("takes its parts in any order, twice, and completes from a list in any order", async () => {
    const { client, path } = await pusher();
    const { uploadID } = await client.start();
    const last = await client.put(uploadID, 3);
    await client.put(uploadID, 1);
    const [first, second] = [await client.put(uploadID, 1), await client.put(uploadID, 2)];
    expect((await client.complete(uploadID, [last, second, first])).status).toBe(200);
    expect(await pull(`${path}:${client.image.digest}`)).toEqual(client.bytes);
  });

  it("is fine to complete twice, and two at once", async () => {
    const { client } = await pusher();
    const started = await client.start();
    const parts = await client.putAll(started);
    const both = await Promise.all([
      client.complete(started.uploadID, parts),
      client.complete(started.uploadID, parts),
    ]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect((await client.complete(started.uploadID, parts)).status).toBe(200);
  });

  it("goes on when the answer that completed its parts was lost", async () => {
    const { client, path } = await pusher();
    const started = await client.start();
    const parts = await client.putAll(started);
    const row = await env.DB.prepare("SELECT object_key, multipart_id FROM uploads WHERE image_id = ?")
      .bind(client.image.imageId)
      .first<{ object_key: string; multipart_id: string }>();
    const unquoted = parts.map(({ partNumber, token }) => ({ partNumber, etag: token.replaceAll('"', "") }));
    await env.BLOBS.resumeMultipartUpload(row?.object_key ?? "", row?.multipart_id ?? "").complete(unquoted);
    expect((await client.complete(started.uploadID, parts)).status).toBe(200);
    expect(await pull(`${path}:${client.image.digest}`)).toEqual(client.bytes);
  });

  it("refuses a list with missing, repeated, additional or wrong parts, and loses nothing by it", async () => {
    const { client } = await pusher();
    const started = await client.start();
    const parts = await client.putAll(started);
    const [first, second, third] = parts;
    if (first === undefined || second === undefined || third === undefined) throw new Error("three parts");
    const wrong: [string, typeof parts, RegExp][] = [
      ["none", [], /Part 1 is missing/],
      ["a missing one", [first, third], /Part 2 is missing/],
      ["a repeated one", [first, second, second], /more than once/],
      ["one too many", [...parts, { partNumber: 4, token: '"x"' }], /only 3 parts/],
      ["another ETag", [first, { partNumber: 2, token: third.token }, third], /arrived as it was announced/],
      ["no ETag", [first, { partNumber: 2, token: "" }, third], /arrived as it was announced/],
    ];
    for (const [what, list, message] of wrong) {
      const response = await client.complete(started.uploadID, list);
      expect(response.status, what).toBe(400);
      expect(await messageOf(response), what).toMatch(message);
    }
    expect((await client.complete(started.uploadID, parts)).status).toBe(200);
  });

  it("cannot be completed before every part has come", async () => {
    const { client } = await pusher();
    const started = await client.start();
    const first = await client.put(started.uploadID, 1);
    const claimed = [first, { ...first, partNumber: 2 }, { ...first, partNumber: 3 }];
    expect((await client.complete(started.uploadID, claimed)).status).toBe(400);
    await client.put(started.uploadID, 2);
    await client.put(started.uploadID, 3);
  });

  it("has no parts but its own", async () => {
    const { client } = await pusher();
    const { uploadID } = await client.start();
    for (const partNumber of [0, -1, 1.5, 10_001, "1", null]) {
      expect((await client.ask("_multipart", { uploadID, partNumber })).status, String(partNumber)).toBe(400);
    }
    const fourth = await client.ask("_multipart", { uploadID, partNumber: 4 });
    expect(fourth.status).toBe(400);
    expect(await messageOf(fourth)).toContain("3 parts");
  });

  it("takes a part of exactly its size, of known length, and only while its URL lives", async () => {
    const { client } = await pusher();
    const { uploadID } = await client.start();
    const url = await client.sign(uploadID, 3);
    const bytes = client.part(3);
    const put = async (body: Uint8Array<ArrayBuffer>) => (await ask(url, { method: "PUT", body })).status;
    expect(await put(bytes.slice(1))).toBe(400);
    expect(await put(new Uint8Array([...bytes, 0]))).toBe(400);
    expect(await put(new Uint8Array())).toBe(400);
    const unknown = new Response(bytes).body?.pipeThrough(new TransformStream()) ?? null;
    expect((await ask(url, { method: "PUT", body: unknown })).status).toBe(411);
    expect((await ask(`${url}x`, { method: "PUT", body: bytes })).status).toBe(403);
    expect((await ask(url.replace("/part?", "/upload?"), { method: "PUT", body: bytes })).status).toBe(403);
    expect((await ask(url)).status).toBe(403);
    const ctx = testContext();
    const said = { objectKey: "objects/late", multipartId: "x", partNumber: 1, sizeBytes: bytes.length };
    const late = await signCapability(ctx.settings, "part", said, { since: 0, expiresAt: ctx.now() - 1000 });
    expect((await ask(`/blobs/part?t=${late}`, { method: "PUT", body: bytes })).status).toBe(410);
    expect(await put(bytes)).toBe(200);
  });

  it("takes no part after it was completed", async () => {
    const { client, path } = await pusher();
    const started = await client.start();
    const url = await client.sign(started.uploadID, 2);
    expect((await client.complete(started.uploadID, await client.putAll(started))).status).toBe(200);
    const other = new Uint8Array(PART_BYTES).fill(9);
    const late = await ask(url, { method: "PUT", body: other });
    expect([late.status, await late.text()]).toEqual([410, ""]);
    expect(await pull(`${path}:${client.image.digest}`)).toEqual(client.bytes);
  });

  it("can be aborted, twice, and is then over", async () => {
    const { client, path } = await pusher();
    const started = await client.start();
    const parts = await client.putAll(started);
    const abort = async () => (await client.ask("_multipart_abort", { uploadID: started.uploadID })).status;
    expect([await abort(), await abort()]).toEqual([200, 200]);
    const response = await client.complete(started.uploadID, parts);
    expect(response.status).toBe(410);
    expect(await messageOf(response)).toContain("Push again");
    expect(await pull(`${path}:${client.image.digest}`, client.token)).toBe(404);
    expect((await client.pushAll()).status).toBe(200);
  });

  it("stays published when somebody aborts it afterwards", async () => {
    const { client, path } = await pusher();
    const started = await client.start();
    await client.complete(started.uploadID, await client.putAll(started));
    expect((await client.ask("_multipart_abort", { uploadID: started.uploadID })).status).toBe(200);
    expect(await pull(`${path}:${client.image.digest}`)).toEqual(client.bytes);
  });

  it("leaves no object while it is on its way", async () => {
    const before = await storedKeys();
    const { client } = await pusher();
    await client.putAll(await client.start());
    expect(await storedKeys()).toEqual(before);
  });
});

describe("starting a push in parts", () => {
  const start = async (client: MultipartClient, body: Record<string, unknown>, settings: Record<string, string> = {}) =>
    await client.ask("_multipart", body, { method: "POST", env: environment({ ...smallParts, ...settings }) });

  it("refuses an image larger than the registry takes, and says how large one may be", async () => {
    const { client } = await pusher();
    const refused = await start(client, { filesize: 50 * 1024 ** 3 + 1 });
    expect(refused.status).toBe(413);
    expect(await messageOf(refused)).toContain(String(50 * 1024 ** 3));
    expect((await start(client, { filesize: sizeBytes }, { MAX_IMAGE_BYTES: String(sizeBytes - 1) })).status).toBe(413);
    expect((await start(client, { filesize: sizeBytes }, { MAX_IMAGE_BYTES: String(sizeBytes) })).status).toBe(200);
  });

  it("refuses parts that no request could bring", async () => {
    const { client } = await pusher();
    const limited = { MAX_IMAGE_BYTES: "5000000000000", MAX_REQUEST_BYTES: String(64 * 1024 ** 2), PART_BYTES: "" };
    const refused = await start(client, { filesize: 10_000 * 64 * 1024 ** 2 + 1 }, limited);
    expect(refused.status).toBe(413);
    expect(await messageOf(refused)).toContain("S3_ENDPOINT");
  });

  it("refuses a size that is none", async () => {
    const { client } = await pusher();
    for (const filesize of [0, -1, 1.5, "5", null]) expect((await start(client, { filesize })).status).toBe(400);
  });

  it("goes on for the slower of two clients when the other is done in between", async () => {
    const { client, path } = await pusher();
    const before = await client.start();
    expect((await client.pushAll()).status).toBe(200);
    expect((await client.complete(before.uploadID, await client.putAll(before))).status).toBe(200);
    expect((await client.pushAll()).status).toBe(200);
    expect(await pull(`${path}:${client.image.digest}`)).toEqual(client.bytes);
  });
});

describe("an upload in parts is its pusher's alone", () => {
  it("and answers everyone else as if it had ended, never 404", async () => {
    const { client, person } = await pusher();
    const { uploadID } = await client.start();
    const part = await client.put(uploadID, 1);
    const stranger = await newPerson("stranger");
    const other = await pusher();
    const pullOnly = await newTokenFor(person.username, { scopes: ["pull"] });
    const elsewhere = new MultipartClient(client.token, other.client.image, client.bytes);
    const steps: [string, Record<string, unknown>][] = [
      ["_multipart", { uploadID, partNumber: 1 }],
      ["_multipart_complete", { uploadID, completedParts: [part] }],
      ["_multipart_abort", { uploadID }],
    ];
    for (const [step, body] of steps) {
      expect((await client.ask(step, body, { token: stranger.token })).status, step).toBe(410);
      expect((await elsewhere.ask(step, body)).status, step).toBe(410);
      expect((await client.ask(step, body, { token: pullOnly })).status, step).toBe(403);
      expect((await client.ask(step, body, { token: null })).status, step).toBe(401);
      expect((await client.ask(step, { ...body, uploadID: "garbage" })).status, step).toBe(410);
      expect((await client.ask(step, { ...body, uploadID: 5 })).status, step).toBe(400);
    }
    await client.put(uploadID, 2);
  });

  it("and is over when they lose the right to push", async () => {
    const owner = await newPerson("owner");
    const guest = await newPerson("guest");
    const name = uniqueName("shared");
    const bytes = makeSif({ salt: name, sizeBytes });
    const first = await multipartClient(owner.token, `${owner.username}/${name}/app`, bytes, { private: true });
    const member = async (role: string) => {
      const args = { collection: `${owner.username}/${name}`, username: guest.username, role };
      const headers = { Authorization: `Bearer ${env.ADMIN_SECRET}` };
      expect((await ask("/admin/rpc", { method: "POST", headers, body: { verb: "set-member", args } })).status).toBe(
        200,
      );
    };
    await member("contributor");
    const client = new MultipartClient(guest.token, first.image, bytes);
    const started = await client.start();
    const parts = await client.putAll(started);
    await member("none");
    expect((await client.complete(started.uploadID, parts)).status).toBe(410);
    await member("contributor");
    expect((await client.complete(started.uploadID, parts)).status).toBe(200);
  });
});

describe("with R2's S3 interface", () => {
  const s3 = {
    S3_ENDPOINT: "https://account.r2.example.org",
    S3_BUCKET: "images",
    S3_ACCESS_KEY_ID: "id",
    S3_SECRET_ACCESS_KEY: "a secret",
  };

  it("parts go to a URL of the bucket that is signed for their size and ends in an hour", async () => {
    const { client } = await pusher();
    const direct = new MultipartClient(client.token, client.image, client.bytes, environment({ ...smallParts, ...s3 }));
    const { uploadID } = await direct.start();
    const url = new URL(await direct.sign(uploadID, 2));
    expect(url.origin).toBe("https://account.r2.example.org");
    expect(url.pathname).toMatch(/^\/images\/objects\/[0-9a-f-]{36}$/);
    const query = Object.fromEntries(url.searchParams);
    expect(query).toMatchObject({ partNumber: "2", "X-Amz-SignedHeaders": "content-length;host" });
    expect(Number(query["X-Amz-Expires"])).toBe(limits.uploadSeconds);
    expect(url.href).not.toContain("a secret");
  });

  it("pulls go there too when they are to, and nothing else changes", async () => {
    const { client, path } = await pusher();
    await client.pushAll();
    const location = async (settings: Record<string, string>) => {
      const answer = await ask(`/v1/imagefile/${path}:${client.image.digest}?arch=amd64`, {
        env: environment(settings),
      });
      expect(answer.status).toBe(303);
      return new URL(answer.headers.get("Location") ?? "");
    };
    expect((await location(s3)).pathname).toMatch(/^\/blobs\//);
    const url = await location({ ...s3, DIRECT_DOWNLOADS: "1" });
    expect(url.origin).toBe("https://account.r2.example.org");
    expect(Number(url.searchParams.get("X-Amz-Expires"))).toBe(limits.downloadMinSeconds);
    expect(url.searchParams.get("response-content-disposition")).toMatch(/filename="app_sha256\.[0-9a-f]+\.sif"/);
    // Not everybody reads a plus as a space.
    expect(url.search).not.toContain("+");
  });
});
