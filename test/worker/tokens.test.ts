import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setMember } from "../../worker/registry/catalog/manage.ts";
import { limits } from "../../worker/registry/limits.ts";
import { addToken } from "../../worker/registry/people/tokens.ts";
import { setSiteRole } from "../../worker/registry/people/users.ts";
import { makeSif } from "../support/make-sif.ts";
import { interrupted } from "../support/worker/calls.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  newPerson,
  newTokenFor,
  type Person,
  pull,
  push,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";
import { newSession, type TestSession } from "../support/worker/session.ts";

/*
 * Access tokens, and keys for sregistry-cli, as their owners make, see and end them.
 */

interface Token {
  id: string;
  name: string;
  hint: string;
  scopes: string[];
  collection: string | null;
  expiresAt: string | null;
  state: string;
  publisher: string | null;
}

let alice: Person;
let session: TestSession;

beforeAll(async () => {
  alice = await newPerson("alice");
  session = await newSession(alice.username);
});

type Body = Record<string, unknown>;
type Made = { token: Token; secret: string };

async function make(body: Body, by = session): Promise<Made> {
  return await askJson<Made>("/api/v1/tokens", { method: "POST", headers: by.headers, body });
}

async function list(options: Ask, path = "/api/v1/tokens"): Promise<Token[]> {
  return (await askJson<{ items: Token[] }>(path, options)).items;
}

async function codeOf(path: string, options: Ask): Promise<[number, string]> {
  const answer = await ask(path, options);
  const { code } = (await answer.json()) as { code: string };
  return [answer.status, code];
}

const works = async (token: string) => (await ask("/v1/token-status", { token })).status === 200;
const newToken = (name = "laptop"): Body => ({ name, scopes: ["pull", "push", "manage"] });

describe("a token that its owner makes", () => {
  it("is shown once, works at once, and is listed without what could be used as one", async () => {
    const { token, secret } = await make({ name: " laptop ", scopes: ["push", "pull"], expiresInDays: 30 });
    expect(secret).toMatch(/^sreg_[A-Za-z0-9_-]{208}$/);
    expect(token).toMatchObject({ name: "laptop", scopes: ["pull", "push"], collection: null, state: "active" });
    expect(secret.endsWith(token.hint)).toBe(true);
    expect(await works(secret)).toBe(true);
    const [first] = await list({ headers: session.headers });
    expect({ ...first, lastUsedAt: null }).toEqual({ ...token, lastUsedAt: null });
    expect(await askJson(`/api/v1/tokens/${token.id}`, { headers: session.headers })).toMatchObject({ id: token.id });
    const text = await (await ask("/api/v1/tokens", { headers: session.headers })).text();
    expect(text).not.toContain(secret.slice(5, 60));
    expect(text).not.toMatch(/[0-9a-f]{64}/);
  });

  it("is not made with a token, whatever its scopes, nor with one of an administrator", async () => {
    const admin = await newPerson("admin", { role: "admin" });
    for (const { token } of [alice, admin]) {
      const refused = await codeOf("/api/v1/tokens", { method: "POST", token, body: newToken() });
      expect(refused).toEqual([403, "session-required"]);
    }
  });

  it("is one of 200 at most; those that ended, and those of pipelines, do not count", async () => {
    const carol = await newPerson("carol");
    const by = await newSession(carol.username);
    const { id: userId } = (await env.DB.prepare("SELECT id FROM users WHERE username = ?")
      .bind(carol.username)
      .first<{ id: string }>()) ?? { id: "" };
    const insert = env.DB.prepare(
      `INSERT INTO tokens (id, user_id, name, hash, hint, scopes, created_at, expires_at, revoked_at, publisher_id)
       VALUES (?, ?, 'old', ?, '', 'pull', 0, ?, ?, ?)`,
    );
    const rows = Array.from({ length: limits.tokensPerUser + 10 }, (_, n) => {
      const [isExpired, isRevoked, isPipeline] = [n < 3, n === 3 || n === 4, n >= 5 && n < 12];
      const hash = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
      const ends = [isExpired ? 1 : null, isRevoked ? 1 : null, isPipeline ? "p" : null];
      return insert.bind(crypto.randomUUID(), userId, hash, ...ends);
    });
    await env.DB.batch(rows);
    // 210 rows of which 12 do not count, and the one that carol came with.
    await make(newToken(), by);
    const refused = await codeOf("/api/v1/tokens", { method: "POST", headers: by.headers, body: newToken() });
    expect(refused).toEqual([409, "limit-reached"]);
  });

  it("is not made by a session that was ended just before", async () => {
    const dave = await newPerson("dave");
    const by = await newSession(dave.username);
    const during = interrupted(
      environment(),
      ({ name, sql }) => name === "batch" && sql.some((text) => /into "tokens"/i.test(text)),
      async () => {
        await env.DB.prepare(
          "DELETE FROM sessions WHERE hash IS NOT NULL AND user_id = (SELECT id FROM users WHERE username = ?)",
        )
          .bind(dave.username)
          .run();
      },
    );
    const request = { method: "POST", headers: by.headers, body: newToken("late"), env: during };
    expect(await codeOf("/api/v1/tokens", request)).toEqual([409, "conflict"]);
    expect(await list({ token: dave.token })).toHaveLength(1);
  });
});

describe("a list of tokens", () => {
  it("has pages, the newest first, and refuses a cursor that is none", async () => {
    const erin = await newPerson("erin");
    const made: string[] = [];
    for (let n = 0; n < limits.pageSize + 5; n++) {
      const whose = { username: erin.username, kind: "person" } as const;
      const input = { name: `${n}`, scopes: ["pull"], collection: null, expiresInDays: null } as const;
      made.push((await addToken(testContext(), operator, whose, input)).token.id);
    }
    const options = { token: erin.token };
    const first = await askJson<{ items: Token[]; next: string }>("/api/v1/tokens", options);
    const rest = await askJson<{ items: Token[]; next: null }>(`/api/v1/tokens?after=${first.next}`, options);
    expect([first.items.length, rest.items.length, rest.next]).toEqual([limits.pageSize, 6, null]);
    const ids = [...first.items, ...rest.items].map(({ id }) => id);
    expect(new Set(ids)).toEqual(new Set([...made, ids.at(-1)]));
    expect(new Set(ids).size).toBe(limits.pageSize + 6);
    expect(await codeOf("/api/v1/tokens?after=nonsense", options)).toEqual([400, "query-invalid"]);
  });

  it("says what became of each", async () => {
    const frank = await newPerson("frank");
    const by = await newSession(frank.username);
    const [expired, revoked] = [await make({ ...newToken(), expiresInDays: 1 }, by), await make(newToken(), by)];
    await env.DB.prepare("UPDATE tokens SET expires_at = 1 WHERE id = ?").bind(expired.token.id).run();
    await ask(`/api/v1/tokens/${revoked.token.id}`, { method: "DELETE", headers: by.headers });
    const states = new Map((await list(by)).map(({ id, state }) => [id, state]));
    expect([states.get(expired.token.id), states.get(revoked.token.id)]).toEqual(["expired", "revoked"]);
    expect([...states.values()].filter((state) => state === "active")).toHaveLength(1);
  });

  it("is nobody else's to read: another's token is not found, and cannot be ended", async () => {
    const bob = await newPerson("bob");
    const { token, secret } = await make(newToken());
    for (const method of ["GET", "DELETE"]) {
      const hidden = await codeOf(`/api/v1/tokens/${token.id}`, { method, token: bob.token });
      const absent = await codeOf(`/api/v1/tokens/${crypto.randomUUID()}`, { method, token: bob.token });
      expect([hidden, absent]).toEqual([
        [404, "not-found"],
        [404, "not-found"],
      ]);
    }
    expect(await works(secret)).toBe(true);
  });

  it("is not for tokens without the scope manage, or for one collection", async () => {
    const narrow = await newTokenFor(alice.username, { scopes: ["pull", "push"] });
    expect(await codeOf("/api/v1/tokens", { token: narrow })).toEqual([403, "insufficient-scope"]);
  });
});

describe("a token that is ended", () => {
  it("stops at once, and ending it again says so", async () => {
    const { token, secret } = await make(newToken());
    const end = async () => await ask(`/api/v1/tokens/${token.id}`, { method: "DELETE", headers: session.headers });
    const statuses = (await Promise.all([end(), end()])).map(({ status }) => status);
    expect(statuses.sort()).toEqual([204, 409]);
    expect(await works(secret)).toBe(false);
    expect(await codeOf(`/api/v1/tokens/${token.id.slice(0, 8)}`, { method: "DELETE", ...session })).toEqual([
      404,
      "not-found",
    ]);
  });

  it("may be whatever token somebody found, by itself", async () => {
    const { secret } = await make({ name: "lost", scopes: ["pull"] });
    expect((await ask("/api/v1/tokens/current", { method: "DELETE", token: secret })).status).toBe(204);
    expect(await works(secret)).toBe(false);
    const none = await codeOf("/api/v1/tokens/current", { method: "DELETE", headers: session.headers });
    expect(none).toEqual([404, "not-found"]);
  });
});

describe("a token for one collection", () => {
  it("reaches nothing else, and is shown with the collection's name", async () => {
    const [here, there] = [uniqueName("here"), uniqueName("there")];
    for (const name of [here, there]) {
      await push(alice.token, `${alice.username}/${name}/app:1`, makeSif({ salt: name }), { private: true });
    }
    const { token, secret } = await make({ ...newToken(), collection: `${alice.username}/${here}` });
    expect(token.collection).toBe(`${alice.username}/${here}`);
    expect(await pull(`${alice.username}/${here}/app:1`, secret)).not.toBe(404);
    expect(await pull(`${alice.username}/${there}/app:1`, secret)).toBe(404);
    expect(await codeOf("/api/v1/tokens", { token: secret })).toEqual([403, "insufficient-scope"]);
  });

  it("reaches one that all users see, as its user does, and no other of that kind", async () => {
    const bob = await newPerson("bob");
    const [here, there] = [uniqueName("here"), uniqueName("there")];
    for (const name of [here, there]) {
      await push(alice.token, `${alice.username}/${name}/app:1`, makeSif({ salt: name }), { private: true });
      await env.DB.prepare("UPDATE collections SET visibility = 'internal' WHERE name = ?").bind(name).run();
    }
    const by = await newSession(bob.username);
    const { secret } = await make({ ...newToken(), collection: `${alice.username}/${here}` }, by);
    expect(await pull(`${alice.username}/${here}/app:1`, secret)).not.toBe(404);
    expect(await pull(`${alice.username}/${there}/app:1`, secret)).toBe(404);
  });

  it("is made only for one that its user sees, whoever makes it; hidden and absent answer alike", async () => {
    const bob = await newPerson("bob");
    const hidden = `${alice.username}/${uniqueName("hidden")}`;
    await push(alice.token, `${hidden}/app:1`, makeSif({ salt: hidden }), { private: true });
    const by = await newSession(bob.username);
    for (const collection of [hidden, `${alice.username}/nowhere`, "nobody/nowhere"]) {
      const request = { method: "POST", headers: by.headers, body: { ...newToken(), collection } };
      expect(await codeOf("/api/v1/tokens", request), collection).toEqual([404, "not-found"]);
      const [entity = "", name = ""] = collection.split("/");
      const made = newTokenFor(bob.username, { collection: { entity, name } });
      await expect(made, collection).rejects.toMatchObject({ code: "not-found" });
    }
  });

  it("is told as deleted when that is gone, and when its user may not see it any more", async () => {
    const bob = await newPerson("bob");
    const by = await newSession(bob.username);
    const [kept, gone] = [uniqueName("kept"), uniqueName("gone")].map((name) => ({ entity: alice.username, name }));
    for (const path of [kept, gone]) {
      if (path === undefined) continue;
      const text = `${path.entity}/${path.name}`;
      await push(alice.token, `${text}/app:1`, makeSif({ salt: text }), { private: true });
      await setMember(testContext(), operator, path, bob.username, "reader");
      expect((await make({ ...newToken(), collection: text }, by)).token.collection).toBe(text);
    }
    if (kept === undefined || gone === undefined) throw new Error("two paths");
    await setMember(testContext(), operator, kept, bob.username, null);
    await env.DB.prepare("DELETE FROM collections WHERE name = ?").bind(gone.name).run();
    const narrowed = (await list(by)).filter(({ collection }) => collection !== null);
    expect(narrowed.map(({ collection }) => collection)).toEqual(["deleted", "deleted"]);
    const admin = await newPerson("admin", { role: "admin" });
    const seen = await list({ token: admin.token }, `/api/v1/users/${bob.username}/tokens`);
    expect(seen.map(({ collection }) => collection)).toEqual(["deleted", `${kept.entity}/${kept.name}`, null]);
  });
});

describe("a token of a pipeline", () => {
  it("says which", async () => {
    const name = uniqueName("published");
    const { collectionId } = await push(alice.token, `${alice.username}/${name}/app:1`, makeSif({ salt: name }));
    const { token } = await make(newToken("pipeline"));
    await env.DB.batch([
      env.DB.prepare(
        `INSERT INTO publishers (id, collection_id, issuer, repository, ref_kind, ref, created_by, created_at)
         SELECT 'p1', ?, 'https://ci.example', 'alice/tools', 'branch', 'main', id, 0 FROM users WHERE username = ?`,
      ).bind(collectionId, alice.username),
      env.DB.prepare("UPDATE tokens SET publisher_id = 'p1' WHERE id = ?").bind(token.id),
    ]);
    const told = await askJson<Token>(`/api/v1/tokens/${token.id}`, { headers: session.headers });
    expect(told.publisher).toBe("alice/tools branch main");
    await env.DB.prepare("DELETE FROM publishers WHERE id = 'p1'").run();
    const later = await askJson<Token>(`/api/v1/tokens/${token.id}`, { headers: session.headers });
    expect(later.publisher).toBe("deleted");
  });
});

describe("a token that acts as another person", () => {
  it("is made by nobody but the operator: not by an administrator or a superuser", async () => {
    for (const role of ["admin", "superuser"] as const) {
      const boss = await newPerson("boss", { role });
      const by = await newSession(boss.username);
      const actor = (await askActor(by)) as never;
      const whose = { username: alice.username, kind: "any" } as const;
      const input = { name: "x", scopes: ["pull"], collection: null, expiresInDays: null } as const;
      await expect(addToken(testContext(), actor, whose, input)).rejects.toMatchObject({ code: "forbidden" });
    }
  });

  it("is not made for a superuser by an administrator", async () => {
    const [admin, boss] = [await newPerson("admin", { role: "admin" }), await newPerson("boss", { role: "superuser" })];
    const actor = (await askActor(await newSession(admin.username))) as never;
    const whose = { username: boss.username, kind: "any" } as const;
    const input = { name: "x", scopes: ["pull"], collection: null, expiresInDays: null } as const;
    await expect(addToken(testContext(), actor, whose, input)).rejects.toMatchObject({ code: "forbidden" });
    const answer = await codeOf(`/api/v1/users/${boss.username}/tokens`, { token: admin.token });
    expect(answer).toEqual([403, "forbidden"]);
    await setSiteRole(testContext(), operator, boss.username, "superuser", false);
    expect((await ask(`/api/v1/users/${boss.username}/tokens`, { token: admin.token })).status).toBe(200);
  });
});

describe("one's key for sregistry-cli", () => {
  it("is made, seen and ended by its user; making it again ends the one there was", async () => {
    const grace = await newPerson("grace");
    const by = await newSession(grace.username);
    const url = "/api/v1/sregistry-key";
    expect(await codeOf(url, by)).toEqual([404, "not-found"]);
    const post = { method: "POST", headers: by.headers };
    const first = await askJson<{ key: { id: string }; secret: string }>(url, post);
    expect(first.secret).toMatch(/^sregkey_/);
    const second = await askJson<{ key: { id: string }; secret: string }>(url, post);
    expect(await askJson(url, by)).toEqual(second.key);
    expect(second.key.id).not.toBe(first.key.id);
    expect(await codeOf(url, { method: "POST", token: grace.token })).toEqual([403, "session-required"]);
    expect((await ask(url, { method: "DELETE", token: grace.token })).status).toBe(204);
    expect(await codeOf(url, { method: "DELETE", token: grace.token })).toEqual([409, "already-so"]);
  });

  it("is not made where the registry keeps none", async () => {
    const of = environment({ SEALING_SECRET: "" });
    const request = { method: "POST", headers: session.headers, env: of };
    expect(await codeOf("/api/v1/sregistry-key", request)).toEqual([403, "keys-disabled"]);
  });
});

/** The actor a session is. */
async function askActor(by: TestSession): Promise<unknown> {
  const { authenticateSession } = await import("../../worker/registry/people/sessions.ts");
  return await authenticateSession(testContext(), by.cookie.split("=")[1] ?? "");
}
