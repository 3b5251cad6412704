import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import type { Env } from "../../worker/env.ts";
import { type Ask, ask, askJson, environment, newPerson, type Person } from "../support/worker/registry.ts";
import { teamOf } from "../support/worker/teams.ts";

/*
 * How many rows lists read, beside thousands that are others' private ones: about what they answer, whoever asks.
 */
const OTHERS = 3000;

let alice: Person;
let bob: Person;
let admin: Person;

beforeAll(async () => {
  [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
  admin = await newPerson("admin", { role: "admin" });
  const team = await teamOf("team", { members: [bob.username] });
  const many = (count: number) => `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;
  const collections = (entity: string, prefix: string, visibility: string, count: number) =>
    env.DB.prepare(
      `INSERT INTO collections (id, entity_id, name, visibility, created_at, updated_at, star_count, pull_count)
       ${many(count)} SELECT ?1 || i, (SELECT id FROM entities WHERE name = ?2), ?1 || i, ?3, 1, i % 97, i % 7, i % 11 FROM n`,
    ).bind(prefix, entity, visibility);
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO users (id, username, created_at) ${many(OTHERS)} SELECT 'u' || i, 'other-' || i, 1 FROM n`,
    ),
    env.DB.prepare(
      `INSERT INTO entities (id, name, owner_user_id, created_at) ${many(OTHERS)} SELECT 'e' || i, 'other-' || i, 'u' || i, 1 FROM n`,
    ),
    env.DB.prepare(
      `INSERT INTO collections (id, entity_id, name, visibility, created_at, updated_at)
       ${many(OTHERS)} SELECT 'o' || i, 'e' || i, 'one', 'private', 1, i FROM n`,
    ),
    collections(alice.username, "hidden", "private", OTHERS),
    collections(alice.username, "open", "public", 150),
    collections(alice.username, "known", "internal", 150),
    collections(bob.username, "own", "private", 40),
    collections(team, "teams", "private", 40),
    env.DB.prepare(
      "INSERT INTO collection_members SELECT 'hidden' || i, (SELECT id FROM users WHERE username = ?), 'reader', 1 FROM (SELECT 5 AS i UNION SELECT 9)",
    ).bind(team),
  ]);
  await ask("/v1/token-status", { token: bob.token });
  await ask("/v1/token-status", { token: admin.token });
});

/** An environment that counts the rows which its lists read. */
function metered(): { env: Env; rows: () => number } {
  let rows = 0;
  const statement = (real: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(real, {
      get(target, key) {
        if (key === "bind") return (...values: unknown[]) => statement(target.bind(...values));
        if (key !== "all") return Reflect.get(target, key).bind(target);
        return async () => {
          const result = await target.all();
          rows += result.meta.rows_read;
          return result;
        };
      },
    });
  const DB = new Proxy(env.DB, {
    get: (target, key) =>
      key === "prepare" ? (sql: string) => statement(target.prepare(sql)) : Reflect.get(target, key).bind(target),
  });
  return { env: { ...environment(), DB }, rows: () => rows };
}

async function readBy(url: string, options: Ask): Promise<{ read: number; answered: number; next: string | null }> {
  const { env: counting, rows } = metered();
  const { items, next } = await askJson<{ items: unknown[]; next: string | null }>(url, { ...options, env: counting });
  return { read: rows(), answered: items.length, next };
}

it.each(["name", "updated", "stars", "pulls"])("the list of collections by %s, each of its pages", async (sort) => {
  for (const [who, token] of Object.entries({ nobody: null, bob: bob.token, admin: admin.token })) {
    let after = "";
    for (let page = 0; page < 3; page++) {
      const { read, answered, next } = await readBy(`/api/v1/collections?sort=${sort}${after}`, { token });
      expect(read, `${who}, page ${page}`).toBeGreaterThan(answered);
      // Up to three beginnings of a page are merged, one's own are looked through; then each has its entity.
      expect(read, `${who}, page ${page}`).toBeLessThan(1200);
      if (next === null) break;
      after = `&after=${next}`;
    }
  }
});

it("the list of an entity's collections, most of which the asker may not see", async () => {
  const url = `/api/v1/collections?entity=${alice.username}`;
  for (const [who, token] of Object.entries({ nobody: null, bob: bob.token, owner: alice.token, admin: admin.token })) {
    const { read, answered } = await readBy(url, { token });
    expect(answered, who).toBe(100);
    expect(read, who).toBeLessThan(1200);
  }
  expect((await readBy("/api/v1/collections?entity=other-7", { token: bob.token })).read).toBeLessThan(60);
});

it("the lists of one's own and of what one starred", async () => {
  for (const only of ["mine=1", "starred=1"]) {
    const { read, answered } = await readBy(`/api/v1/collections?${only}`, { token: bob.token });
    expect(read, only).toBeLessThan(100 + answered * 10);
  }
});

it("the list of entities", async () => {
  for (const [who, token, answered] of [
    ["nobody", null, 1],
    ["bob", bob.token, 3],
    ["admin", admin.token, 100],
  ] as const) {
    const found = await readBy("/api/v1/entities", { token });
    expect([who, found.answered]).toEqual([who, answered]);
    expect(found.read, who).toBeLessThan(100 + answered * 10);
  }
});
