import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Env } from "../../worker/env.ts";
import { runUpkeep } from "../../worker/registry/upkeep/run-upkeep.ts";
import { makeSif } from "../support/make-sif.ts";
import { MultipartClient, PART_BYTES, smallParts } from "../support/worker/multipart.ts";
import {
  type Ask,
  ask,
  environment,
  newPerson,
  type Person,
  register,
  testContext,
} from "../support/worker/registry.ts";

/*
 * What pulls and pushes ask of the database must not take longer the more the registry holds: every
 * statement goes by an index. Search and lists are not meant here.
 */

interface Asked {
  sql: string;
  params: unknown[];
}

/** An environment that notes every statement with its parameters. */
function noting(): { of: Env; asked: Asked[] } {
  const asked: Asked[] = [];
  const database = new Proxy(env.DB, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (name !== "prepare") return (...args: unknown[]) => Reflect.apply(value, target, args) as unknown;
      return (sql: string) => {
        const statement = target.prepare(sql);
        const bind = statement.bind.bind(statement);
        const note = { sql, params: [] as unknown[] };
        asked.push(note);
        return Object.assign(statement, {
          bind: (...params: unknown[]) => {
            note.params = params;
            return bind(...params);
          },
        });
      };
    },
  });
  return { of: { ...environment(smallParts), DB: database }, asked };
}

/** The steps of a statement's plan that read a whole table. */
async function scans({ sql, params }: Asked): Promise<string[]> {
  const plan = env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`).bind(...params);
  const { results } = await plan.all<{ detail: string }>();
  const details = results.map(({ detail }) => detail);
  return details.filter((detail) => /^SCAN (?!CONSTANT ROW|twin|guards|json_)/.test(detail));
}

async function expectNoScan(asked: Asked[]): Promise<void> {
  expect(asked.length).toBeGreaterThan(0);
  for (const one of asked) expect(await scans(one), one.sql).toEqual([]);
}

describe("every statement goes by an index", () => {
  let person: Person;
  let path: string;

  beforeAll(async () => {
    person = await newPerson("planner");
    path = `${person.username}/planned/app`;
  });

  it("or is noticed here", async () => {
    const table = { sql: "SELECT id FROM images WHERE description = ?", params: ["x"] };
    expect(await scans(table)).toEqual(["SCAN images"]);
  });

  it("when an image is pushed, in one piece and in parts, tagged and deleted", async () => {
    const { of, asked } = noting();
    for (const bytes of [makeSif({ salt: "plan" }), makeSif({ salt: "plan", sizeBytes: PART_BYTES + 9000 })]) {
      const image = await register(person.token, path, bytes, { env: of });
      const client = new MultipartClient(person.token, image, bytes, of);
      expect((await client.pushAll()).status).toBe(200);
      expect((await client.setTag("v1")).status).toBe(200);
    }
    const gone: Ask = { method: "DELETE", token: person.token, env: of };
    expect((await ask(`/v1/images/${path}:v1?arch=amd64`, gone)).status).toBe(200);
    await expectNoScan(asked);
  });

  it("when an image is looked for and pulled, however it is named", async () => {
    const { of, asked } = noting();
    for (const reference of [`${path}:v1`, "planned/app:v1", "app", `${path}:sha256.${"0".repeat(64)}`]) {
      for (const route of ["images", "imagefile"]) {
        for (const suffix of ["?arch=amd64", ""]) {
          for (const token of [null, person.token]) await ask(`/v1/${route}/${reference}${suffix}`, { token, env: of });
        }
      }
    }
    await expectNoScan(asked);
  });

  it("when upkeep looks for what is due", async () => {
    const { of, asked } = noting();
    await runUpkeep(testContext(of));
    // These two are lists of what is to be done, and read from their beginning.
    await expectNoScan(asked.filter(({ sql }) => !/^select .* from "(?:discarded_objects|jobs)"/.test(sql)));
  });
});
