import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { newToken } from "../../worker/access/credentials.ts";
import { collectionOperations } from "../../worker/protocols/web/collections.ts";
import { entityOperations } from "../../worker/protocols/web/entities.ts";
import { handOverOperations } from "../../worker/protocols/web/hand-overs.ts";
import { peopleOperations } from "../../worker/protocols/web/people.ts";
import { starOperations } from "../../worker/protocols/web/stars.ts";
import { type Ask, ask, askJson, newPerson, newTokenFor, type Person, uniqueName } from "../support/worker/registry.ts";
import { newSession, type TestSession } from "../support/worker/session.ts";
import { askAsShown, tagOfPreview } from "../support/worker/shown.ts";
import { teamOf } from "../support/worker/teams.ts";

/*
 * What every route on entities, collections, their people and stars that changes something must withstand. A test at the end
 * holds the table against the operations that there are.
 */

interface World {
  alice: Person;
  /** In one team with alice. */
  bob: Person;
  /** In none. */
  stranger: Person;
  admin: Person;
  team: string;
  session: TestSession;
  expired: string;
  pullOnly: string;
  /** Alice's, for another collection. */
  narrow: string;
}

interface Route {
  name: string;
  method: string;
  /** Makes what it needs, and says where it is. */
  url: (world: World) => Promise<string> | string;
  body: ((world: World) => Record<string, unknown>) | null;
  /** Who may. */
  by: "alice" | "bob" | "admin";
  /** The status of the first time, and those it may have when it is repeated, or another is made at once. */
  ok: [number, number[]];
}

async function newCollection({ alice }: World): Promise<string> {
  const name = uniqueName("own");
  const body = { entity: alice.username, name, visibility: "private" };
  await askJson("/api/v1/collections", { method: "POST", token: alice.token, body });
  return `/api/v1/collections/${alice.username}/${name}`;
}

async function withPerson(world: World): Promise<string> {
  const url = await newCollection(world);
  const person = `${url}/people/users/${world.bob.username}`;
  await ask(person, { method: "PUT", token: world.alice.token, body: { role: "reader" } });
  return person;
}

async function offered(world: World): Promise<string> {
  const url = await newCollection(world);
  const body = { entity: world.bob.username };
  await askAsShown(`${url}/hand-over`, { method: "POST", token: world.alice.token, body });
  return `${url}/hand-over`;
}

const acceptance = async (world: World) => `${await offered(world)}/acceptance`;
const star = async (world: World) => `${await newCollection(world)}/star`;

const routes: Route[] = [
  {
    name: "PATCH /entities/{entity}",
    method: "PATCH",
    url: ({ alice }) => `/api/v1/entities/${alice.username}`,
    body: () => ({ description: "changed" }),
    by: "alice",
    ok: [200, [200]],
  },
  {
    name: "PUT /entities/{entity}/owner",
    method: "PUT",
    url: async () => `/api/v1/entities/${(await newPerson("giver")).username}/owner`,
    body: ({ bob }) => ({ user: bob.username }),
    by: "admin",
    ok: [204, [409, 412]],
  },
  {
    name: "POST /collections",
    method: "POST",
    url: () => "/api/v1/collections",
    body: ({ alice }) => ({ entity: alice.username, name: "made-here", description: "", visibility: "private" }),
    by: "alice",
    ok: [201, [409]],
  },
  {
    name: "PATCH /collections/{entity}/{collection}",
    method: "PATCH",
    url: newCollection,
    body: () => ({ description: "changed", visibility: "internal" }),
    by: "alice",
    ok: [200, [200]],
  },
  {
    name: "DELETE /collections/{entity}/{collection}",
    method: "DELETE",
    url: newCollection,
    body: null,
    by: "alice",
    ok: [204, [404, 412]],
  },
  {
    name: "POST /collections/{entity}/{collection}/hand-over",
    method: "POST",
    url: async (world) => `${await newCollection(world)}/hand-over`,
    body: ({ team }) => ({ entity: team }),
    by: "alice",
    ok: [201, [404, 409, 412]],
  },
  {
    name: "DELETE /collections/{entity}/{collection}/hand-over",
    method: "DELETE",
    url: offered,
    body: null,
    by: "alice",
    ok: [204, [404]],
  },
  {
    name: "POST /collections/{entity}/{collection}/hand-over/acceptance",
    method: "POST",
    url: acceptance,
    body: null,
    by: "bob",
    ok: [200, [404, 409]],
  },
  {
    name: "DELETE /collections/{entity}/{collection}/hand-over/acceptance",
    method: "DELETE",
    url: acceptance,
    body: null,
    by: "bob",
    ok: [204, [404]],
  },
  {
    name: "PUT /collections/{entity}/{collection}/people/{kind}/{name}",
    method: "PUT",
    url: async (world) => `${await newCollection(world)}/people/users/${world.bob.username}`,
    body: () => ({ role: "reader" }),
    by: "alice",
    ok: [204, [204]],
  },
  {
    name: "DELETE /collections/{entity}/{collection}/people/{kind}/{name}",
    method: "DELETE",
    url: withPerson,
    body: null,
    by: "alice",
    ok: [204, [404]],
  },
  {
    name: "PUT /collections/{entity}/{collection}/star",
    method: "PUT",
    url: star,
    body: null,
    by: "alice",
    ok: [204, [204]],
  },
  {
    name: "DELETE /collections/{entity}/{collection}/star",
    method: "DELETE",
    url: star,
    body: null,
    by: "alice",
    ok: [204, [204]],
  },
];

const malformedBodies = ["", "{", "null", "[]", "0", '"text"', '{"name":', "\u0000"];
const nasty: unknown[] = ["", "a".repeat(5000), -1, 1e308, ["reader"], {}, { toString: 1 }, [], false, "x/y\u0000"];

let world: World;

beforeAll(async () => {
  const [alice, bob, stranger] = [await newPerson("alice"), await newPerson("bob"), await newPerson("stranger")];
  const admin = await newPerson("admin", { role: "admin" });
  const team = await teamOf("team", { owners: [alice.username], members: [bob.username] });
  const body = { entity: alice.username, name: "another", visibility: "private" };
  await askJson("/api/v1/collections", { method: "POST", token: alice.token, body });
  const expired = await newTokenFor(alice.username);
  await env.DB.prepare("UPDATE tokens SET expires_at = 1 WHERE hint = ?").bind(expired.slice(-6)).run();
  world = {
    alice,
    bob,
    stranger,
    admin,
    team,
    session: await newSession(alice.username),
    expired,
    pullOnly: await newTokenFor(alice.username, { scopes: ["pull"] }),
    narrow: await newTokenFor(alice.username, { collection: { entity: alice.username, name: "another" } }),
  };
});

const operations = [
  ...entityOperations,
  ...collectionOperations,
  ...handOverOperations,
  ...peopleOperations,
  ...starOperations,
];

const nameOf = ({ method, path }: { method: string; path: string }) =>
  `${method.toUpperCase()} ${path.replace("/api/v1", "")}`;

async function snapshot(): Promise<string> {
  const tables = ["entities", "collections", "collection_members", "stars", "hand_overs", "tombstones", "audit"];
  const rows = await env.DB.batch(tables.map((table) => env.DB.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`)));
  return JSON.stringify(rows.map((result) => result.results));
}

async function send(route: Route, url: string, options: Ask): Promise<Response> {
  const sent = { method: route.method, ...options };
  const described = operations.find(({ description }) => nameOf(description) === route.name)?.description;
  const ifMatch = described?.preview === undefined ? "*" : await tagOfPreview(url, sent);
  const response = await ask(url, { ...sent, headers: { "If-Match": ifMatch, ...options.headers } });
  const text = await response.clone().text();
  expect(response.status, `${route.name}: ${text}`).toBeLessThan(500);
  if (response.status >= 400) {
    expect(text, route.name).not.toMatch(/SQLITE|D1_|Error:|at \w+ \(|zod|drizzle|stack/i);
    expect(JSON.parse(text), route.name).toMatchObject({ status: response.status, code: expect.any(String) });
  }
  return response;
}

function bodyOf({ body }: Route): Ask {
  return body === null ? {} : { body: body(world) };
}

describe.each(routes)("$name", (route) => {
  it("changes nothing without a credential that is good for it, and to others looks absent", async () => {
    const url = await route.url(world);
    const before = await snapshot();
    const { stranger, session, expired, pullOnly, narrow, bob } = world;
    const others: [string, Ask, number[]][] = [
      ["anonymous", {}, [401]],
      ["garbage", { token: "garbage" }, [401]],
      ["a well-formed token nobody has", { token: newToken() }, [401]],
      ["an expired token", { token: expired }, [401]],
      ["a cookie nobody has", { headers: { ...session.headers, Cookie: `${session.cookie}x` } }, [401]],
      ["a good cookie, from another site", { headers: { ...session.headers, "Sec-Fetch-Site": "cross-site" } }, [403]],
      ["a token that may only pull", { token: pullOnly }, route.by === "alice" ? [403] : [403, 404]],
      ["a token for another collection", { token: narrow }, [403, 404]],
      ["a stranger", { token: stranger.token }, route.by === "admin" ? [403] : [404]],
      ...(route.by === "alice" ? [["a colleague", { token: bob.token }, [403, 404]] as [string, Ask, number[]]] : []),
    ];
    for (const [who, options, statuses] of others) {
      const { status } = await send(route, url, { ...bodyOf(route), ...options });
      expect(statuses, `${route.name} as ${who}: ${status}`).toContain(status);
    }
    expect(await snapshot()).toBe(before);
    const absent = url.replace(/(\/api\/v1\/(?:entities|collections\/[^/]+)\/)[^/]+/, "$1absent");
    const asked = async (where: string) => {
      const answer = await send(route, where, { ...bodyOf(route), token: stranger.token });
      const { requestId: _, ...problem } = (await answer.json()) as { requestId: string };
      return problem;
    };
    expect(await asked(absent)).toEqual(await asked(url));
  });

  it("refuses malformed and oversized bodies, and changes nothing", async () => {
    if (route.body === null) return;
    const url = await route.url(world);
    const before = await snapshot();
    const { token } = world[route.by];
    for (const body of malformedBodies) expect((await send(route, url, { token, body })).status, body).toBe(400);
    const good = route.body(world);
    for (const field of Object.keys(good)) {
      for (const value of nasty) {
        if (field === "description" && value === "") continue;
        if (field === "description" && value === "x/y\u0000") continue;
        const { status } = await send(route, url, { token, body: { ...good, [field]: value } });
        expect([400, 404], `${field}=${JSON.stringify(value)}`).toContain(status);
      }
    }
    const body = JSON.stringify({ ...good, filler: "x".repeat(200_000) });
    expect((await send(route, url, { token, body })).status).toBe(413);
    expect(await snapshot()).toBe(before);
  });

  it("answers as expected to a call that is repeated, and to two at once", async () => {
    const url = await route.url(world);
    const once = async () => (await send(route, url, { ...bodyOf(route), token: world[route.by].token })).status;
    const [first, again] = route.ok;
    const [one = 0, other = 0] = (await Promise.all([once(), once()])).sort((a, b) => a - b);
    expect(one).toBe(first);
    expect([first, ...again]).toContain(other);
    if (!again.includes(first)) expect(other).not.toBe(first);
    expect(again).toContain(await once());
  });
});

it("the table above has every operation on entities, collections, people and stars that changes something", () => {
  const mutating = operations.map(({ description }) => nameOf(description)).filter((name) => !name.startsWith("GET"));
  expect(routes.map(({ name }) => name).sort()).toEqual(mutating.sort());
});
