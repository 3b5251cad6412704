import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setMember } from "../../worker/registry/catalog/manage.ts";
import { limits } from "../../worker/registry/limits.ts";
import { addKey } from "../../worker/registry/people/sregistry-keys.ts";
import { setSiteRole } from "../../worker/registry/people/users.ts";
import { makeSif } from "../support/make-sif.ts";
import { counted } from "../support/worker/calls.ts";
import { ask, askJson, newPerson, push, testContext, uniqueName } from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";
import { newTeam } from "../support/worker/teams.ts";

type Item = Record<string, unknown>;
type Export = Record<string, Item[]> & { username: string };

async function exported(headers: Record<string, string>, of = counted().env): Promise<{ data: Export; text: string }> {
  const answer = await ask("/api/v1/me/export", { headers, env: of });
  const text = await answer.text();
  expect([answer.status, text]).toEqual([200, expect.stringMatching(/^\{/)]);
  return { data: JSON.parse(text) as Export, text };
}

async function secretsOf(username: string): Promise<string[]> {
  const queries = [
    "SELECT hash AS secret FROM tokens WHERE user_id = ?1",
    "SELECT hash AS secret FROM sessions WHERE user_id = ?1",
    "SELECT sealed AS secret FROM sregistry_keys WHERE user_id = ?1",
    "SELECT hash AS secret FROM login_links WHERE user_id = ?1",
  ];
  const user = await env.DB.prepare("SELECT id FROM users WHERE username = ?").bind(username).first<{ id: string }>();
  const found = await env.DB.batch<{ secret: string }>(queries.map((query) => env.DB.prepare(query).bind(user?.id)));
  return found.flatMap(({ results }) => results.map(({ secret }) => secret));
}

describe("the export of one's data", () => {
  it("is a file with all that the registry knows of one, and no secret", async () => {
    const [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
    const ctx = testContext();
    const { username } = alice;
    const here = await newSession(username);
    const { key } = await addKey(ctx, operator, { username, kind: "person" });
    const team = (await newTeam(alice)).name;
    const inviting = { method: "POST", headers: here.headers, body: { note: "for bob" } };
    const { link } = await askJson<{ link: string }>(`/api/v1/teams/${team}/invitations`, inviting);
    const { digest } = await push(alice.token, `${username}/tools/app:v1`, makeSif({ salt: "export-1" }));
    const shares = `/api/v1/containers/${username}/tools/app/images/${digest}/shares`;
    const { url } = await askJson<{ url: string }>(shares, { method: "POST", token: alice.token, body: { note: "x" } });
    await push(bob.token, `${bob.username}/secret/app:v1`, makeSif({ salt: "export-2" }), { private: true });
    const place = { entity: bob.username, name: "secret" };
    await setMember(ctx, operator, place, username, "contributor");
    await push(alice.token, `${bob.username}/secret/hers:v1`, makeSif({ salt: "export-3" }));
    await env.DB.prepare(
      `INSERT INTO identities (id, user_id, provider, issuer, subject, origin, name, email, created_at, last_used_at)
       SELECT 'identity', id, 'github', 'https://github.com', '42', 'link', 'Alice', 'alice@example.org', 1, 1
       FROM users WHERE username = ?`,
    )
      .bind(username)
      .run();
    await ask(`/api/v1/collections/${bob.username}/secret/star`, { method: "PUT", token: alice.token });
    const answer = await ask("/api/v1/me/export", { headers: here.headers });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "application/json",
      "content-disposition": `attachment; filename="${username}.json"`,
      "cache-control": "no-store",
    });
    const { data, text } = await exported(here.headers);
    expect(data).toMatchObject({ username, role: "user", entity: username, agreedTerms: null });
    expect(data.identities).toMatchObject([{ subject: "42", email: "alice@example.org", isEmailVerified: false }]);
    expect(data.sessions).toMatchObject([{ signedInWith: "login-link", createdAt: expect.stringMatching(/Z$/) }]);
    expect(data.tokens).toMatchObject([{ name: "test", scopes: "pull push manage", revokedAt: null }]);
    expect(data.sregistryKeys).toMatchObject([{ lastUsedAt: null }]);
    expect(data.entities).toMatchObject([{ name: username }]);
    expect(data.collections).toMatchObject([{ path: `${username}/tools`, visibility: "public" }]);
    expect(data.memberships).toMatchObject([{ path: `${bob.username}/secret`, role: "contributor" }]);
    const made = [`${bob.username}/secret/hers`, `${username}/tools/app`];
    expect(data.containers?.map(({ path }) => path).sort()).toEqual(made.sort());
    expect(data.images?.map(({ container }) => container).sort()).toEqual(made.sort());
    expect([data.robots, data.publishers]).toEqual([[], []]);
    expect(data.shares).toMatchObject([{ container: `${username}/tools/app`, digest, note: "x", downloads: 0 }]);
    expect(data.teams).toMatchObject([{ name: team, role: "owner" }]);
    expect(data.invitations).toMatchObject([{ team, role: "member", note: "for bob" }]);
    expect(data.stars).toMatchObject([{ collection: `${bob.username}/secret` }]);
    const actions = (list: Item[] | undefined) => list?.map(({ action }) => action);
    expect(actions(data.actsByYou)).toEqual(expect.arrayContaining(["collection.create"]));
    expect(actions(data.actsOnYou)).toEqual(expect.arrayContaining(["user.add", "token.add", "key.add"]));
    const secrets = [alice.token, here.cookie.split("=")[1] ?? "", key, ...(await secretsOf(username))];
    expect(secrets).toHaveLength(6);
    secrets.push(new URL(url).pathname.split("/")[2] ?? "", new URL(link).hash.slice(1));
    for (const secret of secrets) expect(text.includes(secret), secret).toBe(false);
    expect(text).not.toMatch(/"(?:hash|sealed|cursor|hint)"/);
    // Not welcome any more: what became of the place is not hers to know.
    await setMember(ctx, operator, place, username, null);
    const later = (await exported(here.headers)).data;
    expect(later.images?.map(({ container }) => container).sort()).toEqual([`${username}/tools/app`, null].sort());
  });

  it("tells nothing of others: neither what they did elsewhere nor where they did it from", async () => {
    const [alice, admin] = [await newPerson("alice"), await newPerson("admin", { role: "superuser" })];
    const ctx = testContext();
    const from = { ...ctx, client: { address: "0123456789abcdef", userAgent: "" } };
    await setSiteRole(from, operator, alice.username, "admin", true);
    const { data, text } = await exported((await newSession(alice.username)).headers);
    expect(data.actsOnYou?.at(-1)).toMatchObject({ actor: "operator", action: "user.add-admin" });
    expect(data.actsOnYou?.at(-1)).not.toHaveProperty("address");
    expect(text).not.toContain("0123456789abcdef");
    expect(text).not.toContain(admin.username);
  });

  it("tells nothing of a private collection of another that is called as one is oneself", async () => {
    const [bob, carol] = [await newPerson("bob"), await newPerson("carol")];
    await push(carol.token, `${carol.username}/${bob.username}/app:v1`, makeSif(), { private: true });
    const { text } = await exported((await newSession(bob.username)).headers);
    expect(text).not.toContain(carol.username);
  });

  it("has nothing of an earlier user of the name, nor of the operator where a user is called so", async () => {
    const ctx = testContext();
    const { addUser } = await import("../../worker/registry/people/users.ts");
    const { username } = await addUser(ctx, operator, "operator");
    await env.DB.prepare("INSERT INTO audit (at, actor, action, target, request_id) VALUES (1, ?1, 'old', ?1, 'r')")
      .bind(username)
      .run();
    const { headers } = await newSession(username);
    await ask("/api/v1/sessions/current", { method: "DELETE", headers });
    const { data } = await exported((await newSession(username)).headers);
    expect(data.actsByYou).toMatchObject([{ action: "session.end" }]);
    expect(data.actsOnYou).toMatchObject([{ action: "user.add", actor: "operator" }]);
  });

  it("comes page by page, each thing once", async () => {
    const { username } = await newPerson("alice");
    const { headers } = await newSession(username);
    const many = limits.exportPage * 2;
    const stem = uniqueName("many");
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
       INSERT INTO collections (id, entity_id, name, visibility, created_at, updated_at)
       SELECT ?2 || i, entities.id, 'c' || i, 'public', 0, 0 FROM n, entities WHERE entities.name = ?3`,
    )
      .bind(many, stem, username)
      .run();
    const { env: of, counts } = counted();
    const { data } = await exported(headers, of);
    expect(new Set(data.collections?.map(({ path }) => path)).size).toBe(many);
    expect(data.collections).toHaveLength(many);
    // The session, the account, seventeen lists, and two more pages of one of them.
    expect(counts.d1).toBe(2 + 17 + 2);
  });

  it("is for one's own session alone", async () => {
    const alice = await newPerson("alice");
    expect((await ask("/api/v1/me/export")).status).toBe(401);
    expect((await ask("/api/v1/me/export", { token: alice.token })).status).toBe(403);
  });
});
