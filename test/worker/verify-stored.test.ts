import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { jobId } from "../../worker/registry/jobs.ts";
import { attemptJob } from "../../worker/registry/run-job.ts";
import { makeSif } from "../support/make-sif.ts";
import { watched } from "../support/worker/calls.ts";
import { messageOf } from "../support/worker/multipart.ts";
import {
  ask,
  askJson,
  environment,
  newPerson,
  pull,
  push,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";

describe("npm run admin -- verify", () => {
  const rpc = async <T>(verb: string, args: Record<string, unknown>) =>
    (
      await askJson<{ result: T }>("/admin/rpc", {
        method: "POST",
        headers: { Authorization: `Bearer ${env.ADMIN_SECRET}` },
        body: { verb, args },
      })
    ).result;

  it("finds stored bytes that changed; the image is refused to readers, and a fresh push heals it", async () => {
    const person = await newPerson("rot");
    const path = `${person.username}/${uniqueName("rot")}/app`;
    const bytes = makeSif({ salt: path, sizeBytes: 100_000 });
    const { digest } = await push(person.token, `${path}:v1`, bytes);
    expect(await rpc("verify-blob", { digest })).toEqual({ state: "stored" });
    const blob = env.DB.prepare("SELECT object_key AS k, state FROM blobs WHERE digest = ?").bind(digest);
    const key = (await blob.first<string>("k")) ?? "";
    const rotten = bytes.slice();
    rotten[50_000] = 1;
    await env.BLOBS.put(key, rotten);
    expect(await rpc("verify-blob", { digest })).toEqual({ state: "corrupt", images: [`${path}:v1`] });
    const { items } = await rpc<{ items: { digest: string; state: string }[] }>("list-blobs", {});
    expect(items.find((item) => item.digest === digest)?.state).toBe("corrupt");

    for (const route of ["images", "imagefile"]) {
      const refused = await ask(`/v1/${route}/${path}:v1?arch=amd64`);
      expect(refused.status, route).toBe(410);
      expect(await messageOf(refused)).toContain("damaged");
    }
    const seen = (await (await ask(`/v1/images/${path}:${digest}?arch=amd64`, { token: person.token })).json()) as {
      data: { uploaded: boolean };
    };
    expect(seen.data.uploaded).toBe(false);
    const other = await newPerson("other");
    await push(other.token, `${other.username}/${uniqueName("rot")}/app:v1`, bytes);
    expect(await pull(`${path}:v1`)).toEqual(bytes);
    expect(await blob.first("state")).toBe("stored");
    expect(await blob.first("k")).not.toBe(key);
    const { collectGarbage } = await import("../../worker/registry/upkeep/collect-garbage.ts");
    await collectGarbage(testContext());
    expect(await env.BLOBS.head(key)).toBeNull();
  });

  it("finds an object that is gone, and one that came back", async () => {
    const person = await newPerson("gone");
    const bytes = makeSif({ salt: person.username });
    const { digest } = await push(person.token, `${person.username}/gone/app:v1`, bytes);
    const key =
      (await env.DB.prepare("SELECT object_key AS k FROM blobs WHERE digest = ?").bind(digest).first<string>("k")) ??
      "";
    await env.BLOBS.delete(key);
    expect(await rpc("verify-blob", { digest })).toMatchObject({ state: "corrupt" });
    await env.BLOBS.put(key, bytes);
    expect(await rpc("verify-blob", { digest })).toEqual({ state: "stored" });
  });

  it("lets the owner delete what is damaged", async () => {
    const person = await newPerson("owner");
    const path = `${person.username}/damaged/app`;
    const { digest } = await push(person.token, `${path}:v1`, makeSif({ salt: path }));
    await env.DB.prepare("UPDATE blobs SET state = 'corrupt' WHERE digest = ?").bind(digest).run();
    const gone = await ask(`/v1/images/${path}:v1?arch=amd64`, { method: "DELETE", token: person.token });
    expect(gone.status).toBe(200);
  });

  it("writes nothing into the log of a blob that a push healed while its damaged bytes were read", async () => {
    const person = await newPerson("healed");
    const path = `${person.username}/${uniqueName("healed")}/app`;
    const bytes = makeSif({ salt: path });
    const { digest } = await push(person.token, `${path}:v1`, bytes);
    const key =
      (await env.DB.prepare("SELECT object_key AS k FROM blobs WHERE digest = ?").bind(digest).first<string>("k")) ??
      "";
    await env.BLOBS.put(key, new Uint8Array(bytes.length));
    const of = watched(environment(), {
      before: async ({ kind, name }) => {
        if (kind !== "r2" || name !== "get") return;
        await env.DB.prepare("UPDATE blobs SET object_key = 'objects/another' WHERE digest = ?").bind(digest).run();
      },
    });
    const now = Date.now();
    await env.DB.prepare(
      "INSERT INTO jobs (id, kind, subject, total_bytes, created_at, updated_at) VALUES (?, 'verify-blob', ?, 1, ?, ?)",
    )
      .bind(jobId("verify-blob", digest), digest, now, now)
      .run();
    expect((await attemptJob(testContext(of), jobId("verify-blob", digest))).outcome).toEqual({ state: "done" });
    const log = env.DB.prepare("SELECT count(*) AS n FROM audit WHERE target = ?").bind(digest);
    expect(await log.first("n")).toBe(0);
    await env.DB.prepare("UPDATE blobs SET object_key = ? WHERE digest = ?").bind(key, digest).run();
  });

  it("goes on when bytes were deleted since they were listed", async () => {
    expect(await rpc("verify-blob", { digest: `sha256.${"0".repeat(64)}` })).toEqual({ state: "gone" });
  });

  it("does not take a damaged image for one that is present", async () => {
    const person = await newPerson("twin");
    const bytes = makeSif({ salt: person.username });
    const { digest } = await push(person.token, `${person.username}/one/app:v1`, bytes);
    await env.DB.prepare("UPDATE blobs SET state = 'corrupt' WHERE digest = ?").bind(digest).run();
    await push(person.token, `${person.username}/two/app:v1`, bytes);
    expect(await pull(`${person.username}/two/app:v1`)).toEqual(bytes);
    expect(await pull(`${person.username}/one/app:v1`)).toEqual(bytes);
  });
});
