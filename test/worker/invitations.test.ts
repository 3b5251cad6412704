import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { limits } from "../../worker/registry/limits.ts";
import { setDisabled, setSiteRole } from "../../worker/registry/people/users.ts";
import { runUpkeep } from "../../worker/registry/upkeep/run-upkeep.ts";
import { counted, interrupted } from "../support/worker/calls.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  newPerson,
  type Person,
  testContext,
} from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";
import { accept, bring, codeOf, invite, newTeam } from "../support/worker/teams.ts";

/*
 * Links that bring one person into a team.
 */

interface Invitation {
  id: string;
  role: string;
  note: string;
  createdBy: string;
}

let alice: Person;
let bob: Person;
let carol: Person;
let team: string;

beforeAll(async () => {
  [alice, bob, carol] = [await newPerson("alice"), await newPerson("bob"), await newPerson("carol")];
});

beforeEach(async () => {
  team = (await newTeam(alice, { description: "Imaging" })).name;
});

const url = () => `/api/v1/teams/${team}/invitations`;

async function make(by: Person, body: Record<string, unknown> = {}, options: Ask = {}): Promise<Response> {
  const { headers } = await newSession(by.username);
  return await ask(url(), { method: "POST", headers, body, ...options });
}

async function show(by: Person, secret: string): Promise<Response> {
  const { headers } = await newSession(by.username);
  return await ask("/api/v1/invitations/preview", { method: "POST", headers, body: { secret } });
}

async function listed(by = alice): Promise<Invitation[]> {
  return (await askJson<{ items: Invitation[] }>(url(), { token: by.token })).items;
}

async function members(): Promise<[string, string][]> {
  const { items } = await askJson<{ items: { username: string; role: string }[] }>(`/api/v1/teams/${team}/members`, {
    token: carol.token,
  });
  return items.map(({ username, role }) => [username, role]);
}

describe("an invitation", () => {
  it("is a link whose secret stands behind the #, and in no database", async () => {
    const answer = await make(alice, { note: "for bob", role: "owner", days: 2 });
    expect(answer.status).toBe(201);
    const { link, ...made } = await answer.json<Invitation & { link: string; expiresAt: string }>();
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:8787\/invitations#[\w-]{43}$/);
    expect(made).toMatchObject({ role: "owner", note: "for bob", createdBy: alice.username });
    const lasts = Date.parse(made.expiresAt) - Date.now();
    expect(lasts).toBeGreaterThan(1.99 * 86_400_000);
    expect(lasts).toBeLessThanOrEqual(2 * 86_400_000);
    expect(await listed()).toEqual([made]);
    const secret = new URL(link).hash.slice(1);
    const { results } = await env.DB.prepare("SELECT * FROM invitations WHERE id = ?").bind(made.id).all();
    expect(JSON.stringify(results)).not.toContain(secret);
    const audited = await env.DB.prepare("SELECT * FROM audit WHERE target = ?").bind(team).all();
    expect(JSON.stringify(audited.results)).not.toContain(secret);
  });

  it("is made by an owner at a browser, and by nobody else", async () => {
    await bring(alice, team, [bob]);
    expect(await codeOf(await make(bob))).toEqual([403, "forbidden"]);
    expect(await codeOf(await make(carol))).toEqual([403, "forbidden"]);
    expect(await codeOf(await ask(url(), { method: "POST", body: {} }))).toEqual([401, "unauthenticated"]);
    const withToken = { method: "POST", token: alice.token, body: {} };
    expect(await codeOf(await ask(url(), withToken))).toEqual([403, "session-required"]);
    for (const body of [{ days: 31 }, { days: 0 }, { role: "chief" }, { note: "x".repeat(201) }]) {
      expect(await codeOf(await make(alice, body)), JSON.stringify(body)).toEqual([400, "body-invalid"]);
    }
    expect(await codeOf(await ask(url(), { token: bob.token }))).toEqual([403, "forbidden"]);
  });

  it("says what it leads to, to whoever is signed in, and is not used up by that", async () => {
    const { secret } = await invite(alice, team);
    const shown = await show(bob, secret);
    expect([shown.status, await shown.json()]).toEqual([
      200,
      {
        team: { name: team, description: "Imaging" },
        role: "member",
        invitedBy: alice.username,
        expiresAt: expect.any(String),
        yourRole: null,
      },
    ]);
    expect((await show(bob, secret)).status).toBe(200);
    const body = { secret };
    for (const act of ["preview", "acceptance"]) {
      const path = `/api/v1/invitations/${act}`;
      expect(await codeOf(await ask(path, { method: "POST", body }))).toEqual([401, "unauthenticated"]);
      const withToken = { method: "POST", token: bob.token, body };
      expect(await codeOf(await ask(path, withToken))).toEqual([403, "session-required"]);
    }
    expect(await members()).toEqual([[alice.username, "owner"]]);
  });

  it("brings one person in, once", async () => {
    const { secret } = await invite(alice, team);
    const answer = await accept(bob, secret);
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { team, member: { username: bob.username, role: "member", joinedAt: expect.any(String) } },
    ]);
    expect(await codeOf(await accept(bob, secret))).toEqual([410, "link-ended"]);
    expect(await codeOf(await accept(carol, secret))).toEqual([410, "link-ended"]);
    expect(await codeOf(await show(carol, secret))).toEqual([410, "link-ended"]);
    expect(await listed()).toEqual([]);
    expect(await members()).toContainEqual([bob.username, "member"]);
  });

  it("used by two at once lets exactly one in, and the other is told that it has ended", async () => {
    const { secret } = await invite(alice, team);
    const two = await Promise.all([accept(bob, secret), accept(carol, secret)]);
    expect(two.map(({ status }) => status).sort()).toEqual([200, 410]);
    expect(await members()).toHaveLength(2);
  });

  it("that both found good lets exactly one in", async () => {
    const { secret } = await invite(alice, team);
    const { headers } = await newSession(bob.username);
    const isUsing = ({ sql }: { sql: readonly string[] }) =>
      sql.some((text) => /delete from "invitations"/i.test(text));
    const happens = async () => expect((await accept(carol, secret)).status).toBe(200);
    const late = { method: "POST", headers, body: { secret }, env: interrupted(environment(), isUsing, happens) };
    expect(await codeOf(await ask("/api/v1/invitations/acceptance", late))).toEqual([410, "link-ended"]);
    expect(await members()).toEqual([
      [alice.username, "owner"],
      [carol.username, "member"],
    ]);
  });

  it("makes a member an owner, and takes from nobody what they are", async () => {
    await bring(alice, team, [bob]);
    const same = await invite(alice, team);
    expect(await codeOf(await accept(bob, same.secret))).toEqual([409, "already-so"]);
    expect(await (await show(bob, same.secret)).json()).toMatchObject({ yourRole: "member" });
    // It was not used up.
    expect((await accept(carol, same.secret)).status).toBe(200);
    const better = await invite(alice, team, { role: "owner" });
    expect(await (await accept(bob, better.secret)).json()).toMatchObject({ member: { role: "owner" } });
    const less = await invite(alice, team);
    expect(await codeOf(await accept(alice, less.secret))).toEqual([409, "already-so"]);
    expect(await members()).toEqual([
      [alice.username, "owner"],
      [bob.username, "owner"],
      [carol.username, "member"],
    ]);
  });

  it("is taken back by any owner; one of another team is none of theirs", async () => {
    const { id, secret } = await invite(alice, team);
    const other = (await newTeam(bob)).name;
    const at = (name: string, by: Person) =>
      ask(`/api/v1/teams/${name}/invitations/${id}`, { method: "DELETE", token: by.token });
    expect(await codeOf(await at(other, bob))).toEqual([404, "not-found"]);
    expect(await codeOf(await at(team, bob))).toEqual([403, "forbidden"]);
    expect((await at(team, alice)).status).toBe(204);
    expect(await codeOf(await at(team, alice))).toEqual([404, "not-found"]);
    expect(await codeOf(await accept(bob, secret))).toEqual([410, "link-ended"]);
  });

  it("ends with its time, its team, and what its maker may do", async () => {
    const expired = await invite(alice, team);
    await env.DB.prepare("UPDATE invitations SET expires_at = ? WHERE id = ?").bind(Date.now(), expired.id).run();
    expect(await codeOf(await accept(bob, expired.secret))).toEqual([410, "link-ended"]);
    expect(await listed()).toEqual([]);
    await runUpkeep(testContext());
    const left = env.DB.prepare("SELECT count(*) AS n FROM invitations WHERE id = ?").bind(expired.id);
    expect(await left.first("n")).toBe(0);

    const dora = await newPerson("dora");
    await bring(alice, team, [dora], "owner");
    const { secret } = await invite(dora, team);
    await setDisabled(testContext(), operator, dora.username, true);
    expect(await codeOf(await accept(bob, secret))).toEqual([410, "link-ended"]);

    const admin = await newPerson("admin", { role: "admin" });
    const byAdmin = await invite(admin, team);
    await setSiteRole(testContext(), operator, admin.username, "admin", false);
    expect(await codeOf(await accept(bob, byAdmin.secret))).toEqual([410, "link-ended"]);

    const ofTeam = await invite(alice, team);
    const preview = await ask(`/api/v1/teams/${team}?preview=1`, { method: "DELETE", token: alice.token });
    const headers = { "If-Match": preview.headers.get("ETag") ?? "" };
    expect((await ask(`/api/v1/teams/${team}`, { method: "DELETE", token: alice.token, headers })).status).toBe(204);
    expect(await codeOf(await accept(bob, ofTeam.secret))).toEqual([410, "link-ended"]);
  });

  it("is one of a hundred of its team at most that can be used", async () => {
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO invitations (id, team_id, hash, role, note, created_by, created_at, expires_at)
       SELECT ? || i, team.id, ? || i, 'member', '', users.id, i, ? FROM n, users, users AS team
       WHERE users.username = ? AND team.username = ?`,
    )
      .bind(limits.invitationsPerTeam, team, team, Date.now() + 60_000, alice.username, team)
      .run();
    expect(await codeOf(await make(alice))).toEqual([409, "limit-reached"]);
    await env.DB.prepare("UPDATE invitations SET expires_at = 1 WHERE id = ? || '1'").bind(team).run();
    expect((await make(alice)).status).toBe(201);
    expect(await listed()).toHaveLength(limits.invitationsPerTeam);
  });

  it("is not worth a guess: whatever is no secret of one has ended", async () => {
    await invite(alice, team);
    for (const secret of ["x", "a".repeat(43), team, "'; DROP TABLE invitations; --"]) {
      expect(await codeOf(await accept(bob, secret)), secret).toEqual([410, "link-ended"]);
    }
    expect(await codeOf(await accept(bob, "x".repeat(600)))).toEqual([400, "body-invalid"]);
  });

  it("is not accepted for somebody by another site", async () => {
    const { secret } = await invite(alice, team);
    const { headers } = await newSession(bob.username);
    const foreign = { method: "POST", headers: { ...headers, "Sec-Fetch-Site": "cross-site" }, body: { secret } };
    expect(await codeOf(await ask("/api/v1/invitations/acceptance", foreign))).toEqual([403, "cross-site"]);
  });

  it("costs two calls to the database beside the credential's", async () => {
    const { secret } = await invite(alice, team);
    const { headers } = await newSession(bob.username);
    const { env: watched, counts } = counted();
    const answer = await ask("/api/v1/invitations/acceptance", {
      method: "POST",
      headers,
      body: { secret },
      env: watched,
    });
    expect([answer.status, counts]).toEqual([200, { d1: 3, r2: 0, durable: 0 }]);
  });
});
