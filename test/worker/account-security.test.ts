import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { newToken } from "../../worker/access/credentials.ts";
import { robotOperations } from "../../worker/protocols/web/robots.ts";
import { tokenOperations } from "../../worker/protocols/web/tokens.ts";
import { userOperations } from "../../worker/protocols/web/users.ts";
import { type Ask, ask, askJson, newPerson, newTokenFor, type Person, uniqueName } from "../support/worker/registry.ts";
import { newSession, type TestSession } from "../support/worker/session.ts";
import { tagOfPreview } from "../support/worker/shown.ts";
import { newSigner } from "../support/worker/sregistry.ts";

/*
 * What every route on tokens, keys, robots and users that changes something must withstand. A test at the end holds
 * the table against the operations that there are.
 */

interface World {
  admin: Person;
  session: TestSession;
  bob: Person;
  bobsSession: TestSession;
  expired: string;
  narrow: string;
}

interface Route {
  name: string;
  method: string;
  /** Makes what it needs, and says where it is. Called for each request that must find it as it was made. */
  url: (world: World) => Promise<string> | string;
  body: Record<string, unknown> | (() => Record<string, unknown>) | null;
  /** Whose word is taken: a session's alone, or a token's too. */
  by: "session" | "token";
  /** Whether it is on what is one's own, whoever asks. */
  isOwn?: true;
  /** The status its owner gets the first time, and those it may be when it is repeated, or another is made at once. */
  ok: [number, number[]];
}

const token = () => ({ name: "made here", scopes: ["pull"] });

async function newRobot({ admin }: World): Promise<string> {
  const body = { username: uniqueName("robot") };
  return (await askJson<{ username: string }>("/api/v1/robots", { method: "POST", token: admin.token, body })).username;
}

async function tokenAt(url: string, { session }: World): Promise<string> {
  const made = await askJson<{ token: { id: string } }>(url, {
    method: "POST",
    headers: session.headers,
    body: token(),
  });
  return `${url}/${made.token.id}`;
}

const newUser = async () => (await newPerson("somebody")).username;

const routes: Route[] = [
  {
    name: "POST /tokens",
    method: "POST",
    url: () => "/api/v1/tokens",
    body: token,
    by: "session",
    isOwn: true,
    ok: [201, [201]],
  },
  {
    name: "DELETE /tokens/{id}",
    method: "DELETE",
    url: async (world) => await tokenAt("/api/v1/tokens", world),
    body: null,
    by: "token",
    ok: [204, [409]],
  },
  {
    name: "POST /sregistry-key",
    method: "POST",
    url: () => "/api/v1/sregistry-key",
    body: null,
    by: "session",
    isOwn: true,
    ok: [201, [201]],
  },
  {
    name: "DELETE /sregistry-key",
    method: "DELETE",
    url: async ({ session }) => {
      const url = "/api/v1/sregistry-key";
      await ask(url, { method: "POST", headers: session.headers });
      return url;
    },
    body: null,
    by: "token",
    isOwn: true,
    ok: [204, [409]],
  },
  {
    name: "POST /robots",
    method: "POST",
    url: () => "/api/v1/robots",
    body: { username: "robot-made-here", description: "" },
    by: "token",
    ok: [201, [409]],
  },
  {
    name: "PATCH /robots/{username}",
    method: "PATCH",
    url: async (world) => `/api/v1/robots/${await newRobot(world)}`,
    body: { description: "changed", isDisabled: true },
    by: "token",
    ok: [200, [200, 409]],
  },
  {
    name: "DELETE /robots/{username}",
    method: "DELETE",
    url: async (world) => `/api/v1/robots/${await newRobot(world)}`,
    body: null,
    by: "token",
    ok: [204, [404, 412]],
  },
  {
    name: "POST /robots/{username}/tokens",
    method: "POST",
    url: async (world) => `/api/v1/robots/${await newRobot(world)}/tokens`,
    body: token,
    by: "session",
    ok: [201, [201]],
  },
  {
    name: "DELETE /robots/{username}/tokens/{id}",
    method: "DELETE",
    url: async (world) => await tokenAt(`/api/v1/robots/${await newRobot(world)}/tokens`, world),
    body: null,
    by: "token",
    ok: [204, [409]],
  },
  {
    name: "POST /users",
    method: "POST",
    url: () => "/api/v1/users",
    body: { username: "user-made-here" },
    by: "token",
    ok: [201, [409]],
  },
  {
    name: "PATCH /users/{username}",
    method: "PATCH",
    url: async () => `/api/v1/users/${await newUser()}`,
    body: { isDisabled: true },
    by: "token",
    ok: [200, [200, 409]],
  },
  {
    name: "DELETE /users/{username}",
    method: "DELETE",
    url: async () => `/api/v1/users/${await newUser()}`,
    body: null,
    by: "token",
    ok: [204, [404, 412]],
  },
  {
    name: "DELETE /users/{username}/credentials",
    method: "DELETE",
    url: async () => `/api/v1/users/${(await newSigner("somebody")).username}/credentials`,
    body: null,
    by: "token",
    ok: [204, [204]],
  },
];

const malformedBodies = ["", "{", "null", "[]", "0", '"text"', '{"name":', "\u0000", '{"__proto__":{"a":1}}'];
const nasty: unknown[] = [
  "",
  "..",
  "../../etc/passwd",
  "a//b",
  "UPPER lower",
  "ünïcödé",
  "\u0000",
  "a\nb",
  "'; DROP TABLE users; --",
  "%2e%2e%2f",
  "x".repeat(5000),
  -1,
  1.5,
  1e308,
  ["pull", "everything"],
  {},
  { toString: 1 },
  [],
];

let world: World;

beforeAll(async () => {
  const admin = await newPerson("admin", { role: "admin" });
  const bob = await newPerson("bob");
  const expired = await newTokenFor(admin.username);
  await env.DB.prepare("UPDATE tokens SET expires_at = 1 WHERE hint = ?").bind(expired.slice(-6)).run();
  const [session, bobsSession] = [await newSession(admin.username), await newSession(bob.username)];
  world = {
    admin,
    session,
    bob,
    bobsSession,
    expired,
    narrow: await newTokenFor(admin.username, { scopes: ["pull"] }),
  };
});

/** All that is known of people, but for who used what when. */
async function snapshot(): Promise<string> {
  const tables = ["users", "entities", "tombstones", "collection_members", "sregistry_keys", "login_links", "audit"];
  const rows = await env.DB.batch([
    ...tables.map((table) => env.DB.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`)),
    env.DB.prepare("SELECT id, user_id, name, scopes, collection_id, expires_at, revoked_at FROM tokens ORDER BY id"),
    env.DB.prepare("SELECT id, user_id, hash FROM sessions ORDER BY id"),
  ]);
  return JSON.stringify(rows.map((result) => result.results));
}

async function send(route: Route, url: string, options: Ask): Promise<Response> {
  const sent = { method: route.method, ...options };
  const hasPreview = /^DELETE \/(?:robots|users)\/\{username\}$/.test(route.name);
  const headers = { "If-Match": hasPreview ? await tagOfPreview(url, sent) : "*", ...options.headers };
  const response = await ask(url, { ...sent, headers });
  const text = await response.clone().text();
  expect(response.status, `${route.name}: ${text}`).toBeLessThan(500);
  if (response.status >= 400) {
    expect(text, route.name).not.toMatch(/SQLITE|D1_|Error:|at \w+ \(|zod|drizzle|stack/i);
    expect(JSON.parse(text), route.name).toMatchObject({ status: response.status, code: expect.any(String) });
  }
  return response;
}

function bodyOf({ body }: Route): Ask {
  if (body === null) return {};
  return { body: typeof body === "function" ? body() : body };
}

/** The credential its owner uses. */
function owner({ by }: Route): Ask {
  return by === "session" ? { headers: world.session.headers } : { token: world.admin.token };
}

describe.each(routes)("$name", (route) => {
  it("changes nothing without a credential that is good for it", async () => {
    const url = await route.url(world);
    const before = await snapshot();
    const { admin, bob, bobsSession, expired, narrow, session } = world;
    const unknown = newToken();
    const stranger: Ask = route.by === "session" ? { headers: bobsSession.headers } : { token: bob.token };
    const expectations: [string, Ask, number[]][] = [
      ["anonymous", {}, [401]],
      ["an empty bearer", { headers: { Authorization: "Bearer " } }, [401]],
      ["garbage", { token: "garbage" }, [401]],
      ["a well-formed token nobody has", { token: unknown }, [401]],
      ["another scheme", { headers: { Authorization: "Basic YTpi" } }, [401]],
      ["an expired token", { token: expired }, [401]],
      ["a cookie nobody has", { headers: { ...session.headers, Cookie: `${session.cookie}x` } }, [401]],
      ["a good cookie beside a bad token", { token: "garbage", headers: session.headers }, [401]],
      ["a good cookie, from another site", { headers: { ...session.headers, "Sec-Fetch-Site": "cross-site" } }, [403]],
      ["a token that may only pull", { token: narrow }, [403]],
      ...(route.isOwn === true ? [] : [["another user", stranger, [403, 404]] as [string, Ask, number[]]]),
      ...(route.by === "session" ? [["a token", { token: admin.token }, [403]] as [string, Ask, number[]]] : []),
    ];
    for (const [who, options, statuses] of expectations) {
      const response = await send(route, url, { ...bodyOf(route), ...options });
      expect(statuses, `${route.name} as ${who}`).toContain(response.status);
    }
    expect(await snapshot()).toBe(before);
  });

  it("refuses malformed and oversized bodies, and changes nothing", async () => {
    if (route.body === null) return;
    const url = await route.url(world);
    const before = await snapshot();
    const good = bodyOf(route).body as Record<string, unknown>;
    for (const body of malformedBodies) {
      const isEmptyEdit = route.method === "PATCH" && body.startsWith('{"__proto__');
      if (isEmptyEdit) continue;
      expect((await send(route, url, { ...owner(route), body })).status, body).toBe(400);
    }
    for (const field of Object.keys(good).filter((name) => name !== "description" && name !== "name")) {
      for (const value of nasty) {
        const { status } = await send(route, url, { ...owner(route), body: { ...good, [field]: value } });
        expect(status, `${field}=${JSON.stringify(value)}`).toBe(400);
      }
    }
    const body = JSON.stringify({ ...good, filler: "x".repeat(10_000_000) });
    const lying = { ...owner(route).headers, "Content-Length": "100" };
    expect((await send(route, url, { ...owner(route), body })).status).toBe(413);
    expect((await send(route, url, { ...owner(route), body, headers: lying })).status).toBe(413);
    expect(await snapshot()).toBe(before);
  });

  it("answers as expected to a call that is repeated, and to two at once", async () => {
    const url = await route.url(world);
    const once = async () => (await send(route, url, { ...bodyOf(route), ...owner(route) })).status;
    const [first, again] = route.ok;
    const [one = 0, other = 0] = (await Promise.all([once(), once()])).sort((a, b) => a - b);
    expect(one).toBe(first);
    expect([first, ...again]).toContain(other);
    if (!again.includes(first)) expect(other).not.toBe(first);
    expect(again).toContain(await once());
  });
});

it("the table above has every operation on tokens, keys, robots and users that changes something", () => {
  const mutating = [...tokenOperations, ...robotOperations, ...userOperations]
    .map(({ description: { method, path } }) => `${method.toUpperCase()} ${path.replace("/api/v1", "")}`)
    .filter((name) => !name.startsWith("GET"));
  expect(routes.map(({ name }) => name).sort()).toEqual(mutating.sort());
});
