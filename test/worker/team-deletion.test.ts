import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setFrozen } from "../../worker/registry/catalog/manage.ts";
import { parseImageReference } from "../../worker/registry/names.ts";
import { checkIntegrity } from "../../worker/registry/upkeep/check-integrity.ts";
import { makeSif } from "../support/make-sif.ts";
import { type Call, interrupted } from "../support/worker/calls.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  newPerson,
  newTokenFor,
  type Person,
  pull,
  push,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";
import { bring, codeOf, invite, newTeam } from "../support/worker/teams.ts";

/*
 * Deleting a team: what goes is shown first, and no more than that goes.
 */

interface Deletion {
  deletes: Record<string, unknown>;
  keeps: string[];
  obstacles: string[];
}

let alice: Person;
let bob: Person;
let team: string;
let image: string;
const bytes = () => makeSif({ salt: image });

beforeEach(async () => {
  [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
  team = (await newTeam(alice)).name;
  image = `${team}/tools/app`;
  await push(alice.token, `${image}:v1`, bytes());
});

async function preview(by = alice): Promise<{ deletion: Deletion; tag: string }> {
  const answer = await ask(`/api/v1/teams/${team}?preview=1`, { method: "DELETE", token: by.token });
  expect(answer.status).toBe(200);
  return { deletion: await answer.json<Deletion>(), tag: answer.headers.get("ETag") ?? "" };
}

const act = (tag: string, by = alice, options: Ask = {}) =>
  ask(`/api/v1/teams/${team}`, { method: "DELETE", token: by.token, headers: { "If-Match": tag }, ...options });

async function shared(): Promise<{ entity: string; name: string }> {
  const place = { entity: bob.username, name: uniqueName("shared") };
  await push(bob.token, `${place.entity}/${place.name}/app:v1`, makeSif({ salt: place.name }), { private: true });
  await env.DB.prepare(
    `INSERT INTO collection_members (collection_id, user_id, role, created_at)
     SELECT collections.id, users.id, 'reader', 0 FROM collections, users WHERE collections.name = ? AND username = ?`,
  )
    .bind(place.name, team)
    .run();
  return place;
}

describe("deleting a team", () => {
  it("says first what goes with it, and then does just that", async () => {
    await bring(alice, team, [bob]);
    await invite(alice, team);
    await shared();
    const robot = uniqueName("robot");
    await askJson("/api/v1/robots", { method: "POST", token: alice.token, body: { username: robot, team } });
    const robotToken = await newTokenFor(robot);
    const tomorrow = Date.now() + 86_400_000;
    await env.DB.prepare(
      `INSERT INTO shares (id, hash, image_id, note, created_by, created_at, expires_at)
       SELECT images.id || each.value, images.id || substr(hex(zeroblob(32)), 1, 64 - length(images.id) - 1) || each.value,
         images.id, '', users.id, 0, CASE each.value WHEN 1 THEN 1 ELSE ? END
       FROM images, users, json_each('[1, 2]') AS each
       INNER JOIN containers ON containers.id = images.container_id
       INNER JOIN collections ON collections.id = containers.collection_id
       INNER JOIN entities ON entities.id = collections.entity_id
       WHERE users.username = ? AND entities.name = ?`,
    )
      .bind(tomorrow, alice.username, team)
      .run();
    const { deletion, tag } = await preview();
    expect(deletion).toEqual({
      deletes: {
        entities: [team],
        collections: [`${team}/tools`],
        images: 1,
        tags: 1,
        bytes: bytes().length,
        // The other one has ended.
        shares: 1,
        publishers: 0,
        uploads: 0,
        robots: [robot],
        tokens: 1,
        members: 2,
        invitations: 1,
        grants: 1,
        offers: 0,
      },
      keeps: [expect.any(String), expect.any(String), expect.any(String)],
      obstacles: [],
    });
    expect((await act(tag)).status).toBe(204);
    expect(await codeOf(await ask(`/api/v1/teams/${team}`, { token: alice.token }))).toEqual([404, "not-found"]);
    expect(await pull(`${image}:v1`, alice.token)).toBe(404);
    expect((await ask("/v1/token-status", { token: robotToken })).status).toBe(404);
    for (const table of ["teams", "team_members", "invitations", "collection_members"]) {
      const column = { teams: "id", collection_members: "user_id" }[table] ?? "team_id";
      const orphans = `SELECT count(*) AS n FROM ${table} WHERE ${column} NOT IN (SELECT id FROM users)`;
      expect(await env.DB.prepare(orphans).first("n"), table).toBe(0);
    }
    const { findings } = await checkIntegrity(testContext(), operator, null);
    expect(findings.filter(({ kind }) => !["upload-open", "blob-unreferenced"].includes(kind))).toEqual([]);
    const named = env.DB.prepare("SELECT action FROM audit WHERE target IN (?, ?, ?)").bind(
      team,
      robot,
      `${team}/tools`,
    );
    const actions = (await named.all<{ action: string }>()).results.map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining(["team.delete", "robot.delete", "collection.delete"]));
  });

  it("keeps all its names from others, until an administrator frees them", async () => {
    const robot = uniqueName("robot");
    await askJson("/api/v1/robots", { method: "POST", token: alice.token, body: { username: robot, team } });
    await act((await preview()).tag);
    for (const name of [team, robot]) {
      const again = { method: "POST", token: bob.token, body: { name } };
      expect(await codeOf(await ask("/api/v1/teams", again)), name).toEqual([409, "name-taken"]);
    }
  });

  it("needs the tag of what was shown: not without, not by any other, and not twice", async () => {
    const { tag } = await preview();
    for (const none of ["", "*", '"*"']) expect(await codeOf(await act(none))).toEqual([428, "precondition-required"]);
    for (const wrong of ['"1"', '"nonsense"']) {
      expect(await codeOf(await act(wrong)), wrong).toEqual([412, "precondition-failed"]);
    }
    const two = await Promise.all([act(tag), act(tag)]);
    expect(two.map(({ status }) => status).sort((a, b) => a - b)).toEqual([204, expect.toSatisfy((s) => s >= 400)]);
  });

  it("does not delete what came after it was shown", async () => {
    const { tag } = await preview();
    await push(alice.token, `${image}:v2`, makeSif({ salt: `${image} 2` }));
    expect(await codeOf(await act(tag))).toEqual([412, "precondition-failed"]);
    expect(await pull(`${image}:v2`, alice.token)).toBeInstanceOf(Uint8Array);
  });

  it("does not delete what came in that very moment", async () => {
    const { tag } = await preview();
    const isDeleting = ({ name, sql }: Call) =>
      name === "batch" && sql.some((text) => /delete from "users"/i.test(text));
    const pushed = async () => await push(alice.token, `${image}:v2`, makeSif({ salt: `${image} 2` }));
    const answer = await act(tag, alice, { env: interrupted(environment(), isDeleting, pushed) });
    expect(await codeOf(answer)).toEqual([412, "precondition-failed"]);
    expect(await pull(`${image}:v1`, alice.token)).toBeInstanceOf(Uint8Array);
  });

  it("waits until what is frozen was thawed", async () => {
    await setFrozen(testContext(), operator, parseImageReference(`${image}:v1`), null, true);
    const { deletion, tag } = await preview();
    expect(deletion.obstacles).toEqual([`Something in ${team}/tools is frozen. Thaw it first.`]);
    expect(await codeOf(await act(tag))).toEqual([409, "frozen"]);
    await setFrozen(testContext(), operator, parseImageReference(`${image}:v1`), null, false);
    expect((await act((await preview()).tag)).status).toBe(204);
  });

  it("is for its owners and administrators; others learn nothing of what it has", async () => {
    await bring(alice, team, [bob]);
    const { tag } = await preview();
    for (const query of ["", "?preview=1"]) {
      const asked = { method: "DELETE", token: bob.token, headers: { "If-Match": tag } };
      expect(await codeOf(await ask(`/api/v1/teams/${team}${query}`, asked)), query).toEqual([403, "forbidden"]);
    }
    const admin = await newPerson("admin", { role: "admin" });
    expect((await act((await preview(admin)).tag, admin)).status).toBe(204);
  });

  it("takes the picture's object along", async () => {
    const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3]);
    const put = { method: "PUT", token: alice.token, body: png };
    expect((await ask(`/api/v1/teams/${team}/picture`, put)).status).toBe(204);
    const key = await env.DB.prepare("SELECT picture_key AS k FROM teams WHERE picture_key IS NOT NULL").first("k");
    await act((await preview()).tag);
    const noted = env.DB.prepare("SELECT count(*) AS n FROM discarded_objects WHERE object_key = ?").bind(key);
    expect(await noted.first("n")).toBe(1);
  });
});
