import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { errorHelp } from "../../worker/registry/error-help.ts";
import { limits } from "../../worker/registry/limits.ts";
import { setDisabled } from "../../worker/registry/people/users.ts";
import { interrupted } from "../support/worker/calls.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  newPerson,
  newTokenFor,
  type Person,
  testContext,
} from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";
import { askAsShown } from "../support/worker/shown.ts";
import { bring, codeOf, invite, newTeam } from "../support/worker/teams.ts";

/*
 * Who is in a team: joining, leaving, being taken out, and the owner who is always left.
 */

interface Member {
  username: string;
  role: string;
}

let alice: Person;
let bob: Person;
let carol: Person;
let admin: Person;
let team: string;

beforeAll(async () => {
  [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
  [carol, admin] = [await newPerson("carol"), await newPerson("admin", { role: "admin" })];
});

beforeEach(async () => {
  team = (await newTeam(alice)).name;
});

const urlOf = (username: string) => `/api/v1/teams/${team}/members/${username}`;
const set = (by: Person, whom: Person, role: string, options: Ask = {}) =>
  ask(urlOf(whom.username), { method: "PUT", token: by.token, body: { role }, ...options });
const remove = (by: Person, whom: Person, options: Ask = {}) =>
  ask(urlOf(whom.username), { method: "DELETE", token: by.token, ...options });
const join = (by: Person, options: Ask = {}) =>
  ask(`/api/v1/teams/${team}/members`, { method: "POST", token: by.token, ...options });

async function members(): Promise<[string, string][]> {
  const { items } = await askJson<{ items: Member[] }>(`/api/v1/teams/${team}/members`, { token: carol.token });
  return items.map(({ username, role }) => [username, role]);
}

async function open(): Promise<void> {
  const headers = { "If-Match": "*" };
  const body = { joining: "open" };
  await askJson(`/api/v1/teams/${team}`, { method: "PATCH", token: alice.token, headers, body });
}

async function actions(): Promise<string[]> {
  const found = env.DB.prepare("SELECT action FROM audit WHERE target = ? ORDER BY id").bind(team);
  return (await found.all<{ action: string }>()).results.map(({ action }) => action);
}

describe("an open team", () => {
  it("is joined by whoever wants to, once, however often they ask", async () => {
    await open();
    const answer = await join(bob);
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { username: bob.username, role: "member", joinedAt: expect.any(String) },
    ]);
    const both = await Promise.all([join(bob), join(bob), join(carol), join(carol)]);
    expect(both.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await members()).toEqual([
      [alice.username, "owner"],
      [bob.username, "member"],
      [carol.username, "member"],
    ]);
    // An owner stays one.
    expect(await (await join(alice)).json()).toMatchObject({ role: "owner" });
    expect((await actions()).filter((action) => action === "team.join")).toHaveLength(2);
  });

  it("takes nobody without a credential, with one for less, or who is a robot", async () => {
    await open();
    expect(await codeOf(await ask(`/api/v1/teams/${team}/members`, { method: "POST" }))).toEqual([
      401,
      "unauthenticated",
    ]);
    const weak = { ...bob, token: await newTokenFor(bob.username, { scopes: ["pull"] }) };
    expect(await codeOf(await join(weak))).toEqual([403, "insufficient-scope"]);
    const made = { method: "POST", token: admin.token, body: { username: `${team}-robot` } };
    const { username } = await askJson<{ username: string }>("/api/v1/robots", made);
    expect(await codeOf(await join({ username, token: await newTokenFor(username) }))).toEqual([403, "forbidden"]);
  });

  it("that is closed in that very moment takes nobody any more", async () => {
    await open();
    const closed = async () => await env.DB.prepare("UPDATE teams SET joining = 'invitation'").run();
    const isJoining = ({ sql }: { sql: readonly string[] }) =>
      sql.some((text) => /insert into "team_members"/i.test(text));
    const answer = await join(bob, { env: interrupted(environment(), isJoining, closed) });
    expect(await codeOf(answer)).toEqual([409, "conflict"]);
    expect(await codeOf(await join(bob))).toEqual([403, "forbidden"]);
    expect(await members()).toEqual([[alice.username, "owner"]]);
  });

  it("has a thousand people at most", async () => {
    await open();
    await env.DB.batch([
      env.DB.prepare(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO users (id, username, created_at) SELECT ? || i, ? || '-' || i, 0 FROM n`,
      ).bind(limits.membersPerTeam - 1, team, team),
      env.DB.prepare(
        `INSERT INTO team_members (team_id, user_id, role, created_at)
         SELECT team.id, users.id, 'member', 0 FROM users, users AS team
         WHERE team.username = ? AND users.username LIKE ? || '-%'`,
      ).bind(team, team),
    ]);
    expect(await codeOf(await join(bob))).toEqual([409, "limit-reached"]);
    expect(await codeOf(await set(admin, bob, "owner"))).toEqual([409, "limit-reached"]);
    const refused = await (await join(bob)).json<{ detail: string; help?: string }>();
    expect(refused.detail).toContain("The team is full: it has 1000 people at most.");
    expect(errorHelp["limit-reached"]).toContain("ask its owners");
  });
});

describe("a team's people", () => {
  it("come in by joining or an invitation alone: an owner puts nobody in who did not come", async () => {
    expect(await codeOf(await join(bob))).toEqual([403, "forbidden"]);
    expect(await codeOf(await set(alice, bob, "member"))).toEqual([404, "not-found"]);
    expect(await codeOf(await set(alice, { ...bob, username: "nobody-at-all" }, "member"))).toEqual([404, "not-found"]);
  });

  it("are changed and taken out by its owners alone", async () => {
    await bring(alice, team, [bob, carol]);
    expect(await codeOf(await set(bob, bob, "owner"))).toEqual([403, "forbidden"]);
    expect(await codeOf(await remove(bob, carol))).toEqual([403, "forbidden"]);
    const weak = { ...alice, token: await newTokenFor(alice.username, { scopes: ["pull", "push"] }) };
    expect(await codeOf(await set(weak, bob, "owner"))).toEqual([403, "insufficient-scope"]);
    expect(await codeOf(await remove(weak, alice))).toEqual([403, "insufficient-scope"]);
    expect(await (await set(alice, bob, "owner")).json()).toMatchObject({ username: bob.username, role: "owner" });
    expect((await remove(bob, carol)).status).toBe(204);
    expect(await codeOf(await remove(bob, carol))).toEqual([404, "not-found"]);
    expect(await codeOf(await set(alice, bob, "chief"))).toEqual([400, "body-invalid"]);
    expect(await members()).toEqual([
      [alice.username, "owner"],
      [bob.username, "owner"],
    ]);
    expect(await actions()).toEqual(expect.arrayContaining(["team.member", "team.remove"]));
  });

  it("leave when they want to, and what is not theirs they do not leave", async () => {
    await bring(alice, team, [bob]);
    expect((await remove(bob, bob)).status).toBe(204);
    expect(await codeOf(await remove(bob, bob))).toEqual([404, "not-found"]);
    expect(await actions()).toContain("team.leave");
    expect(await members()).toEqual([[alice.username, "owner"]]);
  });

  it("who were owners take the invitations along that they made", async () => {
    await bring(alice, team, [bob], "owner");
    await invite(bob, team, { role: "owner" });
    await set(alice, bob, "member");
    const list = await askJson<{ items: unknown[] }>(`/api/v1/teams/${team}/invitations`, { token: alice.token });
    expect(list.items).toEqual([]);
  });

  it("who are in it when an owner was taken out in that very moment stay: that owner decides nothing any more", async () => {
    await bring(alice, team, [bob], "owner");
    await bring(alice, team, [carol]);
    const isRemoving = ({ sql }: { sql: readonly string[] }) =>
      sql.some((text) => /delete from "team_members"/i.test(text));
    const happens = async () => expect((await remove(alice, bob)).status).toBe(204);
    const answer = await remove(bob, carol, { env: interrupted(environment(), isRemoving, happens) });
    expect(await codeOf(answer)).toEqual([409, "conflict"]);
    expect(await members()).toContainEqual([carol.username, "member"]);
  });
});

describe("the last owner of a team", () => {
  it("neither leaves nor becomes a member", async () => {
    await bring(alice, team, [bob]);
    expect(await codeOf(await remove(alice, alice))).toEqual([409, "last-owner"]);
    expect(await codeOf(await set(alice, alice, "member"))).toEqual([409, "last-owner"]);
    expect(await codeOf(await remove(admin, alice))).toEqual([409, "last-owner"]);
    await set(alice, bob, "owner");
    expect((await remove(alice, alice)).status).toBe(204);
    expect(await members()).toEqual([[bob.username, "owner"]]);
  });

  it("is whoever is left when the others are disabled", async () => {
    await bring(alice, team, [bob], "owner");
    await setDisabled(testContext(), operator, bob.username, true);
    expect(await codeOf(await remove(alice, alice))).toEqual([409, "last-owner"]);
    // The one who cannot act may go.
    expect((await remove(alice, bob)).status).toBe(204);
    await setDisabled(testContext(), operator, bob.username, false);
  });

  it("is one of two who remove each other at once: exactly one wins, and the other is told", async () => {
    await bring(alice, team, [bob], "owner");
    const two = await Promise.all([remove(alice, bob), remove(bob, alice)]);
    expect(two.map(({ status }) => status).sort((a, b) => a - b)).toEqual([204, expect.toSatisfy(isRefusal)]);
    expect(await members()).toHaveLength(1);
    expect((await members())[0]?.[1]).toBe("owner");
  });

  it("is the one who asked first, when two read the same state", async () => {
    await bring(alice, team, [bob], "owner");
    const isRemoving = ({ sql }: { sql: readonly string[] }) =>
      sql.some((text) => /delete from "team_members"/i.test(text));
    const happens = async () => expect((await remove(bob, alice)).status).toBe(204);
    const answer = await remove(alice, bob, { env: interrupted(environment(), isRemoving, happens) });
    expect(await codeOf(answer)).toEqual([409, "last-owner"]);
    expect(await members()).toEqual([[bob.username, "owner"]]);
  });

  it("is one of two who leave, or step back, at once", async () => {
    await bring(alice, team, [bob], "owner");
    const leaving = await Promise.all([remove(alice, alice), set(bob, bob, "member")]);
    expect(leaving.filter(({ status }) => status === 409)).toHaveLength(1);
    expect((await members()).filter(([, role]) => role === "owner")).toHaveLength(1);
  });

  it("gone, an administrator makes another one", async () => {
    await setDisabled(testContext(), operator, alice.username, true);
    expect(await (await set(admin, carol, "owner")).json()).toMatchObject({ username: carol.username, role: "owner" });
    expect((await remove(admin, alice)).status).toBe(204);
    expect(await codeOf(await set(admin, alice, "member"))).toEqual([409, "conflict"]);
    await setDisabled(testContext(), operator, alice.username, false);
    expect(await members()).toEqual([[carol.username, "owner"]]);
  });

  it("keeps their account until the team has another one, or is gone", async () => {
    const dora = await newPerson("dora");
    team = (await newTeam(dora)).name;
    const deleting = { method: "DELETE", token: admin.token };
    expect(await codeOf(await askAsShown(`/api/v1/users/${dora.username}`, deleting))).toEqual([409, "last-owner"]);
    const { headers } = await newSession(dora.username);
    const preview = await ask("/api/v1/me/deletion", { headers });
    const { obstacles } = await preview.json<{ obstacles: string[] }>();
    expect(obstacles).toEqual([expect.stringContaining(`the last owner of the team ${team}`)]);
    const act = { method: "DELETE", headers: { ...headers, "If-Match": preview.headers.get("ETag") ?? "" } };
    expect(await codeOf(await ask("/api/v1/me", act))).toEqual([409, "conflict"]);
    await bring(dora, team, [carol], "owner");
    const later = await ask("/api/v1/me/deletion", { headers });
    expect(await later.json()).toMatchObject({ obstacles: [], deletes: { teams: 1 } });
    expect((await askAsShown(`/api/v1/users/${dora.username}`, deleting)).status).toBe(204);
    expect(await members()).toEqual([[carol.username, "owner"]]);
  });
});

const isRefusal = (status: number) => status === 409 || status === 403;
