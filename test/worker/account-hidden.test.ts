import { beforeAll, describe, expect, it } from "vitest";
import { observed } from "../support/worker/calls.ts";
import { type Ask, ask, askJson, environment, newPerson, type Person, uniqueName } from "../support/worker/registry.ts";
import { newSession, type TestSession } from "../support/worker/session.ts";

/*
 * Who may not know of an account learns nothing of it: what is hidden is answered as what is absent, in the same
 * words and after the same statements.
 */

let admin: Person;
let victim: Person;
let robot: string;
let robotToken: string;
let victimToken: string;
let stranger: Person;
let session: TestSession;

beforeAll(async () => {
  [admin, victim, stranger] = [
    await newPerson("admin", { role: "admin" }),
    await newPerson("victim"),
    await newPerson("stranger"),
  ];
  session = await newSession(stranger.username);
  const made = { method: "POST", token: admin.token, body: { username: uniqueName("robot") } };
  robot = (await askJson<{ username: string }>("/api/v1/robots", made)).username;
  const token = { method: "POST", body: { name: "x", scopes: ["pull"] } };
  const ofRobot = await newSession(admin.username);
  const idOf = async (url: string, by: TestSession) =>
    (await askJson<{ token: { id: string } }>(url, { ...token, headers: by.headers })).token.id;
  robotToken = await idOf(`/api/v1/robots/${robot}/tokens`, ofRobot);
  victimToken = await idOf("/api/v1/tokens", await newSession(victim.username));
  // The first use of a token in an hour is written.
  await ask("/api/v1/tokens", { token: stranger.token });
});

type Told = { status: number; text: string; statements: string[] };

/** The answer without what differs from request to request, and the statements that led to it. */
async function told(url: string, options: Ask, name: string): Promise<Told> {
  const statements: string[] = [];
  const env = observed(environment(), ({ sql }) => {
    statements.push(...sql.filter((text) => !/from "settings"$/.test(text)));
  });
  const answer = await ask(url, { ...options, env });
  const text = (await answer.text()).replace(/"requestId":"[^"]*"/, "").replaceAll(name, "IT");
  return { status: answer.status, text, statements };
}

interface Case {
  name: string;
  /** The thing that is there, and one that is not. */
  pair: () => [string, string];
  url: (name: string) => string;
  options: Ask;
}

const ofPerson = (): [string, string] => [victim.username, "nobody-at-all"];
const ofRobot = (): [string, string] => [robot, "no-robot-at-all"];
const edit = (body: Record<string, unknown>): Ask => ({ method: "PATCH", body, headers: { "If-Match": "*" } });
const token = { method: "POST", body: { name: "x", scopes: ["pull"] } };
const deleting: Ask = { method: "DELETE", headers: { "If-Match": '"0"' } };
const no = crypto.randomUUID();

const cases: Case[] = [
  { name: "a user", pair: ofPerson, url: (name) => `/api/v1/users/${name}`, options: {} },
  { name: "their role", pair: ofPerson, url: (name) => `/api/v1/users/${name}`, options: edit({ role: "admin" }) },
  {
    name: "disabling them",
    pair: ofPerson,
    url: (name) => `/api/v1/users/${name}`,
    options: edit({ isDisabled: true }),
  },
  {
    name: "both",
    pair: ofPerson,
    url: (name) => `/api/v1/users/${name}`,
    options: edit({ isDisabled: true, role: "user" }),
  },
  { name: "neither", pair: ofPerson, url: (name) => `/api/v1/users/${name}`, options: edit({}) },
  { name: "deleting them", pair: ofPerson, url: (name) => `/api/v1/users/${name}`, options: deleting },
  { name: "what that would do", pair: ofPerson, url: (name) => `/api/v1/users/${name}?preview=1`, options: deleting },
  { name: "their tokens", pair: ofPerson, url: (name) => `/api/v1/users/${name}/tokens`, options: {} },
  {
    name: "ending their credentials",
    pair: ofPerson,
    url: (name) => `/api/v1/users/${name}/credentials`,
    options: { method: "DELETE" },
  },
  { name: "their token", pair: () => [victimToken, no], url: (id) => `/api/v1/tokens/${id}`, options: {} },
  {
    name: "ending it",
    pair: () => [victimToken, no],
    url: (id) => `/api/v1/tokens/${id}`,
    options: { method: "DELETE" },
  },
  { name: "a robot", pair: ofRobot, url: (name) => `/api/v1/robots/${name}`, options: {} },
  { name: "a robot as a user", pair: ofRobot, url: (name) => `/api/v1/users/${name}/tokens`, options: {} },
  { name: "a user as a robot", pair: ofPerson, url: (name) => `/api/v1/robots/${name}`, options: {} },
  {
    name: "describing it",
    pair: ofRobot,
    url: (name) => `/api/v1/robots/${name}`,
    options: edit({ description: "x" }),
  },
  { name: "stopping it", pair: ofRobot, url: (name) => `/api/v1/robots/${name}`, options: edit({ isDisabled: true }) },
  { name: "taking it", pair: ofRobot, url: (name) => `/api/v1/robots/${name}`, options: edit({ owner: "nobody" }) },
  { name: "deleting it", pair: ofRobot, url: (name) => `/api/v1/robots/${name}`, options: deleting },
  {
    name: "what deleting it would do",
    pair: ofRobot,
    url: (name) => `/api/v1/robots/${name}?preview=1`,
    options: deleting,
  },
  { name: "its tokens", pair: ofRobot, url: (name) => `/api/v1/robots/${name}/tokens`, options: {} },
  { name: "making one", pair: ofRobot, url: (name) => `/api/v1/robots/${name}/tokens`, options: token },
  {
    name: "ending its token",
    pair: ofRobot,
    url: (name) => `/api/v1/robots/${name}/tokens/${robotToken}`,
    options: { method: "DELETE" },
  },
];

describe("what is hidden is answered as what is absent, after the same statements:", () => {
  it.each(cases)("$name", async ({ pair, url, options }) => {
    const [hidden, absent] = pair();
    const asSession = { ...options, headers: { ...options.headers, ...session.headers } };
    for (const asking of [asSession, { ...options, token: stranger.token }]) {
      const [one, other] = [await told(url(hidden), asking, hidden), await told(url(absent), asking, absent)];
      expect(one).toEqual(other);
      expect([403, 404]).toContain(one.status);
      expect(one.statements.length).toBeGreaterThan(0);
    }
    const anonymous = [await told(url(hidden), options, hidden), await told(url(absent), options, absent)];
    expect(anonymous[0]).toEqual(anonymous[1]);
    expect(anonymous[0]).toMatchObject({ status: 401, statements: [] });
  });

  it("a collection that a token is to be for", async () => {
    const hidden = `${victim.username}/hidden`;
    const entity = (await askJson<{ data: { id: string } }>("/v1/entities", { token: victim.token })).data.id;
    const body = { name: "hidden", entity, private: true };
    await askJson("/v1/collections", { method: "POST", token: victim.token, body });
    const asking = async (collection: string) => {
      const options = { ...token, body: { ...token.body, collection }, headers: session.headers };
      return await told("/api/v1/tokens", options, collection);
    };
    const [one, other] = [await asking(hidden), await asking(`${victim.username}/absent`)];
    expect(one).toEqual(other);
    expect(one.status).toBe(404);
  });
});
