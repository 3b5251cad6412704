import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { decide } from "../../worker/access/policy.ts";
import { type Actor, anonymous, operator, type Visibility } from "../../worker/access/roles.ts";
import type { Context } from "../../worker/context.ts";
import { findCollection, listCollections } from "../../worker/registry/catalog/collections.ts";
import { findEntity } from "../../worker/registry/catalog/entities.ts";
import { collectionSorts, listCollectionsBy } from "../../worker/registry/catalog/list-collections.ts";
import { listEntities } from "../../worker/registry/catalog/list-entities.ts";
import { setMember, setVisibility } from "../../worker/registry/catalog/manage.ts";
import { authenticate } from "../../worker/registry/people/authenticate.ts";
import { search } from "../../worker/registry/search/search-catalog.ts";
import { makeSif } from "../support/make-sif.ts";
import {
  environment,
  indexed,
  newPerson,
  newTokenFor,
  type Person,
  push,
  testContext,
} from "../support/worker/registry.ts";
import { teamOf } from "../support/worker/teams.ts";

/*
 * Lists ask the database what `decide` would say of each row. Both are held against each other here over
 * every kind of actor, visibility and membership.
 */
const visibilities: Visibility[] = ["public", "internal", "private"];
const memberships = ["none", "reader", "contributor", "team"] as const;
const settings = [{}, { PRIVATE_ONLY: "true" }];

let actors: [string, Actor][];
let owner: Person;
/** Whose collections are looked at: a person's, and a team's. */
let names: string[];

beforeAll(async () => {
  const ctx = testContext();
  owner = await newPerson("owner");
  const [member, stranger] = [await newPerson("member"), await newPerson("stranger")];
  const [admin, superuser] = [
    await newPerson("admin", { role: "admin" }),
    await newPerson("root", { role: "superuser" }),
  ];
  const [colleague, head, hand] = [await newPerson("colleague"), await newPerson("head"), await newPerson("hand")];
  const granted = await teamOf("granted", { members: [colleague.username] });
  const owning = await teamOf("owning", { owners: [head.username], members: [hand.username] });
  for (const visibility of visibilities) {
    for (const membership of memberships) {
      const path = { entity: owner.username, name: `${visibility}-${membership}` };
      await push(owner.token, `${path.entity}/${path.name}/app:v1`, makeSif({ salt: path.name }));
      await setVisibility(ctx, operator, path, visibility);
      if (membership === "team") await setMember(ctx, operator, path, granted, "reader", "team");
      else if (membership !== "none") await setMember(ctx, operator, path, member.username, membership);
    }
    const path = { entity: owning, name: `${visibility}-of-team` };
    await push(head.token, `${path.entity}/${path.name}/app:v1`, makeSif({ salt: path.name }));
    await setVisibility(ctx, operator, path, visibility);
  }
  names = [
    ...visibilities.flatMap((visibility) => memberships.map((kind) => `${owner.username}/${visibility}-${kind}`)),
    ...visibilities.map((visibility) => `${owning}/${visibility}-of-team`),
  ];
  await indexed();
  const own = { entity: owner.username, name: "private-reader" };
  const actorOf = async (token: string) => await authenticate(testContext(), `Bearer ${token}`);
  const narrowed = async ({ username }: Person, collection = own) =>
    await actorOf(await newTokenFor(username, { collection }));
  actors = [
    ["anonymous", anonymous],
    ["operator", operator],
    ["owner", await actorOf(owner.token)],
    ["owner, push only", await actorOf(await newTokenFor(owner.username, { scopes: ["push"] }))],
    ["owner, for one collection", await narrowed(owner)],
    ["member", await actorOf(member.token)],
    ["member, for one collection", await narrowed(member)],
    ["member of a granted team", await actorOf(colleague.token)],
    ["owner of the owning team", await actorOf(head.token)],
    ["member of the owning team", await actorOf(hand.token)],
    [
      "member of the owning team, for one collection",
      await narrowed(hand, { entity: owning, name: "private-of-team" }),
    ],
    ["stranger", await actorOf(stranger.token)],
    ["admin", await actorOf(admin.token)],
    ["admin, for one collection", await narrowed(admin)],
    ["superuser", await actorOf(superuser.token)],
  ];
});

/** The names `decide` lets the actor see, each asked for by itself. */
async function decided(ctx: Context, actor: Actor): Promise<string[]> {
  const visible: string[] = [];
  for (const path of names) {
    const [entity = "", name = ""] = path.split("/");
    const row = await findCollection(ctx, actor, { entity, name });
    if (row !== null && decide(actor, "collection.see", row.facts, ctx.settings).allowed) visible.push(path);
  }
  return visible.sort();
}

describe.each(settings)("with %o, lists and search show exactly what the policy allows", (changed) => {
  it("to every kind of actor", async () => {
    const ctx = testContext(environment(changed));
    const seen = new Set<string>();
    for (const [who, actor] of actors) {
      const expected = await decided(ctx, actor);
      const { items } = await listCollections(ctx, actor, null);
      expect(items.map(({ collection, entity }) => `${entity.name}/${collection.name}`).sort(), `${who}: list`).toEqual(
        expected,
      );
      for (const sort of collectionSorts) {
        const sorted = await listCollectionsBy(ctx, actor, { sort, after: null, entity: null, only: null });
        const paths = sorted.items.map(({ entity, collection }) => `${entity}/${collection}`);
        expect(paths.sort(), `${who}: list by ${sort}`).toEqual(expected);
      }
      const holders = [...new Set(expected.map((path) => path.split("/")[0] ?? ""))].sort();
      for (const entity of [...new Set(names.map((path) => path.split("/")[0] ?? ""))]) {
        const inIt = await listCollectionsBy(ctx, actor, { sort: "name", after: null, entity, only: null });
        const paths = inIt.items.map(({ collection }) => `${entity}/${collection}`);
        expect(paths.sort(), `${who}: list of ${entity}`).toEqual(expected.filter((path) => path.startsWith(entity)));
        const facts = (await findEntity(ctx, actor, { name: entity }))?.facts;
        expect(facts?.hasVisibleCollection, `${who}: ${entity}`).toBe(holders.includes(entity));
        const seesEntity = facts !== undefined && decide(actor, "entity.see", facts, ctx.settings).allowed;
        const listed = (await listEntities(ctx, actor, null)).items.some((item) => item.entity === entity);
        expect(listed, `${who}: ${entity} in the list`).toBe(seesEntity);
      }
      const searched = await Promise.all(
        [owner.username, "owning"].map((text) => search(ctx, actor, { text, architectures: [], signedOnly: false })),
      );
      const inSearch = searched.flatMap(({ images }) =>
        images.map(({ entity, collection }) => `${entity.name}/${collection.name}`),
      );
      expect([...new Set(inSearch)].sort(), `${who}: search`).toEqual(expected);
      seen.add(expected.join());
    }
    expect(seen.size).toBeGreaterThanOrEqual(3);
  });
});

describe("the tables of the test above", () => {
  it("hold every visibility that the database takes", async () => {
    const { sql } = (await env.DB.prepare("SELECT sql FROM sqlite_master WHERE name = 'collections'").first<{
      sql: string;
    }>()) ?? { sql: "" };
    for (const visibility of visibilities) expect(sql).toContain(`'${visibility}'`);
  });
});
