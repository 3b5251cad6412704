import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import type { Env } from "../../worker/env.ts";
import type { JobRunner } from "../../worker/index.ts";
import { limits } from "../../worker/registry/limits.ts";
import { checkIntegrity } from "../../worker/registry/upkeep/check-integrity.ts";
import { collectGarbage } from "../../worker/registry/upkeep/collect-garbage.ts";
import { restartJobs } from "../../worker/registry/upkeep/restart-jobs.ts";
import { makeSif } from "../support/make-sif.ts";
import { type Call, type Watcher, watched } from "../support/worker/calls.ts";
import { MultipartClient, PART_BYTES, smallParts } from "../support/worker/multipart.ts";
import {
  type Ask,
  ask,
  environment,
  newPerson,
  type Person,
  pull,
  push,
  register,
  startUpload,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";
import { askToPush, cidOf, newSigner, sendForm } from "../support/worker/sregistry.ts";
import { uploadAll } from "../support/worker/uploads.ts";

/*
 * Every call that leaves the Worker is made to fail once, in two ways: it never reaches the other side, or
 * it does and its answer is lost. After each, nothing may be inconsistent, and doing the same again must work.
 */

type Loss = "before" | "after";

/** Fails the n-th call. `calls` are those made so far. */
function failing(n: number, loss: Loss): { watcher: Watcher; calls: Call[] } {
  const calls: Call[] = [];
  const fail = async () => {
    throw new Error("injected: Network connection lost");
  };
  return {
    calls,
    watcher: {
      before: async (call) => {
        calls.push(call);
        if (loss === "before" && calls.length === n) await fail();
      },
      after: async () => {
        if (loss === "after" && calls.length === n) await fail();
      },
    },
  };
}

/** An environment in which calls of the Worker and of its job runner pass the watcher. */
function faulty(watcher: Watcher): Env {
  const real = env.JOB_RUNNER as DurableObjectNamespace<JobRunner>;
  const runner = {
    idFromName: (name: string) => real.idFromName(name),
    get: (id: DurableObjectId) => ({
      start: async (...args: Parameters<JobRunner["start"]>) => await real.get(id).start(...args),
      run: async (...args: Parameters<JobRunner["run"]>) => {
        await runInDurableObject(real.get(id), (job) => Object.defineProperty(job, "env", { value: of }));
        return await real.get(id).run(...args);
      },
    }),
  };
  const of = watched({ ...environment(smallParts), JOB_RUNNER: runner as unknown as Env["JOB_RUNNER"] }, watcher);
  return of;
}

/** What one does again when something went wrong. The steps are those of the client; each may be refused. */
type Act = (env: Env) => Promise<Response>;

/** A whole push in two parts. Like the client it uploads nothing when it is told that nothing is missing. */
function pushInParts(person: Person, path: string, bytes: Uint8Array<ArrayBuffer>): Act {
  return async (of) => {
    const image = await register(person.token, path, bytes, { env: of });
    const client = new MultipartClient(person.token, image, bytes, of);
    if (!image.uploaded) {
      const done = await client.pushAll();
      if (done.status !== 200) return done;
    }
    return await client.setTag("v1");
  };
}

/** The same by the JSON API. */
function uploadInParts(person: Person, path: string, bytes: Uint8Array<ArrayBuffer>): Act {
  return async (of) => await uploadAll({ token: person.token, env: of }, path, bytes, { tags: ["v1"] });
}

function pushWhole(person: Person, path: string, bytes: Uint8Array<ArrayBuffer>): Act {
  return async (of) => {
    const image = await register(person.token, path, bytes, { env: of });
    const client = new MultipartClient(person.token, image, bytes, of);
    if (!image.uploaded) {
      const url = await startUpload(person.token, image, bytes, of);
      const put = await ask(url, { method: "PUT", body: bytes, env: of });
      if (put.status !== 200) return put;
      const done = await client.ask("_complete", {});
      if (done.status !== 200) return done;
    }
    return await client.setTag("v1");
  };
}

/**
 * Which calls to lose, by their number. When a read is lost it is the same whether it was made or not.
 * @param calls those an act makes when nothing fails
 * @param hasOwnReads whether no other act here reads the same
 */
function losses(calls: readonly Call[], loss: Loss, hasOwnReads = true): number[] {
  const isRead = ({ kind, name, sql }: Call) =>
    kind === "r2"
      ? ["get", "head", "list"].includes(name)
      : kind === "d1" && sql.every((text) => /^select\b/i.test(text));
  return calls.flatMap((call, index) => ((loss === "after" || !hasOwnReads) && isRead(call) ? [] : [index + 1]));
}

/** The calls an act makes when nothing fails. */
async function callsOf(act: Act): Promise<Call[]> {
  const { watcher, calls } = failing(0, "before");
  expect((await act(faulty(watcher))).status).toBe(200);
  return calls;
}

/** Nothing but uploads that are not over, some of them waiting to be verified once more. */
async function expectConsistent(what: string): Promise<void> {
  const { findings } = await checkIntegrity(testContext(), operator, null);
  const harmless = ["upload-open", "blob-unreferenced", "job-failing"];
  expect(
    findings.filter(({ kind }) => !harmless.includes(kind)),
    what,
  ).toEqual([]);
}

/** What Cron does for jobs whose process is gone, a minute later. */
async function restartStaleJobs(): Promise<void> {
  const ctx = testContext();
  await restartJobs({ ...ctx, now: () => Date.now() + (limits.jobStaleSeconds + 1) * 1000 });
}

async function expectPulled(reference: string, bytes: Uint8Array, what: string): Promise<void> {
  await expect
    .poll(
      async () => {
        const pulled = await pull(reference);
        return typeof pulled === "number" ? pulled : Buffer.compare(pulled, bytes);
      },
      { message: what, timeout: 20_000 },
    )
    .toBe(0);
}

const pushes = [
  { what: "a push in parts", pushOf: pushInParts, sizeBytes: PART_BYTES + 40_000 },
  { what: "an upload by a script", pushOf: uploadInParts, sizeBytes: PART_BYTES + 40_000 },
  { what: "a push in one piece", pushOf: pushWhole, sizeBytes: 60_000 },
];

describe.each(["before", "after"] as const)("when a call fails, %s it was made", (loss) => {
  it.each(pushes)(
    "$what can be repeated, whichever call it was",
    { timeout: 240_000 },
    async ({ pushOf, sizeBytes }) => {
      const person = await newPerson("faulty");
      const fresh = () => {
        const path = `${person.username}/${uniqueName("faults")}/app`;
        const bytes = makeSif({ salt: path, sizeBytes });
        return { path, bytes, act: pushOf(person, path, bytes) };
      };
      const calls = await callsOf(fresh().act);
      const names = new Set(calls.map(({ name }) => name));
      const expected = pushOf !== pushWhole ? ["createMultipartUpload", "uploadPart", "complete", "run"] : ["put"];
      expect([...names]).toEqual(expect.arrayContaining([...expected, "get", "batch"]));
      for (const n of losses(calls, loss, pushOf !== uploadInParts)) {
        const what = `call ${n} of ${calls.length}`;
        const { path, bytes, act } = fresh();
        await act(faulty(failing(n, loss).watcher)).catch(() => undefined);
        await expectConsistent(what);
        await restartStaleJobs();
        expect((await act(environment(smallParts))).status, what).toBe(200);
        await expectPulled(`${path}:v1`, bytes, what);
      }
      await expectConsistent("at the end");
    },
  );

  it.each([60_000, limits.formPartBytes + 40_000])(
    "a push of %i bytes by sregistry-cli can be repeated, whichever call it was",
    { timeout: 240_000 },
    async (sizeBytes) => {
      const person = await newSigner("faulty");
      const fresh = () => {
        const name = `${uniqueName("forms")}/app:v1`;
        const bytes = makeSif({ salt: name, sizeBytes });
        const act: Act = async (of) => {
          const answer = await askToPush(person, name, { env: of });
          return answer.status === 200
            ? await sendForm(person, name, bytes, { env: of, cid: await cidOf(answer) })
            : answer;
        };
        return { name, bytes, act };
      };
      const calls = await callsOf(fresh().act);
      const names = calls.map(({ name }) => name);
      expect(names).toContain("batch");
      expect(names).toContain(sizeBytes > limits.formPartBytes ? "uploadPart" : "put");
      for (const n of losses(calls, loss)) {
        const { name, bytes, act } = fresh();
        await act(faulty(failing(n, loss).watcher)).catch(() => undefined);
        await expectConsistent(`call ${n} of ${calls.length}`);
        expect((await act(environment())).status, `call ${n} of ${calls.length}`).toBe(200);
        await expectPulled(`${person.username}/${name}`, bytes, `call ${n} of ${calls.length}`);
      }
    },
  );

  it("a deletion can be repeated", async () => {
    const person = await newPerson("deleting");
    const remove = (path: string): Act => {
      const options: Ask = { method: "DELETE", token: person.token };
      return async (of) => await ask(`/v1/images/${path}:v1?arch=amd64`, { ...options, env: of });
    };
    const stored = async () => {
      const path = `${person.username}/${uniqueName("deleted")}/app`;
      await push(person.token, `${path}:v1`, makeSif({ salt: path }));
      return path;
    };
    const calls = await callsOf(remove(await stored()));
    for (const n of losses(calls, loss)) {
      const path = await stored();
      await remove(path)(faulty(failing(n, loss).watcher)).catch(() => undefined);
      await expectConsistent(`call ${n}`);
      expect([200, 404]).toContain((await remove(path)(environment())).status);
      expect(await pull(`${path}:v1`)).toBe(404);
    }
  });

  it("collecting garbage starts over where it was", async () => {
    const person = await newPerson("upkeep");
    const late = Date.now() + (limits.downloadMaxSeconds + limits.deleteGraceSeconds + 60) * 1000;
    const collect = (of: Env) => collectGarbage({ ...testContext(of), now: () => late });
    for (let n = 1; n <= 5; n++) {
      const path = `${person.username}/${uniqueName("garbage")}/app`;
      const { digest } = await push(person.token, `${path}:v1`, makeSif({ salt: path }));
      await ask(`/v1/images/${path}:v1?arch=amd64`, { method: "DELETE", token: person.token });
      await collect(faulty(failing(n, loss).watcher)).catch(() => undefined);
      await expectConsistent(`call ${n}`);
      await collect(environment());
      const rows = env.DB.prepare("SELECT count(*) AS n FROM blobs WHERE digest = ?").bind(digest);
      expect(await rows.first("n"), `call ${n}`).toBe(0);
    }
    await expectConsistent("at the end");
  });
});
