import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { decide } from "../../worker/access/policy.ts";
import { type Actor, anonymous, operator, type Visibility } from "../../worker/access/roles.ts";
import type { Context } from "../../worker/context.ts";
import { findCollection, listCollections } from "../../worker/registry/catalog/collections.ts";
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

/*
 * Lists ask the database what `decide` would say of each row. Both are held against each other here over
 * every kind of actor, visibility and membership.
 */
const visibilities: Visibility[] = ["public", "internal", "private"];
const memberships = ["none", "reader", "contributor"] as const;
const settings = [{}, { PRIVATE_ONLY: "true" }];

let actors: [string, Actor][];
let owner: Person;

beforeAll(async () => {
  const ctx = testContext();
  owner = await newPerson("owner");
  const [member, stranger] = [await newPerson("member"), await newPerson("stranger")];
  const [admin, superuser] = [
    await newPerson("admin", { role: "admin" }),
    await newPerson("root", { role: "superuser" }),
  ];
  for (const visibility of visibilities) {
    for (const membership of memberships) {
      const path = { entity: owner.username, name: `${visibility}-${membership}` };
      await push(owner.token, `${path.entity}/${path.name}/app:v1`, makeSif({ salt: path.name }));
      await setVisibility(ctx, operator, path, visibility);
      if (membership !== "none") await setMember(ctx, operator, path, member.username, membership);
    }
  }
  await indexed();
  const own = { entity: owner.username, name: "private-reader" };
  const actorOf = async (token: string) => await authenticate(testContext(), `Bearer ${token}`);
  const narrowed = async ({ username }: Person) => await actorOf(await newTokenFor(username, { collection: own }));
  actors = [
    ["anonymous", anonymous],
    ["operator", operator],
    ["owner", await actorOf(owner.token)],
    ["owner, push only", await actorOf(await newTokenFor(owner.username, { scopes: ["push"] }))],
    ["owner, for one collection", await narrowed(owner)],
    ["member", await actorOf(member.token)],
    ["member, for one collection", await narrowed(member)],
    ["stranger", await actorOf(stranger.token)],
    ["admin", await actorOf(admin.token)],
    ["admin, for one collection", await narrowed(admin)],
    ["superuser", await actorOf(superuser.token)],
  ];
});

/** The names `decide` lets the actor see, each asked for by itself. */
async function decided(ctx: Context, actor: Actor): Promise<string[]> {
  const names = visibilities.flatMap((visibility) => memberships.map((membership) => `${visibility}-${membership}`));
  const visible: string[] = [];
  for (const name of names) {
    const row = await findCollection(ctx, actor, { entity: owner.username, name });
    if (row !== null && decide(actor, "collection.see", row.facts, ctx.settings).allowed) visible.push(name);
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
      expect(items.map(({ collection }) => collection.name).sort(), `${who}: list`).toEqual(expected);
      const found = await search(ctx, actor, { text: owner.username, architectures: [], signedOnly: false });
      const inSearch = found.images.map(({ collection }) => collection.name);
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
