import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import type { Env } from "../../worker/env.ts";
import { limits } from "../../worker/registry/limits.ts";
import { checkIntegrity } from "../../worker/registry/upkeep/check-integrity.ts";
import { runUpkeep } from "../../worker/registry/upkeep/run-upkeep.ts";
import { makeSif } from "../support/make-sif.ts";
import { watched } from "../support/worker/calls.ts";
import { MultipartClient, multipartClient, PART_BYTES, smallParts } from "../support/worker/multipart.ts";
import {
  ask,
  environment,
  newPerson,
  type Person,
  pull,
  push,
  register,
  startUpload,
  storedKeys,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";

/*
 * Upkeep and a push of the same bytes, one of them held before each of its calls while the other runs from
 * beginning to end. Whatever the order, the image is there afterwards.
 */

const DAY_MS = 24 * 3600 * 1000;
const dueMs = (limits.downloadMaxSeconds + limits.deleteGraceSeconds + 60) * 1000;

afterEach(() => {
  vi.useRealTimers();
});

/** An environment whose n-th call waits until something else is done. Null: it is never reached. */
function held(n: number, meanwhile: () => Promise<void>): { env: Env; wasReached: () => boolean } {
  let calls = 0;
  const before = async () => {
    calls++;
    if (calls === n) await meanwhile();
  };
  return { env: watched(environment(smallParts), { before }), wasReached: () => calls >= n };
}

async function upkeep(of: Env = environment(smallParts)): Promise<void> {
  await runUpkeep(testContext(of));
}

async function expectNothingWrong(): Promise<void> {
  const { findings } = await checkIntegrity(testContext(), operator, null);
  const harmless = ["upload-open", "blob-unreferenced", "object-discarded"];
  expect(findings.filter(({ kind }) => !harmless.includes(kind))).toEqual([]);
}

/** Bytes whose last image went so long ago that upkeep would delete them now. */
async function due(person: Person): Promise<{ path: string; bytes: Uint8Array<ArrayBuffer>; digest: string }> {
  const path = `${person.username}/${uniqueName("due")}/app`;
  const bytes = makeSif({ salt: path });
  const { digest } = await push(person.token, `${path}:v1`, bytes);
  const gone = await ask(`/v1/images/${path}:${digest}?arch=amd64`, { method: "DELETE", token: person.token });
  expect(gone.status).toBe(200);
  await makeOlder(digest, dueMs);
  return { path, bytes, digest };
}

async function makeOlder(digest: string, milliseconds: number): Promise<void> {
  const query = "UPDATE blobs SET unreferenced_at = unreferenced_at - ? WHERE digest = ?";
  await env.DB.prepare(query).bind(milliseconds, digest).run();
}

async function pushAgain(person: Person, path: string, bytes: Uint8Array<ArrayBuffer>, of?: Env): Promise<void> {
  const image = await register(person.token, path, bytes, of === undefined ? {} : { env: of });
  const client = new MultipartClient(person.token, image, bytes, of ?? environment(smallParts));
  if (!image.uploaded) expect((await client.pushAll()).status).toBe(200);
  expect((await client.setTag("v1")).status).toBe(200);
}

describe("deleting bytes that nobody refers to", () => {
  it("waits until the longest download URL of them has ended", async () => {
    const person = await newPerson("gc");
    const { digest } = await due(person);
    const rows = () => env.DB.prepare("SELECT count(*) AS n FROM blobs WHERE digest = ?").bind(digest).first("n");
    await makeOlder(digest, -120_000);
    await upkeep();
    expect(await rows()).toBe(1);
    await makeOlder(digest, 120_000);
    await upkeep();
    expect(await rows()).toBe(0);
    expect(await storedKeys()).toEqual([]);
    await expectNothingWrong();
  });

  it("keeps up with however many there are, past what one statement takes", async () => {
    const count = 2 * limits.upkeepBatch + 1;
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO blobs (digest, object_key, size_bytes, created_at, unreferenced_at)
       SELECT 'sha256.' || printf('%064d', i), 'objects/many-' || i, 1, 0, 0 FROM n`,
    )
      .bind(count)
      .run();
    await upkeep();
    const left = env.DB.prepare("SELECT count(*) AS n FROM blobs WHERE object_key LIKE 'objects/many-%'");
    expect(await left.first("n")).toBe(0);
  });

  it("takes nothing from a push that comes at any moment of it", async () => {
    const person = await newPerson("gc");
    for (let n = 1, reached = true; reached; n++) {
      const { path, bytes } = await due(person);
      const { env: slow, wasReached } = held(n, () => pushAgain(person, path, bytes));
      await upkeep(slow);
      reached = wasReached();
      if (!reached) await pushAgain(person, path, bytes);
      expect(Buffer.compare((await pull(`${path}:v1`)) as Uint8Array, bytes), `held before call ${n}`).toBe(0);
      await upkeep();
      expect(Buffer.compare((await pull(`${path}:v1`)) as Uint8Array, bytes), `held before call ${n}`).toBe(0);
      await expectNothingWrong();
      if (!reached) expect(n).toBeGreaterThan(6);
    }
  }, 60_000);

  it("takes nothing from a push that it comes into, at any moment", async () => {
    const person = await newPerson("gc");
    for (let n = 1, reached = true; reached; n++) {
      const { path, bytes } = await due(person);
      const { env: slow, wasReached } = held(n, () => upkeep());
      await pushAgain(person, path, bytes, slow);
      reached = wasReached();
      expect(Buffer.compare((await pull(`${path}:v1`)) as Uint8Array, bytes), `held before call ${n}`).toBe(0);
      await expectNothingWrong();
      if (!reached) expect(n).toBeGreaterThan(20);
    }
  }, 60_000);
});

describe("forgetting uploads", () => {
  it("frees the parts of those that are over, aborted ones first, and leaves what is published", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const person = await newPerson("forget");
    const client = async () => {
      const path = `${person.username}/${uniqueName("forget")}/app`;
      const bytes = makeSif({ salt: path, sizeBytes: PART_BYTES + 9_000 });
      return { path, client: await multipartClient(person.token, path, bytes) };
    };
    const [kept, aborted, abandoned] = [await client(), await client(), await client()];
    await kept.client.pushAll();
    const keys = await storedKeys();
    const ended = await aborted.client.start();
    await aborted.client.putAll(ended);
    await aborted.client.ask("_multipart_abort", { uploadID: ended.uploadID });
    await abandoned.client.putAll(await abandoned.client.start());
    const open = async () => {
      const query = "SELECT object_key AS k, multipart_id AS id FROM uploads WHERE state IN ('open', 'aborted')";
      return (await env.DB.prepare(query).all<{ k: string; id: string }>()).results;
    };
    const before = await open();
    expect(before).toHaveLength(2);
    const graceMs = (limits.completeGraceSeconds + limits.forgetUploadGraceSeconds) * 1000;
    vi.setSystemTime(Date.now() + graceMs + 1000);
    await upkeep();
    expect(await open()).toHaveLength(1);
    vi.setSystemTime(Date.now() + 6 * DAY_MS + graceMs);
    await upkeep();
    expect(await open()).toHaveLength(0);
    for (const { k, id } of before) {
      const upload = env.BLOBS.resumeMultipartUpload(k, id);
      await expect(upload.uploadPart(1, new Uint8Array(PART_BYTES))).rejects.toThrow();
    }
    // Duplicates of other tests may have gone, but nothing came.
    expect(keys).toEqual(expect.arrayContaining(await storedKeys()));
    expect(await pull(`${kept.path}:${kept.client.image.digest}`)).toEqual(kept.client.bytes);
    await expectNothingWrong();
  });

  it("takes nothing from a push that is completed in the last second of its time", async () => {
    const person = await newPerson("last");
    for (let n = 1, reached = true; reached; n++) {
      const path = `${person.username}/${uniqueName("last")}/app`;
      const bytes = makeSif({ salt: path });
      const image = await register(person.token, path, bytes);
      await ask(await startUpload(person.token, image, bytes), { method: "PUT", body: bytes });
      const started = Date.now();
      vi.useFakeTimers({ toFake: ["Date"], now: started });
      vi.setSystemTime(started + (limits.uploadSeconds + limits.completeGraceSeconds) * 1000 - 1000);
      const { env: slow, wasReached } = held(n, () => upkeep());
      const client = new MultipartClient(person.token, image, bytes, slow);
      expect((await client.ask("_complete", {})).status, `held before call ${n}`).toBe(200);
      reached = wasReached();
      vi.setSystemTime(started + 30 * DAY_MS);
      await upkeep();
      expect(Buffer.compare((await pull(`${path}:${image.digest}`)) as Uint8Array, bytes)).toBe(0);
      await expectNothingWrong();
      vi.useRealTimers();
    }
  });

  it("never takes one that is being verified, however long that takes", async () => {
    const person = await newPerson("slow");
    const path = `${person.username}/${uniqueName("slow")}/app`;
    const bytes = makeSif({ salt: path });
    const silent = { idFromName: (name: string) => name, get: () => ({ run: async () => ({ state: "running" }) }) };
    const of = { ...environment(smallParts), JOB_RUNNER: silent as unknown as Env["JOB_RUNNER"] };
    const client = await multipartClient(person.token, path, bytes, { env: of });
    expect((await client.pushAll()).status).toBe(200);
    await env.DB.prepare("UPDATE uploads SET expires_at = 0 WHERE state = 'verifying'").run();
    await upkeep();
    expect((await ask(`/v1/images/${path}:${image(client)}?arch=amd64`)).status).toBe(503);
    await env.DB.prepare("UPDATE jobs SET updated_at = 0").run();
    await upkeep();
    await expect.poll(() => pull(`${path}:${image(client)}`), { timeout: 10_000 }).toEqual(bytes);
  });
});

function image(client: MultipartClient): string {
  return client.image.digest;
}
