import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Pull } from "../../worker/context.ts";
import type { Env } from "../../worker/env.ts";
import type { PullMeter } from "../../worker/index.ts";
import { limits } from "../../worker/registry/limits.ts";
import { writePullReport } from "../../worker/registry/pull/pull-counts.ts";
import { makeSif } from "../support/make-sif.ts";
import { type Watcher, watched } from "../support/worker/calls.ts";
import {
  ask,
  environment,
  newPerson,
  type Person,
  type Pushed,
  pull,
  push,
  testContext,
} from "../support/worker/registry.ts";

let alice: Person;

beforeAll(async () => {
  alice = await newPerson("metered");
});

async function stored(name: string): Promise<Pushed & { path: string }> {
  const path = `${alice.username}/${name}/app`;
  return { path, ...(await push(alice.token, `${path}:v1,latest`, makeSif({ salt: path }))) };
}

function meterOf(containerId: string): DurableObjectStub<PullMeter> {
  const namespace = env.PULL_METER as DurableObjectNamespace<PullMeter>;
  return namespace.get(namespace.idFromName(containerId));
}

/** Has the meter report now instead of in a minute. @returns whether it had anything to report */
async function report(containerId: string): Promise<boolean> {
  return await runDurableObjectAlarm(meterOf(containerId));
}

interface Count {
  tag: string;
  arch: string;
  pulls: number;
  bytes: number;
}

async function countsOf(containerId: string): Promise<Count[]> {
  const rows = env.DB.prepare("SELECT tag, arch, pulls, bytes FROM pull_counts WHERE container_id = ? ORDER BY tag");
  return (await rows.bind(containerId).all<Count>()).results;
}

async function totalsOf({ containerId, collectionId }: Pushed): Promise<(number | null)[]> {
  const of = async (table: string, id: string) =>
    await env.DB.prepare(`SELECT pull_count AS n FROM ${table} WHERE id = ?`).bind(id).first<number>("n");
  return [await of("containers", containerId), await of("collections", collectionId)];
}

describe("a pull is counted", () => {
  it("once for each download that was begun, under the tag it was asked for by", async () => {
    const image = await stored("counted");
    const sizeBytes = makeSif({ salt: image.path }).length;
    for (const reference of ["v1", "v1", "latest", image.digest]) await pull(`${image.path}:${reference}`);
    expect(await countsOf(image.containerId)).toEqual([]);
    expect(await report(image.containerId)).toBe(true);
    const one = { arch: "amd64", pulls: 1, bytes: sizeBytes };
    expect(await countsOf(image.containerId)).toEqual([
      { ...one, tag: "" },
      { ...one, tag: "latest" },
      { ...one, tag: "v1", pulls: 2, bytes: 2 * sizeBytes },
    ]);
    expect(await totalsOf(image)).toEqual([4, 4]);
    await pull(`${image.path}:v1`);
    await report(image.containerId);
    expect(await totalsOf(image)).toEqual([5, 5]);
  });

  it("by sregistry's and shub's clients too, and neither for HEAD, ranges, a look nor a refusal", async () => {
    const image = await stored("shub");
    const manifest = await ask(`/api/container/${image.path}:v1`);
    const { image: url } = await manifest.json<{ image: string }>();
    for (const headers of [{}, { Range: "bytes=0-9" }]) await (await ask(url, { headers })).arrayBuffer();
    await ask(url, { method: "HEAD" });
    await ask(`/api/container/${image.path}:v1`, { method: "HEAD" });
    await ask(`/v1/imagefile/${image.path}:v1`, { method: "HEAD" });
    await ask(`/v1/images/${image.path}:v1`);
    await ask(`/v1/imagefile/${image.path}:nothing`);
    await report(image.containerId);
    expect(await totalsOf(image)).toEqual([1, 1]);
  });

  it("when many come at once", async () => {
    const image = await stored("crowd");
    await Promise.all(Array.from({ length: 20 }, () => ask(`/v1/imagefile/${image.path}:v1`)));
    await report(image.containerId);
    expect(await totalsOf(image)).toEqual([20, 20]);
  });
});

/** A report whose writing passes a watcher. */
async function reportThrough(containerId: string, watcher: Watcher): Promise<void> {
  const of = watched(environment(), watcher);
  const stub = meterOf(containerId);
  await runInDurableObject(stub, (meter) => Object.defineProperty(meter, "env", { value: of, configurable: true }));
  await report(containerId);
  const real: Env = environment();
  await runInDurableObject(stub, (meter) => Object.defineProperty(meter, "env", { value: real, configurable: true }));
}

describe("a report of a meter", () => {
  it.each(["before", "after"] as const)(
    "that failed %s it was written is neither lost nor counted twice",
    async (loss) => {
      const image = await stored(`fails-${loss}`);
      await pull(`${image.path}:v1`);
      let failed = 0;
      const fail = async () => {
        failed++;
        throw new Error("injected: Network connection lost");
      };
      await reportThrough(image.containerId, { [loss]: fail });
      expect(failed).toBe(1);
      // What comes meanwhile goes into the report behind it.
      await pull(`${image.path}:v1`);
      while (await report(image.containerId));
      expect(await totalsOf(image)).toEqual([2, 2]);
      expect((await countsOf(image.containerId)).map(({ pulls }) => pulls)).toEqual([2]);
    },
  );

  it("does not lose what is pulled while it is being written", async () => {
    const image = await stored("meanwhile");
    await pull(`${image.path}:v1`);
    await reportThrough(image.containerId, { before: async () => void (await pull(`${image.path}:v1`)) });
    while (await report(image.containerId));
    expect(await totalsOf(image)).toEqual([2, 2]);
  });

  it("that comes twice counts once, and one with an older number not at all", async () => {
    const image = await stored("twice");
    const { containerId } = image;
    const counts = [{ day: 20_000, tag: "v1", arch: "amd64", pulls: 3, bytes: 30 }];
    for (const number of [7, 7, 6]) await writePullReport(testContext(), { containerId, report: number, counts });
    expect(await totalsOf(image)).toEqual([3, 3]);
    await writePullReport(testContext(), { containerId, report: 8, counts });
    expect(await totalsOf(image)).toEqual([6, 6]);
  });

  it("carries a part of very many tags, and the next one the rest", async () => {
    const image = await stored("many");
    const { containerId } = image;
    const pullOf = (tag: string): Pull => ({ containerId, tag, arch: "amd64", bytes: 10 });
    await runInDurableObject(meterOf(containerId), async (meter) => {
      for (let n = 0; n <= limits.meterRows; n++) await meter.count(pullOf(`t${n}`));
    });
    // The rest follows by itself.
    await report(containerId);
    const all = limits.meterRows + 1;
    await expect.poll(async () => await totalsOf(image), { timeout: 20_000 }).toEqual([all, all]);
    expect(await countsOf(containerId)).toHaveLength(all);
  });

  it("of a container that was deleted meanwhile goes without a word, and leaves nothing", async () => {
    const image = await stored("gone");
    await pull(`${image.path}:v1`);
    await env.DB.prepare("DELETE FROM tags WHERE container_id = ?").bind(image.containerId).run();
    await env.DB.prepare("DELETE FROM containers WHERE id = ?").bind(image.containerId).run();
    expect(await report(image.containerId)).toBe(true);
    expect(await countsOf(image.containerId)).toEqual([]);
    expect(await report(image.containerId)).toBe(false);
    await runInDurableObject(meterOf(image.containerId), (_, { storage }) => {
      expect(storage.sql.exec("SELECT * FROM pulls UNION ALL SELECT * FROM sent").toArray()).toEqual([]);
    });
  });

  it("writes one batch, and finds its rows by indexes", async () => {
    const image = await stored("batch");
    await pull(`${image.path}:v1`);
    const statements: string[] = [];
    let calls = 0;
    const before: Watcher["before"] = async ({ sql }) => {
      calls++;
      statements.push(...sql);
    };
    await reportThrough(image.containerId, { before });
    expect(calls).toBe(1);
    for (const statement of statements) {
      const unbound = statement.replace(/\?\d*/g, "NULL");
      const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${unbound}`).all<{ detail: string }>();
      const scans = results.filter(({ detail }) => /^SCAN (?!CONSTANT|\w+ VIRTUAL TABLE)/.test(detail));
      expect(scans, statement).toEqual([]);
    }
  });
});
