import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { limits } from "../../worker/registry/limits.ts";
import { checkIntegrity, type Finding } from "../../worker/registry/upkeep/check-integrity.ts";
import { forgetUploads } from "../../worker/registry/upkeep/forget-uploads.ts";
import { runUpkeep } from "../../worker/registry/upkeep/run-upkeep.ts";
import { makeSif } from "../support/make-sif.ts";
import { watched } from "../support/worker/calls.ts";
import { multipartClient, PART_BYTES } from "../support/worker/multipart.ts";
import {
  ask,
  environment,
  newPerson,
  pull,
  push,
  register,
  startUpload,
  storedKeys,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";

const later = (limits.uploadSeconds + limits.completeGraceSeconds + limits.forgetUploadGraceSeconds + 1) * 1000;

async function upkeepAt(milliseconds: number): Promise<void> {
  await runUpkeep({ ...testContext(), now: () => milliseconds });
}

async function findings(): Promise<Finding[]> {
  const page = await checkIntegrity(testContext(), operator, null);
  expect(page.next).toBeNull();
  return page.findings;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("upkeep", () => {
  it("frees the bytes of uploads nobody completed, and leaves what is published", async () => {
    const alice = await newPerson("alice");
    const path = `${alice.username}/${uniqueName("upkeep")}/app`;
    const bytes = makeSif({ salt: "kept" });
    await push(alice.token, `${path}:v1`, bytes);
    const published = await storedKeys();
    const abandoned = makeSif({ salt: "abandoned" });
    const image = await register(alice.token, path, abandoned);
    await ask(await startUpload(alice.token, image, abandoned), { method: "PUT", body: abandoned });
    expect(await storedKeys()).toHaveLength(published.length + 1);
    await upkeepAt(Date.now());
    expect(await storedKeys()).toHaveLength(published.length + 1);
    await upkeepAt(Date.now() + later);
    expect(await storedKeys()).toEqual(published);
    expect(await env.DB.prepare("SELECT count(*) AS n FROM uploads").first("n")).toBe(0);
    expect(await pull(`${path}:v1`)).toEqual(bytes);
    await push(alice.token, `${path}:v2`, abandoned);
    expect(await pull(`${path}:v2`)).toEqual(abandoned);
  });

  it("catches up with however many uploads ended since it last ran", async () => {
    const alice = await newPerson("alice");
    const bytes = makeSif({ salt: "many" });
    const { imageId, digest } = await register(alice.token, `${alice.username}/${uniqueName("many")}/app`, bytes);
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
       INSERT INTO uploads (id, image_id, object_key, digest, size_bytes, state, created_at, expires_at)
       SELECT 'many-' || i, ?2, 'objects/many-' || i, ?3, 1, 'open', 0, 0 FROM n`,
    )
      .bind(3 * limits.upkeepBatch + 1, imageId, digest)
      .run();
    await upkeepAt(Date.now());
    expect(await env.DB.prepare("SELECT count(*) AS n FROM uploads WHERE id LIKE 'many-%'").first("n")).toBe(0);
  });

  it("frees the second copy of content that was there; until then its URL is as used up as any", async () => {
    const [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
    const bytes = makeSif({ salt: "duplicate" });
    await push(alice.token, `${alice.username}/${uniqueName("a")}/app:v1`, bytes, { private: true });
    const before = await storedKeys();
    const image = await register(bob.token, `${bob.username}/${uniqueName("b")}/app`, bytes);
    const url = await startUpload(bob.token, image, bytes);
    await ask(url, { method: "PUT", body: bytes });
    await ask(`/v2/imagefile/${image.imageId}/_complete`, { method: "PUT", token: bob.token, body: {} });
    expect((await ask(url, { method: "PUT", body: bytes })).status).toBe(409);
    expect(await storedKeys()).toHaveLength(before.length + 1);
    await upkeepAt(Date.now() + later);
    expect(await storedKeys()).toEqual(before);
  });
});

describe("upkeep of uploads in parts", () => {
  it("deletes no bytes while DISABLE_CLEANUP is set, and those that became free meanwhile afterwards", async () => {
    const alice = await newPerson("keeper");
    const path = `${alice.username}/${uniqueName("kept")}/app`;
    await push(alice.token, `${path}:v1`, makeSif({ salt: "kept for now" }));
    const stored = await storedKeys();
    const { digest } = await push(alice.token, `${path}:v2`, makeSif({ salt: "deleted, and kept" }));
    const url = `/v1/images/${path}:${digest}?arch=amd64`;
    expect((await ask(url, { method: "DELETE", token: alice.token })).status).toBe(200);
    await env.DB.prepare("INSERT INTO discarded_objects (object_key, discarded_at) VALUES ('replaced', 0)").run();
    const now = () => Date.now() + (limits.downloadMaxSeconds + limits.deleteGraceSeconds + 1) * 1000;
    await runUpkeep({ ...testContext(environment({ DISABLE_CLEANUP: "true" })), now });
    expect(await storedKeys()).toHaveLength(stored.length + 1);
    expect(await env.DB.prepare("SELECT count(*) AS n FROM discarded_objects").first("n")).toBe(1);
    await runUpkeep({ ...testContext(), now });
    expect(await storedKeys()).toEqual(stored);
    expect(await env.DB.prepare("SELECT count(*) AS n FROM discarded_objects").first("n")).toBe(0);
  });

  it("goes on with the others when one cannot be aborted, and comes back to that one", async () => {
    const person = await newPerson("stuck");
    const uploadIds: string[] = [];
    for (const name of ["one", "two"]) {
      const path = `${person.username}/${name}/app`;
      const client = await multipartClient(person.token, path, makeSif({ salt: path, sizeBytes: PART_BYTES + 1 }));
      await client.start();
      const row = env.DB.prepare("SELECT id FROM uploads WHERE image_id = ?").bind(client.image.imageId);
      uploadIds.push((await row.first<string>("id")) ?? "");
    }
    const left = async () => {
      const query = env.DB.prepare("SELECT count(*) AS n FROM uploads WHERE id IN (?, ?)").bind(...uploadIds);
      return await query.first("n");
    };
    const ended = { now: () => Date.now() + 7 * 24 * 3600 * 1000 };
    let aborts = 0;
    const failing = watched(environment(), {
      before: async ({ kind, name }) => {
        if (kind === "r2" && name === "abort" && ++aborts === 1) throw new Error("the store is down");
      },
    });
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    await forgetUploads({ ...testContext(failing), ...ended });
    expect(await left()).toBe(1);
    await forgetUploads({ ...testContext(), ...ended });
    expect(await left()).toBe(0);
  });
});

describe("the integrity check", () => {
  it("finds nothing but open uploads after ordinary work, and each thing that is wrong", async () => {
    const alice = await newPerson("alice");
    const path = `${alice.username}/${uniqueName("check")}/app`;
    const { digest } = await push(alice.token, `${path}:v1`, makeSif({ salt: "checked" }));
    const second = await push(alice.token, `${path}:v2`, makeSif({ salt: "checked too" }));
    const open = await register(alice.token, path, makeSif({ salt: "open" }));
    await startUpload(alice.token, open, makeSif({ salt: "open" }));
    expect(new Set((await findings()).map(({ kind }) => kind))).toEqual(new Set(["upload-open"]));

    const keyOf = (of: string) =>
      env.DB.prepare("SELECT object_key AS k FROM blobs WHERE digest = ?").bind(of).first<string>("k");
    await env.BLOBS.delete((await keyOf(digest)) ?? "");
    await env.BLOBS.put((await keyOf(second.digest)) ?? "", "short");
    await env.BLOBS.put("objects/stray", "stray");
    await env.DB.prepare("UPDATE tags SET arch = 'arm64' WHERE image_id = ?").bind(second.imageId).run();
    const kinds = (await findings()).filter(({ kind }) => kind !== "upload-open");
    expect(kinds).toEqual(
      expect.arrayContaining([
        { kind: "object-missing", subject: digest },
        { kind: "object-size-differs", subject: second.digest },
        { kind: "object-without-row", subject: "objects/stray" },
        { kind: "tag-architecture-differs", subject: `${second.imageId}:v2` },
      ]),
    );
    expect(kinds).toHaveLength(4);
  });
});
