import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { decide } from "../../worker/access/policy.ts";
import { type CollectionRole, operator, type Visibility } from "../../worker/access/roles.ts";
import { findCollection } from "../../worker/registry/catalog/collections.ts";
import { setMember, setVisibility } from "../../worker/registry/catalog/manage.ts";
import { mayPush } from "../../worker/registry/catalog/may-push.ts";
import { RegistryError } from "../../worker/registry/errors.ts";
import { authenticate } from "../../worker/registry/people/authenticate.ts";
import { makeSif } from "../support/make-sif.ts";
import { environment, newPerson, newTokenFor, push, testContext } from "../support/worker/registry.ts";
import { leaveTeam, newRobotOf, teamOf } from "../support/worker/teams.ts";

/*
 * What ends in somebody's name without them asks the database whether they may push: `mayPush` says in SQL what
 * `decide` says of `collection.push`. Both are held against each other over everybody who may, or might.
 */
const visibilities: Visibility[] = ["public", "internal", "private"];
const roles: CollectionRole[] = ["reader", "contributor", "owner"];

/** Who is asked about, by a username. */
let people: [string, string][];
/** A person's collections, and a team's. */
let collections: { entity: string; name: string }[];

beforeAll(async () => {
  const ctx = testContext();
  const owner = await newPerson("owner");
  const [head, hand, left] = [await newPerson("head"), await newPerson("hand"), await newPerson("left")];
  const owning = await teamOf("owning", { owners: [head.username], members: [hand.username, left.username] });
  collections = [];
  for (const [entity, token] of [
    [owner.username, owner.token],
    [owning, head.token],
  ] as const) {
    for (const visibility of visibilities) {
      await push(token, `${entity}/${visibility}-one/app:v1`, makeSif({ salt: `${entity} ${visibility}` }));
      await setVisibility(ctx, operator, { entity, name: `${visibility}-one` }, visibility);
      collections.push({ entity, name: `${visibility}-one` });
    }
  }
  const grantAll = async (name: string, role: CollectionRole, kind: "user" | "team" = "user") => {
    for (const path of collections) await setMember(ctx, operator, path, name, role, kind);
  };
  people = [
    ["owner of the entity", owner.username],
    ["owner of the owning team", head.username],
    ["member of the owning team", hand.username],
    ["somebody who left the owning team", left.username],
    ["the owning team itself", owning],
    ["stranger", (await newPerson("stranger")).username],
    ["admin", (await newPerson("admin", { role: "admin" })).username],
    ["superuser", (await newPerson("root", { role: "superuser" })).username],
  ];
  await leaveTeam(owning, left.username);
  const set = async (username: string, what: string) =>
    await env.DB.prepare(`UPDATE users SET ${what} WHERE username = ?`).bind(username).run();
  for (const role of roles) {
    const [person, colleague, gone] = [await newPerson(role), await newPerson("colleague"), await newPerson("gone")];
    const robot = await newRobotOf(owner.username);
    const team = await teamOf(`${role}s`, { owners: [owner.username], members: [colleague.username] });
    for (const name of [person.username, gone.username, robot]) await grantAll(name, role);
    await grantAll(team, role, "team");
    await set(gone.username, "disabled_at = 1");
    people.push([role, person.username], [`${role} by a team`, colleague.username]);
    people.push([`robot as ${role}`, robot], [`disabled ${role}`, gone.username]);
  }
  const both = await newPerson("both");
  const readers = await teamOf("readers", { members: [both.username] });
  await grantAll(both.username, "contributor");
  await grantAll(readers, "reader", "team");
  people.push(["contributor whose team may only read", both.username]);
  const removed = await newPerson("removed", { role: "admin" });
  await set(removed.username, "disabled_at = 1");
  people.push(["disabled admin", removed.username]);
  for (const [who, until] of [
    ["admin by a claim that counts", Date.now() + 60_000],
    ["admin by a claim that has ended", Date.now() - 1],
  ] as const) {
    const { username } = await newPerson("claimed");
    await set(username, `claimed_admin_until = ${until}`);
    people.push([who, username]);
  }
});

/** What the policy says when they come themselves, with all their rights. */
async function decided(username: string, path: { entity: string; name: string }): Promise<boolean> {
  const ctx = testContext();
  try {
    const actor = await authenticate(ctx, `Bearer ${await newTokenFor(username)}`);
    const found = await findCollection(ctx, actor, path);
    return found !== null && decide(actor, "collection.push", found.facts, ctx.settings).allowed;
  } catch (thrown) {
    if (thrown instanceof RegistryError) return false;
    throw thrown;
  }
}

async function asked(username: string | null, { entity, name }: { entity: string; name: string }): Promise<boolean> {
  const ctx = testContext(environment({ DISABLE_BUILDING: "true" }));
  const id = sql`(SELECT c.id FROM collections AS c INNER JOIN entities AS e ON e.id = c.entity_id
    WHERE e.name = ${entity} AND c.name = ${name})`;
  const user = username === null ? sql`NULL` : sql`(SELECT u.id FROM users AS u WHERE u.username = ${username})`;
  return (await ctx.db.get<{ is: number }>(sql`SELECT ${mayPush(ctx, user, id)} AS "is"`)).is === 1;
}

describe("what ends in somebody's name", () => {
  it("is allowed exactly where they may push themselves, and goes on when pushes are turned off", async () => {
    const seen = new Map<boolean, number>();
    for (const path of collections) {
      for (const [who, username] of people) {
        const expected = await decided(username, path);
        expect(await asked(username, path), `${who} in ${path.entity}/${path.name}`).toBe(expected);
        seen.set(expected, (seen.get(expected) ?? 0) + 1);
      }
    }
    expect([...seen.values()].every((times) => times > 20)).toBe(true);
  });

  it("is not for somebody who was deleted", async () => {
    for (const path of collections) expect(await asked(null, path)).toBe(false);
  });
});
