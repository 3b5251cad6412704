import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Env } from "../../worker/env.ts";
import { jobId } from "../../worker/registry/jobs.ts";
import { limits } from "../../worker/registry/limits.ts";
import { attemptJob } from "../../worker/registry/run-job.ts";
import { forgetUploads } from "../../worker/registry/upkeep/forget-uploads.ts";
import { makeSif } from "../support/make-sif.ts";
import { watched } from "../support/worker/calls.ts";
import { MultipartClient, messageOf, multipartClient, PART_BYTES, smallParts } from "../support/worker/multipart.ts";
import {
  ask,
  environment,
  newPerson,
  type Person,
  pull,
  push,
  storedKeys,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";

const sizeBytes = PART_BYTES + 54_321;

/** Jobs that nobody runs: as when a process ends right after the batch that made them necessary. */
function withoutRunner(): Env {
  const of = environment(smallParts);
  const silent = { idFromName: (name: string) => name, get: () => ({ run: async () => ({ state: "running" }) }) };
  return { ...of, JOB_RUNNER: silent as unknown as Env["JOB_RUNNER"] };
}

/** A bucket whose reads end before they should, and say nothing. */
function cuttingReads(): Env {
  const of = environment();
  const get = async (key: string, { range }: { range: { offset: number; length: number } }) =>
    await of.BLOBS.get(key, { range: { offset: range.offset, length: Math.min(range.length, 100_000) } });
  return { ...of, BLOBS: { get } as unknown as R2Bucket };
}

async function uploadIdOf(imageId: string): Promise<string> {
  const query = env.DB.prepare("SELECT id FROM uploads WHERE image_id = ? ORDER BY created_at DESC");
  return (await query.bind(imageId).first<string>("id")) ?? "";
}

/** An image whose bytes are complete and wait to be verified. */
async function verifying(options: { bytes?: Uint8Array<ArrayBuffer>; private?: boolean } = {}) {
  const person = await newPerson("slow");
  const path = `${person.username}/${uniqueName("verifying")}/app`;
  const bytes = options.bytes ?? makeSif({ salt: path, sizeBytes });
  const client = await multipartClient(person.token, path, bytes, {
    env: withoutRunner(),
    private: options.private ?? false,
  });
  const before = await storedKeys();
  expect((await client.pushAll()).status).toBe(200);
  const uploadId = await uploadIdOf(client.image.imageId);
  const verify = async () => await attemptJob(testContext(), jobId("verify-upload", uploadId));
  return { person, path, bytes, client, uploadId, verify, before };
}

const image = async (path: string, person: Person | null, reference: string) =>
  await ask(`/v1/images/${path}:${reference}?arch=amd64`, { token: person?.token ?? null });

describe("while an image is being verified", () => {
  it("a pull is told so, how far it is, and when to come again", async () => {
    const { client, path, uploadId } = await verifying();
    await client.setTag("v1");
    await env.DB.prepare("UPDATE jobs SET done_bytes = total_bytes / 3 WHERE subject = ?").bind(uploadId).run();
    for (const reference of ["v1", client.image.digest]) {
      for (const route of ["images", "imagefile"]) {
        const response = await ask(`/v1/${route}/${path}:${reference}?arch=amd64`);
        expect(response.status, `${route} ${reference}`).toBe(503);
        expect(Number(response.headers.get("Retry-After"))).toBeGreaterThan(0);
        expect(await messageOf(response)).toContain("33 %");
      }
    }
  });

  it("nobody who may not see it learns of it", async () => {
    const { client, path } = await verifying({ private: true });
    await client.setTag("v1");
    const stranger = await newPerson("stranger");
    for (const token of [null, stranger.token]) {
      for (const reference of ["v1", client.image.digest]) {
        expect((await ask(`/v1/images/${path}:${reference}?arch=amd64`, { token })).status).toBe(404);
        expect((await ask(`/v1/imagefile/${path}:${reference}?arch=amd64`, { token })).status).toBe(404);
      }
    }
  });

  it("a tag stays on the image it is on, and moves when the new one is published", async () => {
    const { client, path, person, verify, bytes } = await verifying();
    const old = makeSif({ salt: `${path} old` });
    await push(person.token, `${path}:v1`, old);
    await client.setTag("v1");
    expect(await pull(`${path}:v1`)).toEqual(old);
    expect((await verify()).outcome).toEqual({ state: "done" });
    expect(await pull(`${path}:v1`)).toEqual(bytes);
  });

  it("whoever repeats the push is told that it is there already", async () => {
    const { client, path, person } = await verifying();
    const answer = (await (await image(path, person, client.image.digest)).json()) as { data: { uploaded: boolean } };
    expect(answer.data.uploaded).toBe(true);
  });

  it("no tag for another architecture waits for it", async () => {
    const { client, path } = await verifying();
    await client.setTag("v1");
    expect((await ask(`/v1/images/${path}:v1?arch=arm64`)).status).toBe(404);
  });

  it("completing again waits for the same verification", async () => {
    const { client, path, bytes, uploadId } = await verifying();
    const again = new MultipartClient(client.token, client.image, bytes);
    const uploads = await env.DB.prepare("SELECT count(*) AS n FROM uploads WHERE id = ?").bind(uploadId).first("n");
    expect(uploads).toBe(1);
    expect((await again.pushAll()).status).toBe(200);
    expect(await pull(`${path}:${client.image.digest}`)).toEqual(bytes);
  });
});

describe("verification", () => {
  it("refuses other bytes: they go, and so do the tags that waited, and the reason is kept", async () => {
    const { client, path, verify, before, person } = await verifying();
    await client.setTag("v1");
    const other = new MultipartClient(client.token, client.image, client.bytes.slice(), environment(smallParts));
    other.bytes[sizeBytes - 1] = 1;
    const refused = await other.pushAll();
    expect(refused.status).toBe(400);
    expect(await messageOf(refused)).toContain("SHA-256");
    const row = env.DB.prepare("SELECT refused_reason AS r FROM images WHERE id = ?").bind(client.image.imageId);
    expect(await row.first("r")).toContain("SHA-256");
    const log = await env.DB.prepare(
      "SELECT actor, detail FROM audit WHERE action = 'image.refuse' ORDER BY id DESC",
    ).first();
    expect(log).toMatchObject({ actor: person.username, detail: expect.stringContaining("SHA-256") });
    // The other upload of the same image is still being verified: its tag waits on.
    expect((await image(path, null, "v1")).status).toBe(503);
    expect((await verify()).outcome).toEqual({ state: "done" });
    expect(await pull(`${path}:v1`)).toEqual(client.bytes);
    expect(await row.first("r")).toBeNull();
    expect(await storedKeys()).toHaveLength(before.length + 1);
  });

  it("drops the tags that wait for what is refused, and leaves nothing", async () => {
    const bytes = new Uint8Array(sizeBytes).fill(7);
    const { client, path, verify, before, person } = await verifying({ bytes });
    await client.setTag("v1");
    expect((await verify()).outcome).toMatchObject({ state: "refused", code: "sif-invalid" });
    expect(await storedKeys()).toEqual(before);
    expect((await image(path, person, "v1")).status).toBe(404);
    const wanted = env.DB.prepare("SELECT count(*) AS n FROM wanted_tags WHERE image_id = ?").bind(
      client.image.imageId,
    );
    expect(await wanted.first("n")).toBe(0);
  });

  it("says what it found when the client completes again", async () => {
    const person = await newPerson("again");
    const path = `${person.username}/${uniqueName("again")}/app`;
    const client = await multipartClient(person.token, path, new Uint8Array(sizeBytes).fill(7));
    const started = await client.start();
    const parts = await client.putAll(started);
    expect((await client.complete(started.uploadID, parts)).status).toBe(422);
    expect((await client.complete(started.uploadID, parts)).status).toBe(422);
  });

  it("is begun again by upkeep when its process went away", async () => {
    const { client, path, bytes, uploadId } = await verifying();
    await env.DB.prepare("UPDATE jobs SET updated_at = 0 WHERE subject = ?").bind(uploadId).run();
    const { restartJobs } = await import("../../worker/registry/upkeep/restart-jobs.ts");
    expect(await restartJobs(testContext())).toBeGreaterThan(0);
    await runDurableObjectAlarm(env.JOB_RUNNER.get(env.JOB_RUNNER.idFromName(jobId("verify-upload", uploadId))));
    await expect.poll(() => pull(`${path}:${client.image.digest}`)).toEqual(bytes);
  });

  it("is begun by the very next upkeep when nobody came to begin it", async () => {
    const { client, path, bytes, uploadId } = await verifying();
    const { restartJobs } = await import("../../worker/registry/upkeep/restart-jobs.ts");
    expect(await restartJobs(testContext())).toBeGreaterThan(0);
    await runDurableObjectAlarm(env.JOB_RUNNER.get(env.JOB_RUNNER.idFromName(jobId("verify-upload", uploadId))));
    await expect.poll(() => pull(`${path}:${client.image.digest}`)).toEqual(bytes);
  });

  it("twice at once publishes once", async () => {
    const { verify, client, path, bytes, before } = await verifying();
    const both = await Promise.all([verify(), verify()]);
    expect(both.map(({ outcome }) => outcome.state)).toEqual(["done", "done"]);
    expect(await storedKeys()).toHaveLength(before.length + 1);
    expect(await pull(`${path}:${client.image.digest}`)).toEqual(bytes);
  });

  it("keeps one object when two clients push the same new image; upkeep frees the other", async () => {
    const { client, bytes, path, verify } = await verifying();
    const second = new MultipartClient(client.token, client.image, bytes, withoutRunner());
    expect((await second.pushAll()).status).toBe(200);
    await verify();
    const { results } = await env.DB.prepare("SELECT id, object_key AS k FROM uploads WHERE image_id = ?")
      .bind(client.image.imageId)
      .all<{ id: string; k: string }>();
    for (const { id } of results) {
      expect((await attemptJob(testContext(), jobId("verify-upload", id))).outcome).toEqual({ state: "done" });
    }
    const graceMs = (limits.completeGraceSeconds + limits.forgetUploadGraceSeconds + 1) * 1000;
    await forgetUploads({ ...testContext(), now: () => Date.now() + graceMs });
    const objects = await Promise.all(results.map(({ k }) => env.BLOBS.head(k)));
    expect(objects.filter((object) => object !== null)).toHaveLength(1);
    expect(await pull(`${path}:${client.image.digest}`)).toEqual(bytes);
  });

  it("ends quietly when the image was deleted meanwhile", async () => {
    const { verify, client, before } = await verifying();
    await env.DB.prepare("DELETE FROM images WHERE id = ?").bind(client.image.imageId).run();
    expect((await verify()).outcome.state).toBe("refused");
    expect(await storedKeys()).toEqual(before);
  });

  it("ends as quietly when the image is deleted while its bytes are read", async () => {
    const { client, uploadId, before } = await verifying();
    const of = watched(environment(), {
      before: async ({ kind, name }) => {
        if (kind !== "r2" || name !== "get") return;
        await env.DB.prepare("DELETE FROM images WHERE id = ?").bind(client.image.imageId).run();
      },
    });
    const { outcome } = await attemptJob(testContext(of), jobId("verify-upload", uploadId));
    expect(outcome).toMatchObject({ state: "refused", code: "upload-ended" });
    expect(await env.DB.prepare("SELECT count(*) AS n FROM jobs WHERE subject = ?").bind(uploadId).first("n")).toBe(0);
    expect(await storedKeys()).toEqual(before);
  });

  it("tries again later when the store cannot be read, and at last gives up with a reason", async () => {
    const { client, path, uploadId, before, person } = await verifying();
    const broken = watched(environment(), {
      before: async ({ kind, name }) => {
        if (kind === "r2" && name === "get") throw new Error("the store is down");
      },
    });
    const id = jobId("verify-upload", uploadId);
    const first = await attemptJob(testContext(broken), id);
    expect(first).toEqual({ outcome: { state: "running" }, retryInMs: limits.jobRetryMinSeconds * 1000 });
    expect((await image(path, null, client.image.digest)).status).toBe(503);
    await env.DB.prepare("UPDATE jobs SET attempts = ? WHERE id = ?").bind(limits.jobAttempts, id).run();
    const last = await attemptJob(testContext(broken), id);
    expect(last.outcome).toMatchObject({ state: "refused", code: "verification-failed" });
    expect(await storedKeys()).toEqual(before);
    expect((await image(path, person, client.image.digest)).status).toBe(200);
  });

  it("is given up when its process goes away each time, so that nothing is ever thrown", async () => {
    const { client, path, uploadId, verify, before, person } = await verifying();
    const id = jobId("verify-upload", uploadId);
    await env.DB.prepare("UPDATE jobs SET attempts = ? WHERE id = ?").bind(limits.jobAttempts, id).run();
    expect((await verify()).outcome).toMatchObject({ state: "refused", code: "verification-failed" });
    expect(await storedKeys()).toEqual(before);
    const seen = (await (await image(path, person, client.image.digest)).json()) as { data: { uploaded: boolean } };
    expect(seen.data.uploaded).toBe(false);
  });

  it("does not take a read that ended early for wrong bytes", async () => {
    const { client, path, bytes, uploadId, verify } = await verifying();
    expect((await attemptJob(testContext(cuttingReads()), jobId("verify-upload", uploadId))).outcome).toEqual({
      state: "running",
    });
    expect((await verify()).outcome).toEqual({ state: "done" });
    expect(await pull(`${path}:${client.image.digest}`)).toEqual(bytes);
  });

  it("is not asked for without a pause when its job is missing", async () => {
    const { uploadId, verify } = await verifying();
    await env.DB.prepare("DELETE FROM jobs WHERE subject = ?").bind(uploadId).run();
    expect((await verify()).retryInMs).toBeGreaterThan(1000);
    await env.DB.prepare("UPDATE uploads SET state = 'aborted' WHERE id = ?").bind(uploadId).run();
  });

  it("ends a job that has nothing to do any more", async () => {
    const { uploadId, verify } = await verifying();
    const job = await env.DB.prepare("SELECT * FROM jobs WHERE subject = ?").bind(uploadId).first();
    await verify();
    const columns = Object.keys(job ?? {});
    await env.DB.prepare(`INSERT INTO jobs (${columns.join()}) VALUES (${columns.map(() => "?").join()})`)
      .bind(...Object.values(job ?? {}))
      .run();
    expect((await verify()).outcome).toEqual({ state: "done" });
    expect(await env.DB.prepare("SELECT count(*) AS n FROM jobs WHERE subject = ?").bind(uploadId).first("n")).toBe(0);
  });

  it("is begun for every job though one cannot be started", async () => {
    const first = await verifying();
    const second = await verifying();
    await env.DB.prepare("UPDATE jobs SET updated_at = 0 WHERE subject = ?").bind(first.uploadId).run();
    const { restartJobs } = await import("../../worker/registry/upkeep/restart-jobs.ts");
    const started: string[] = [];
    const start = async (id: string) => {
      if (id.endsWith(first.uploadId)) throw new Error("Durable Object is overloaded.");
      started.push(id);
    };
    const ctx = testContext();
    await restartJobs({ ...ctx, jobs: { ...ctx.jobs, start } });
    expect(started).toContain(jobId("verify-upload", second.uploadId));
  });

  it("goes on when whoever waits for it loses the connection: the push is not refused", async () => {
    const person = await newPerson("lost");
    const path = `${person.username}/${uniqueName("lost")}/app`;
    const bytes = makeSif({ salt: path, sizeBytes });
    const broken = watched(environment(smallParts), {
      before: async ({ kind }) => {
        if (kind === "durable") throw new Error("Durable Object reset because its code was updated.");
      },
    });
    const client = await multipartClient(person.token, path, bytes, { env: broken });
    expect((await client.pushAll()).status).toBe(200);
    expect((await client.setTag("v1")).status).toBe(200);
    await attemptJob(testContext(), jobId("verify-upload", await uploadIdOf(client.image.imageId)));
    expect(await pull(`${path}:v1`)).toEqual(bytes);
  });

  it("writes how far it is, and holds little of the image at a time", async () => {
    const { uploadId, verify } = await verifying();
    expect(limits.hashReadBytes).toBeLessThanOrEqual(32 * 1024 ** 2);
    expect(await env.DB.prepare("SELECT total_bytes AS n FROM jobs WHERE subject = ?").bind(uploadId).first("n")).toBe(
      sizeBytes,
    );
    await verify();
    expect(await env.DB.prepare("SELECT count(*) AS n FROM jobs WHERE subject = ?").bind(uploadId).first("n")).toBe(0);
  });
});
