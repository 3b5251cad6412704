import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { jobId } from "../../worker/registry/jobs.ts";
import { limits } from "../../worker/registry/limits.ts";
import { attemptJob } from "../../worker/registry/run-job.ts";
import { restartJobs } from "../../worker/registry/upkeep/restart-jobs.ts";
import { makeSif } from "../support/make-sif.ts";
import { watched } from "../support/worker/calls.ts";
import {
  ask,
  askJson,
  environment,
  newPerson,
  type Pushed,
  push,
  register,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";

const definition = "Bootstrap: docker\nFrom: docker.io/library/ubuntu:24.04\n\n%labels\n    Maintainer tests\n";
const attributes = {
  labels: { Maintainer: "tests", "org.example.Topic": "imaging" },
  environment: { "/.singularity.d/env/90-environment.sh": "export A=1" },
  runscript: "#!/bin/sh\necho run",
  deffile: definition,
};

interface Row {
  state: string;
  error: string | null;
  definition: string | null;
  metadata: string | null;
}

const rowOf = async (imageId: string) =>
  await env.DB.prepare("SELECT state, error, definition, metadata FROM inspections WHERE image_id = ?")
    .bind(imageId)
    .first<Row>();

const labelsOf = async (imageId: string) => {
  const rows = await env.DB.prepare("SELECT key, value FROM labels WHERE image_id = ? ORDER BY key")
    .bind(imageId)
    .all<{ key: string; value: string }>();
  return Object.fromEntries(rows.results.map(({ key, value }) => [key, value]));
};

const topicsOf = async (containerId: string) => {
  const rows = await env.DB.prepare("SELECT name, origin, removed FROM topics WHERE container_id = ?")
    .bind(containerId)
    .all();
  return rows.results;
};

/** Does what the job of an image does, now, whether or not its own object has begun. */
const inspectNow = async (imageId: string, of = environment()) =>
  await attemptJob(testContext(of), jobId("inspect-image", imageId));

const rpc = async <T>(verb: string, args: Record<string, unknown>) =>
  (
    await askJson<{ result: T }>("/admin/rpc", {
      method: "POST",
      headers: { Authorization: `Bearer ${env.ADMIN_SECRET}` },
      body: { verb, args },
    })
  ).result;

/** The one job of an image, so that tests are alone with it. */
const again = async (imageId: string) => await rpc<{ state: string; error?: string }>("inspect-image", { id: imageId });

async function pushed(options: Parameters<typeof makeSif>[0], salt = uniqueName("inspected")): Promise<Pushed> {
  const person = await newPerson("inspector");
  return await push(person.token, `${person.username}/${salt}/app:v1`, makeSif({ salt, ...options }));
}

describe("an image that was published", () => {
  it("is read by a job: labels, definition file, attributes and the operating system as a topic", async () => {
    const { imageId, containerId } = await pushed({ definition, attributes });
    expect(await again(imageId)).toEqual({ state: "done" });
    const row = await rowOf(imageId);
    expect(row).toMatchObject({ state: "done", error: null, definition });
    const metadata = JSON.parse(row?.metadata ?? "");
    expect(metadata).toMatchObject({ arch: "amd64", attributes: { runscript: attributes.runscript } });
    expect(await labelsOf(imageId)).toEqual(attributes.labels);
    expect(await topicsOf(containerId)).toEqual([{ name: "ubuntu", origin: "image", removed: 0 }]);
  });

  it("has its job from the batch that published it, also where its bytes were there already", async () => {
    const person = await newPerson("inspector");
    const bytes = makeSif({ salt: uniqueName("twin"), definition, attributes });
    const deaf = watched(environment(), {
      before: async ({ kind }) => {
        if (kind === "durable") throw new Error("no Durable Object answers");
      },
    });
    const first = await push(person.token, `${person.username}/first/app:v1`, bytes, { env: deaf });
    const second = await register(person.token, `${person.username}/second/app`, bytes, { env: deaf });
    expect(second.uploaded).toBe(true);
    for (const { imageId } of [first, second]) {
      expect(await env.DB.prepare("SELECT attempts FROM jobs WHERE subject = ?").bind(imageId).first("attempts")).toBe(
        0,
      );
    }
    // Cron starts what nobody did.
    const started: string[] = [];
    const ctx = testContext();
    const start = async (id: string) => {
      started.push(id);
    };
    await restartJobs({ ...ctx, jobs: { ...ctx.jobs, start } });
    for (const { imageId } of [first, second]) {
      expect(started).toContain(`inspect-image:${imageId}`);
      expect(await inspectNow(imageId)).toMatchObject({ outcome: { state: "done" } });
      expect(await labelsOf(imageId)).toEqual(attributes.labels);
    }
  });

  it("needs few reads and at most 1 MiB, however large it is", async () => {
    const { imageId } = await pushed({ definition, attributes, sizeBytes: 9 * 1024 * 1024 });
    await again(imageId);
    await env.DB.prepare(
      "INSERT INTO jobs (id, kind, subject, total_bytes, created_at, updated_at) VALUES (?, ?, ?, 0, 1, 1)",
    )
      .bind(jobId("inspect-image", imageId), "inspect-image", imageId)
      .run();
    const ranges: { offset: number; length: number }[] = [];
    const counting = watched(environment(), {
      before: async ({ kind, name, args }) => {
        if (kind === "r2" && name === "get")
          ranges.push((args[1] as { range: { offset: number; length: number } }).range);
      },
    });
    expect(await inspectNow(imageId, counting)).toMatchObject({ outcome: { state: "done" } });
    expect(ranges.length).toBeLessThanOrEqual(3);
    expect(ranges.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(limits.sifReadBytes);
  });

  it("keeps what nobody can read away from its labels, and says why", async () => {
    const { imageId } = await pushed({ attributes: "{ this is no JSON" });
    const result = await again(imageId);
    const row = await rowOf(imageId);
    // Metadata that is no JSON is left out; the rest of the image is known.
    expect(result).toEqual({ state: "done" });
    expect(row).toMatchObject({ state: "done", error: null });
    expect(JSON.parse(row?.metadata ?? "").leftOut).toEqual([expect.stringContaining("inspect-metadata.json")]);
    expect(await labelsOf(imageId)).toEqual({});
  });

  it("whose bytes storage does not give shows the reason, and can be read again", async () => {
    const { imageId } = await pushed({ definition, attributes });
    await again(imageId);
    const id = jobId("inspect-image", imageId);
    const broken = watched(environment(), {
      before: async ({ kind }) => {
        if (kind === "r2") throw new Error("R2 is down");
      },
    });
    await env.DB.prepare(
      "INSERT INTO jobs (id, kind, subject, total_bytes, attempts, created_at, updated_at) VALUES (?, ?, ?, 0, ?, 1, 1)",
    )
      .bind(id, "inspect-image", imageId, limits.jobAttempts - 1)
      .run();
    expect(await attemptJob(testContext(broken), id)).toMatchObject({ outcome: { state: "refused" } });
    expect(await rowOf(imageId)).toMatchObject({ state: "failed", error: expect.stringContaining("could not read") });
    expect(await labelsOf(imageId)).toEqual({});
    const listed = await rpc<{ items: { imageId: string; state: string; error: string | null }[] }>(
      "list-inspections",
      {},
    );
    expect(listed.items.find((item) => item.imageId === imageId)).toMatchObject({ state: "failed" });
    expect(await again(imageId)).toEqual({ state: "done" });
    expect(await labelsOf(imageId)).toEqual(attributes.labels);
  });

  it("that is deleted while it is read leaves nothing behind", async () => {
    const person = await newPerson("inspector");
    const path = `${person.username}/${uniqueName("gone")}/app`;
    const { imageId, digest } = await push(person.token, `${path}:v1`, makeSif({ salt: path, definition, attributes }));
    await again(imageId);
    await env.DB.prepare(
      "INSERT INTO jobs (id, kind, subject, total_bytes, created_at, updated_at) VALUES (?, ?, ?, 0, 1, 1)",
    )
      .bind(jobId("inspect-image", imageId), "inspect-image", imageId)
      .run();
    let isDeleted = false;
    const meanwhile = watched(environment(), {
      after: async ({ kind }) => {
        if (kind !== "r2" || isDeleted) return;
        isDeleted = true;
        await ask(`/v1/images/${path}:${digest}?arch=amd64`, { method: "DELETE", token: person.token });
      },
    });
    expect(await inspectNow(imageId, meanwhile)).toMatchObject({ outcome: { state: "done" } });
    expect(isDeleted).toBe(true);
    expect(await rowOf(imageId)).toBeNull();
    expect(await labelsOf(imageId)).toEqual({});
    expect(await again(imageId)).toEqual({ state: "gone" });
  });
});

it("a topic that somebody took away does not come back with the next image", async () => {
  const { imageId, containerId } = await pushed({ definition });
  await again(imageId);
  await env.DB.prepare("UPDATE topics SET removed = 1 WHERE container_id = ?").bind(containerId).run();
  await again(imageId);
  expect(await topicsOf(containerId)).toEqual([{ name: "ubuntu", origin: "image", removed: 1 }]);
});

it("an image from before is listed as not read, until a command reads it", async () => {
  const { imageId } = await pushed({ definition, attributes });
  await again(imageId);
  const stateOf = async () => {
    const { items } = await rpc<{ items: { imageId: string; state: string }[] }>("list-inspections", {});
    return items.find((item) => item.imageId === imageId)?.state;
  };
  await env.DB.prepare("DELETE FROM inspections WHERE image_id = ?").bind(imageId).run();
  expect(await stateOf()).toBe("absent");
  await again(imageId);
  expect(await stateOf()).toBe("done");
  await env.DB.prepare("UPDATE inspections SET reader = 0 WHERE image_id = ?").bind(imageId).run();
  expect(await stateOf()).toBe("old");
});
