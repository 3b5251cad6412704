import { beforeAll, describe, expect, it } from "vitest";
import { operator, type Visibility } from "../../worker/access/roles.ts";
import { setMember, setVisibility } from "../../worker/registry/catalog/manage.ts";
import { makeSif } from "../support/make-sif.ts";
import { namesOf, signed } from "../support/sregistry-client.ts";
import { ask, environment, newTokenFor, testContext, uniqueName } from "../support/worker/registry.ts";
import {
  askToPush,
  newSigner,
  type SregistryUser,
  sregistryDelete,
  sregistryPush,
} from "../support/worker/sregistry.ts";

/*
 * What the policy says (test/unit/policy-table.txt), as sregistry's protocol says it: every actor, every
 * visibility, every route that names a container.
 */

const roles = ["owner", "contributor", "reader", "stranger", "admin"] as const;
type Role = (typeof roles)[number];

const people = {} as Record<Role, SregistryUser>;
const collections = {} as Record<Visibility, string>;
let elsewhere: string;

beforeAll(async () => {
  for (const role of roles) people[role] = await newSigner(role, role === "admin" ? { role } : {});
  const { owner } = people;
  for (const visibility of ["public", "internal", "private"] as const) {
    const name = uniqueName(visibility);
    collections[visibility] = name;
    await sregistryPush(owner, `${name}/tool:1`, makeSif({ salt: name }));
    const path = { entity: owner.username, name };
    await setVisibility(testContext(), operator, path, visibility);
    for (const role of ["contributor", "reader"] as const) {
      await setMember(testContext(), operator, path, people[role].username, role);
    }
  }
  const other = uniqueName("elsewhere");
  await sregistryPush(owner, `${other}/tool:1`, makeSif({ salt: other }));
  elsewhere = await newTokenFor(owner.username, { collection: { entity: owner.username, name: other } });
});

/** By role; `anonymous` signs nothing, `elsewhere` is the owner's token for another collection. */
type Table = Record<Visibility, Record<Role | "anonymous" | "elsewhere", number>>;

const all = (status: number) => Object.fromEntries(roles.map((role) => [role, status])) as Record<Role, number>;

const pulls: Table = {
  public: { ...all(200), anonymous: 200, elsewhere: 200 },
  internal: { ...all(200), anonymous: 403, elsewhere: 404 },
  private: { ...all(200), stranger: 404, anonymous: 403, elsewhere: 404 },
};

const refused = { reader: 403, stranger: 403, anonymous: 403, elsewhere: 403 };
const pushes: Table = {
  public: { ...all(200), ...refused },
  internal: { ...all(200), ...refused, elsewhere: 403 },
  // A name that somebody has who does not show it: it cannot be had, as one that is kept from a deleted collection.
  private: { ...all(200), ...refused, stranger: 409 },
};

const deletions: Table = {
  public: { ...all(403), owner: 204, admin: 204, anonymous: 403, elsewhere: 403 },
  internal: { ...all(403), owner: 204, admin: 204, anonymous: 403, elsewhere: 404 },
  private: { ...all(403), owner: 204, admin: 204, stranger: 404, anonymous: 403, elsewhere: 404 },
};

describe.each(["public", "internal", "private"] as const)("a %s collection", (visibility) => {
  const nameIn = (tag = "1") => `${collections[visibility]}/tool:${tag}`;

  it.each([...roles, "anonymous", "elsewhere"] as const)("is pulled from by whoever may: %s", async (who) => {
    const token = who === "elsewhere" ? elsewhere : null;
    const headers: Record<string, string> =
      who === "anonymous" || who === "elsewhere"
        ? {}
        : { Authorization: signed("pull", people[who], namesOf(nameIn())) };
    expect((await ask(`/api/container/${nameIn()}`, { token, headers })).status).toBe(pulls[visibility][who]);
    // What is not there answers as what may not be seen.
    const absent = await ask("/api/container/no-such-collection/tool:1", { token });
    expect(absent.status).toBe(who === "elsewhere" ? 404 : 403);
  });

  it.each([...roles, "anonymous", "elsewhere"] as const)("is pushed to by whoever may: %s", async (who) => {
    const signer = who === "anonymous" || who === "elsewhere" ? people.stranger : people[who];
    const authorization = who === "anonymous" ? null : who === "elsewhere" ? `Bearer ${elsewhere}` : undefined;
    const answer = await askToPush(signer, nameIn("2"), authorization === undefined ? {} : { authorization });
    expect(answer.status).toBe(pushes[visibility][who]);
  });

  it.each([...roles, "anonymous", "elsewhere"] as const)("is deleted from by whoever may: %s", async (who) => {
    const tag = `for-${who}`;
    await sregistryPush(people.owner, nameIn(tag), makeSif({ salt: nameIn(tag) }));
    const answer =
      who === "anonymous" || who === "elsewhere"
        ? await ask(`/api/container/${nameIn(tag)}`, {
            method: "DELETE",
            token: who === "elsewhere" ? elsewhere : null,
          })
        : await sregistryDelete(nameIn(tag), people[who]);
    expect(answer.status).toBe(deletions[visibility][who]);
    const left = await ask(`/v1/images/${people.owner.username}/${nameIn(tag)}?arch=amd64`, {
      token: people.owner.token,
    });
    expect(left.status).toBe(answer.status === 204 ? 404 : 200);
  });
});

it("with PRIVATE_ONLY nothing is public any more, and with DISABLE_BUILDING nobody pushes", async () => {
  const name = `${collections.public}/tool:1`;
  const closed = environment({ PRIVATE_ONLY: "true" });
  expect((await ask(`/api/container/${name}`, { env: closed })).status).toBe(403);
  const headers = { Authorization: signed("pull", people.stranger, namesOf(name)) };
  expect((await ask(`/api/container/${name}`, { env: closed, headers })).status).toBe(404);
  const still = environment({ DISABLE_BUILDING: "true" });
  for (const role of roles) expect((await askToPush(people[role], name, { env: still })).status, role).toBe(403);
});
