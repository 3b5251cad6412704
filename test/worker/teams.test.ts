import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { limits } from "../../worker/registry/limits.ts";
import { addUser, setDisabled } from "../../worker/registry/people/users.ts";
import { counted, interrupted } from "../support/worker/calls.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  newPerson,
  newTokenFor,
  type Person,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";
import { codeOf, newTeam, type Team } from "../support/worker/teams.ts";

/*
 * Teams: making them, finding them, saying what they are.
 */

let alice: Person;
let bob: Person;
let admin: Person;

beforeAll(async () => {
  [alice, bob, admin] = [await newPerson("alice"), await newPerson("bob"), await newPerson("admin", { role: "admin" })];
});

const make = (by: Person, body: Record<string, unknown>, options: Ask = {}) =>
  ask("/api/v1/teams", { method: "POST", token: by.token, body, ...options });

const edit = (team: string, by: Person, body: Record<string, unknown>, ifMatch = "*", options: Ask = {}) =>
  ask(`/api/v1/teams/${team}`, {
    method: "PATCH",
    token: by.token,
    body,
    ...options,
    headers: { "If-Match": ifMatch, ...options.headers },
  });

describe("a team", () => {
  it("is made by whoever may make collections, who is its owner, and has an entity of its name", async () => {
    const name = uniqueName("lab");
    const made = await make(alice, { name: name.toUpperCase(), description: "Imaging" });
    expect([made.status, made.headers.get("ETag")]).toEqual([201, '"1"']);
    const team = await made.json<Team>();
    expect(team).toEqual({
      name,
      description: "Imaging",
      joining: "invitation",
      picture: null,
      role: "owner",
      createdAt: expect.any(String),
    });
    expect(await askJson(`/api/v1/teams/${name}`, { token: alice.token })).toEqual(team);
    expect((await ask(`/v1/entities/${name}`, { token: alice.token })).status).toBe(200);
    expect(await codeOf(await ask(`/v1/entities/${name}`, { token: bob.token }))).toEqual([404, undefined]);
  });

  it("is not made without a credential, with one for less, by a robot, or where users make no collections", async () => {
    const body = { name: uniqueName("lab") };
    expect(await codeOf(await ask("/api/v1/teams", { method: "POST", body }))).toEqual([401, "unauthenticated"]);
    expect(await codeOf(await make({ ...alice, token: "nonsense" }, body))).toEqual([401, "invalid-credential"]);
    const weak = await newTokenFor(alice.username, { scopes: ["pull", "push"] });
    expect(await codeOf(await make({ ...alice, token: weak }, body))).toEqual([403, "insufficient-scope"]);
    const robot = { method: "POST", token: admin.token, body: { username: uniqueName("robot") } };
    const { username } = await askJson<{ username: string }>("/api/v1/robots", robot);
    const byRobot = { username, token: await newTokenFor(username) };
    expect(await codeOf(await make(byRobot, body))).toEqual([403, "forbidden"]);
    const closed = { env: environment({ USER_COLLECTIONS: "false" }) };
    expect(await codeOf(await make(alice, body, closed))).toEqual([403, "collections-disabled"]);
    expect((await make(admin, body, closed)).status).toBe(201);
  });

  it("is not made from another site, or of a body that is none", async () => {
    const { headers } = await newSession(alice.username);
    const body = { name: uniqueName("lab") };
    const foreign = { method: "POST", body, headers: { ...headers, "Sec-Fetch-Site": "cross-site" } };
    expect(await codeOf(await ask("/api/v1/teams", foreign))).toEqual([403, "cross-site"]);
    for (const wrong of [{}, { name: 5 }, { ...body, joining: "closed" }, { name: "x".repeat(81) }]) {
      expect(await codeOf(await make(alice, wrong)), JSON.stringify(wrong)).toEqual([400, "body-invalid"]);
    }
    expect((await codeOf(await make(alice, { name: "no name" })))[1]).toBe("name-invalid");
    const long = { ...body, description: "x".repeat(limits.jsonBodyBytes) };
    expect(await codeOf(await make(alice, long))).toEqual([413, "body-too-large"]);
  });

  it("keeps its name from users, robots, entities and other teams, and takes none of theirs", async () => {
    const { name } = await newTeam(alice);
    const taken = async (given: string) => (await codeOf(await make(bob, { name: given })))[1];
    expect([await taken(name), await taken(alice.username), await taken("teams")]).toEqual([
      "name-taken",
      "name-taken",
      "name-reserved",
    ]);
    await expect(addUser(testContext(), operator, name)).rejects.toMatchObject({ code: "name-taken" });
    const robot = { method: "POST", token: admin.token, body: { username: name } };
    expect(await codeOf(await ask("/api/v1/robots", robot))).toEqual([409, "name-taken"]);
  });

  it("of two of a name at once is made once", async () => {
    const body = { name: uniqueName("lab") };
    const two = await Promise.all([make(alice, body), make(bob, body)]);
    expect(two.map(({ status }) => status).sort()).toEqual([201, 409]);
    const rows = await env.DB.prepare("SELECT count(*) AS n FROM entities WHERE name = ?").bind(body.name).first("n");
    expect(rows).toBe(1);
  });

  it("is no user and no robot: nobody finds it as one, gives it credentials, or signs in as it", async () => {
    const { name } = await newTeam(alice);
    for (const url of [`/api/v1/users/${name}`, `/api/v1/robots/${name}`, `/api/v1/users/${name}/tokens`]) {
      expect(await codeOf(await ask(url, { token: admin.token })), url).toEqual([404, "not-found"]);
    }
    await expect(newTokenFor(name)).rejects.toMatchObject({ code: "not-found" });
    await expect(setDisabled(testContext(), operator, name, true)).rejects.toMatchObject({ code: "not-found" });
    const { headers } = await newSession(name);
    expect(await codeOf(await ask("/api/v1/me", { headers }))).toEqual([401, "invalid-credential"]);
  });

  it("is made by somebody who is in fewer than a hundred", async () => {
    const busy = await newPerson("busy");
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO users (id, username, is_team, created_at) SELECT ? || i, ? || i, 1, 0 FROM n`,
    )
      .bind(limits.teamsPerUser, busy.username, `${busy.username}-team-`)
      .run();
    await env.DB.prepare(
      `INSERT INTO team_members (team_id, user_id, role, created_at)
       SELECT team.id, users.id, 'member', 0 FROM users, users AS team
       WHERE users.username = ? AND team.username LIKE ? || '-team-%'`,
    )
      .bind(busy.username, busy.username)
      .run();
    expect(await codeOf(await make(busy, { name: uniqueName("lab") }))).toEqual([409, "limit-reached"]);
  });

  it("is not made by somebody who was disabled in that very moment", async () => {
    const leaving = await newPerson("leaving");
    const name = uniqueName("lab");
    const isMaking = ({ name: call, sql }: { name: string; sql: readonly string[] }) =>
      call === "batch" && sql.some((text) => /insert into "teams"/i.test(text));
    const disabled = async () => await setDisabled(testContext(), operator, leaving.username, true);
    const answer = await make(leaving, { name }, { env: interrupted(environment(), isMaking, disabled) });
    expect(await codeOf(answer)).toEqual([409, "conflict"]);
    expect((await ask(`/api/v1/teams/${name}`, { token: alice.token })).status).toBe(404);
  });
});

describe("the list of teams", () => {
  it("is for whoever is signed in, by name, a page at a time, by the beginning of names or one's own", async () => {
    const stem = uniqueName("paged");
    const names: string[] = [];
    for (const one of ["c", "a", "b"]) names.push((await newTeam(alice, { name: `${stem}-${one}` })).name);
    const { items } = await askJson<{ items: Team[] }>(`/api/v1/teams?q=${stem.toUpperCase()}`, { token: bob.token });
    expect(items.map(({ name, role }) => [name, role])).toEqual(names.toSorted().map((name) => [name, null]));
    await newTeam(bob, { name: `${stem}-d` });
    const own = await askJson<{ items: Team[] }>(`/api/v1/teams?mine=1&q=${stem}`, { token: bob.token });
    expect(own.items.map(({ name, role }) => [name, role])).toEqual([[`${stem}-d`, "owner"]]);
    const after = await askJson<{ items: Team[] }>(`/api/v1/teams?q=${stem}&after=${stem}-b`, { token: bob.token });
    expect(after.items.map(({ name }) => name)).toEqual([`${stem}-c`, `${stem}-d`]);
    expect(await codeOf(await ask("/api/v1/teams"))).toEqual([401, "unauthenticated"]);
  });

  it("goes on behind a full page", async () => {
    const stem = uniqueName("many");
    await env.DB.batch([
      env.DB.prepare(
        `WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)
         INSERT INTO users (id, username, is_team, created_at) SELECT ? || i, ? || i, 1, 0 FROM n`,
      ).bind(stem, `${stem}-`),
      env.DB.prepare(
        "INSERT INTO teams (id, joining) SELECT id, 'open' FROM users WHERE username LIKE ? || '-1%'",
      ).bind(stem),
    ]);
    const first = await askJson<{ items: Team[]; next: string }>(`/api/v1/teams?q=${stem}`, { token: bob.token });
    expect([first.items.length, first.next]).toEqual([100, `${stem}-1099`]);
    const second = await askJson<{ items: Team[]; next: null }>(`/api/v1/teams?q=${stem}&after=${first.next}`, {
      token: bob.token,
    });
    expect([second.items.map(({ name }) => name), second.next]).toEqual([[`${stem}-1100`], null]);
  });

  it("holds none for a token that is good for one collection alone", async () => {
    const { name } = await newTeam(alice);
    const path = { entity: alice.username, name: uniqueName("narrow") };
    const entity = await askJson<{ data: { id: string } }>(`/v1/entities/${alice.username}`, { token: alice.token });
    const body = { name: path.name, entity: entity.data.id, private: true };
    await askJson("/v1/collections", { method: "POST", token: alice.token, body });
    const narrow = await newTokenFor(alice.username, { collection: path });
    for (const url of ["/api/v1/teams", `/api/v1/teams/${name}`, `/api/v1/teams/${name}/members`]) {
      expect(await codeOf(await ask(url, { token: narrow })), url).toEqual([404, "not-found"]);
    }
  });

  it("and a team cost one call to the database, beside the credential's", async () => {
    const { name } = await newTeam(alice);
    for (const url of ["/api/v1/teams", "/api/v1/teams?mine=1", `/api/v1/teams/${name}`]) {
      const { env: watched, counts } = counted();
      expect((await ask(url, { token: alice.token, env: watched })).status).toBe(200);
      expect(counts, url).toEqual({ d1: 2, r2: 0, durable: 0 });
    }
  });
});

describe("an edit of a team", () => {
  it("says which state it changes, and is refused when that is another by now", async () => {
    const team = await newTeam(alice);
    const first = await edit(team.name, alice, { description: "one", joining: "open" }, '"1"');
    expect([first.status, await first.json()]).toEqual([200, { ...team, description: "one", joining: "open" }]);
    expect(first.headers.get("ETag")).toBe('"2"');
    expect(await codeOf(await edit(team.name, alice, { description: "two" }, '"1"'))).toEqual([
      412,
      "precondition-failed",
    ]);
    expect(await codeOf(await edit(team.name, alice, { description: "two" }, ""))).toEqual([
      428,
      "precondition-required",
    ]);
    // The same again changes nothing, and is no other state.
    const again = await edit(team.name, alice, { description: "one" }, '"2"');
    expect([again.status, again.headers.get("ETag")]).toEqual([200, '"2"']);
  });

  it("of two at once from the same state goes through once", async () => {
    const { name } = await newTeam(alice);
    const two = await Promise.all(["a", "b"].map((description) => edit(name, alice, { description }, '"1"')));
    expect(two.map(({ status }) => status).sort()).toEqual([200, 412]);
  });

  it("is for its owners and administrators", async () => {
    const { name } = await newTeam(alice);
    expect(await codeOf(await edit(name, bob, { joining: "open" }))).toEqual([403, "forbidden"]);
    expect((await edit(name, admin, { joining: "open" })).status).toBe(200);
    expect(await codeOf(await edit(`${name}x`, bob, { joining: "open" }))).toEqual([404, "not-found"]);
    expect(await codeOf(await edit(alice.username, alice, { joining: "open" }))).toEqual([404, "not-found"]);
  });

  it("stands in the audit log with all else that is done to a team", async () => {
    const { name } = await newTeam(alice);
    await edit(name, alice, { description: "new", joining: "open" });
    const { results } = await env.DB.prepare("SELECT actor, action, detail FROM audit WHERE target = ? ORDER BY id")
      .bind(name)
      .all();
    expect(results).toEqual([
      { actor: alice.username, action: "team.add", detail: JSON.stringify({ owner: alice.username }) },
      { actor: alice.username, action: "team.describe", detail: null },
      { actor: alice.username, action: "team.joining", detail: JSON.stringify({ joining: "open" }) },
    ]);
  });
});
