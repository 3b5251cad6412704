import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import { startSession } from "../../worker/registry/people/sessions.ts";
import { runUpkeep } from "../../worker/registry/upkeep/run-upkeep.ts";
import { writeTogether } from "../../worker/storage/db/write-together.ts";
import { sessionCookieOf } from "../support/worker/cookies.ts";
import { ask, askJson, newPerson, newTokenFor, testContext } from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";

interface SessionPage {
  items: { id: string; isCurrent: boolean; signedInWith: string; userAgent: string; createdAt: string }[];
  next: string | null;
}

const list = (headers: Record<string, string>, query = "") =>
  askJson<SessionPage>(`/api/v1/sessions${query}`, { headers });
const isIn = async (headers: Record<string, string>) => (await ask("/api/v1/me", { headers })).status === 200;
const end = (id: string, options: Parameters<typeof ask>[1]) =>
  ask(`/api/v1/sessions/${id}`, { method: "DELETE", ...options });

async function idOf(headers: Record<string, string>): Promise<string> {
  const { credential } = await askJson<{ credential: { id: string } }>("/api/v1/me", { headers });
  return credential.id;
}

async function userIdOf(username: string): Promise<string> {
  const row = await env.DB.prepare("SELECT id FROM users WHERE username = ?").bind(username).first<{ id: string }>();
  return row?.id ?? "";
}

async function start(username: string, ctx = testContext()): Promise<string> {
  const { secret, statements } = await startSession(ctx, {
    userId: await userIdOf(username),
    username,
    signedInWith: "login-link",
  });
  await writeTogether(ctx.db, statements);
  return secret;
}

describe("one's sessions", () => {
  it("are listed, the latest first, with the one at hand marked and nothing that could be used as one", async () => {
    const { username } = await newPerson("alice");
    const hour = 3_600_000;
    const old = await newSession(username, Date.now() - 2 * hour);
    const here = await newSession(username, Date.now() - hour);
    await newSession(username, Date.now() - limits.sessionIdleSeconds * 1000 - hour);
    await newSession((await newPerson("bob")).username);
    const { items, next } = await list(here.headers);
    expect(items.map(({ id }) => id)).toEqual([await idOf(here.headers), await idOf(old.headers)]);
    expect(items.map(({ isCurrent }) => isCurrent)).toEqual([true, false]);
    expect(next).toBeNull();
    const text = JSON.stringify(items);
    expect(text).not.toContain(here.cookie.split("=")[1]);
    expect(text).not.toMatch(/hash/);
    const [first] = items;
    const behind = `?after=${Date.parse(first?.createdAt ?? "")}.${first?.id}`;
    expect((await list(here.headers, behind)).items.map(({ id }) => id)).toEqual([await idOf(old.headers)]);
    expect((await ask("/api/v1/sessions?after=nonsense", { headers: here.headers })).status).toBe(400);
  });

  it("end one by one, at once, and no other with them", async () => {
    const { username, token } = await newPerson("alice");
    const [here, there, third] = [await newSession(username), await newSession(username), await newSession(username)];
    const answer = await end(await idOf(there.headers), { headers: here.headers });
    expect([answer.status, sessionCookieOf(answer)]).toEqual([204, null]);
    expect([await isIn(here.headers), await isIn(there.headers), await isIn(third.headers)]).toEqual([
      true,
      false,
      true,
    ]);
    const withToken = await end(await idOf(third.headers), { token });
    expect(withToken.status).toBe(204);
    expect([await isIn(third.headers), (await ask("/api/v1/me", { token })).status]).toEqual([false, 200]);
  });

  it("end here, and the browser forgets the cookie", async () => {
    const { username } = await newPerson("alice");
    for (const name of ["current", null]) {
      const [here, there] = [await newSession(username), await newSession(username)];
      const answer = await end(name ?? (await idOf(here.headers)), { headers: here.headers });
      expect([answer.status, sessionCookieOf(answer)]).toEqual([
        204,
        expect.stringMatching(/^__Host-session=;.*Max-Age=0.*Path=\/;.*Secure/),
      ]);
      expect([await isIn(here.headers), await isIn(there.headers)]).toEqual([false, true]);
    }
  });

  it("end everywhere, and tokens go on", async () => {
    const { username, token } = await newPerson("alice");
    const bob = await newSession((await newPerson("bob")).username);
    const [here, there] = [await newSession(username), await newSession(username)];
    const answer = await ask("/api/v1/sessions", { method: "DELETE", headers: here.headers });
    expect([answer.status, sessionCookieOf(answer)]).toEqual([204, expect.stringMatching(/^__Host-session=;/)]);
    expect([await isIn(here.headers), await isIn(there.headers), await isIn(bob.headers)]).toEqual([
      false,
      false,
      true,
    ]);
    expect((await ask("/api/v1/me", { token })).status).toBe(200);
    expect((await ask("/api/v1/sessions", { method: "DELETE", token })).status).toBe(204);
  });

  it("are nobody else's to end, and what is not there answers the same", async () => {
    const [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
    const [hers, his] = [await newSession(alice.username), await newSession(bob.username)];
    const id = await idOf(hers.headers);
    const answers = await Promise.all([
      end(id, { headers: his.headers }),
      end(crypto.randomUUID(), { headers: his.headers }),
      end("'; DROP TABLE sessions; --", { headers: his.headers }),
      end("current", { token: bob.token }),
    ]);
    const codes = answers.map(async (answer) => [answer.status, (await answer.json<{ code: string }>()).code]);
    expect(await Promise.all(codes)).toEqual(answers.map(() => [404, "not-found"]));
    expect(await isIn(hers.headers)).toBe(true);
  });

  it("end for nobody without a credential that is good for it", async () => {
    const { username } = await newPerson("alice");
    const { headers, cookie } = await newSession(username);
    const pulling = await newTokenFor(username, { scopes: ["pull"] });
    for (const path of ["/api/v1/sessions", `/api/v1/sessions/${await idOf(headers)}`]) {
      const refusals = [
        await ask(path, { method: "DELETE" }),
        await ask(path, { method: "DELETE", token: "garbage" }),
        await ask(path, { method: "DELETE", token: pulling }),
        await ask(path, { method: "DELETE", headers: { Cookie: cookie } }),
        await ask(path, { method: "DELETE", headers: { Cookie: cookie, "Sec-Fetch-Site": "same-site" } }),
        await ask(path, { method: "DELETE", headers: { Cookie: cookie, Origin: "https://evil.example" } }),
      ];
      expect(refusals.map(({ status }) => status)).toEqual([401, 401, 403, 403, 403, 403]);
    }
    expect(await isIn(headers)).toBe(true);
  });

  it("end once, when they are ended twice at once", async () => {
    const { username } = await newPerson("alice");
    const [here, there] = [await newSession(username), await newSession(username)];
    const id = await idOf(there.headers);
    const two = await Promise.all([end(id, { headers: here.headers }), end(id, { headers: here.headers })]);
    expect(two.map(({ status }) => status).sort()).toEqual([204, 404]);
    const { results } = await env.DB.prepare("SELECT 1 FROM audit WHERE action = 'session.end' AND actor = ?")
      .bind(username)
      .all();
    expect(results).toHaveLength(1);
  });
});

describe("a session that begins", () => {
  it("is kept as a hash, and ends the one used longest ago where there would be too many", async () => {
    const { username } = await newPerson("alice");
    const minute = 60_000;
    const oldest = await newSession(username, Date.now() - 100 * minute);
    for (let n = 1; n < limits.sessionsPerUser; n++) await newSession(username, Date.now() - n * minute);
    const secret = await start(username);
    const here = { Cookie: `__Host-session=${secret}` };
    expect(await isIn(here)).toBe(true);
    expect(await isIn(oldest.headers)).toBe(false);
    expect((await list(here)).items).toHaveLength(limits.sessionsPerUser);
    const { results } = await env.DB.prepare("SELECT * FROM sessions").all();
    expect(JSON.stringify(results)).not.toContain(secret);
    expect(Buffer.from(secret, "base64url")).toHaveLength(32);
  });
});

describe("upkeep", () => {
  it("forgets sessions and login links that are over, and no others", async () => {
    const { username } = await newPerson("alice");
    const { headers } = await newSession(username);
    const userId = await userIdOf(username);
    const now = Date.now();
    await env.DB.batch(
      Array.from({ length: limits.upkeepBatch + 5 }, (_, n) =>
        env.DB.prepare("INSERT INTO sessions VALUES (?, ?, ?, 'login-link', '', ?, ?, ?)").bind(
          `over-${n}`,
          userId,
          String(n).padStart(64, "0"),
          now - 2,
          now - 2,
          now - 1,
        ),
      ),
    );
    const link = "INSERT INTO login_links (hash, user_id, expires_at) VALUES (?, ?, ?)";
    await env.DB.prepare(link)
      .bind("over", userId, now - 1)
      .run();
    await env.DB.prepare(link)
      .bind("good", userId, now + 60_000)
      .run();
    await runUpkeep(testContext());
    const count = async (sql: string) => (await env.DB.prepare(sql).all()).results;
    expect(await count("SELECT 1 FROM sessions WHERE id LIKE 'over-%'")).toEqual([]);
    expect(await count("SELECT hash FROM login_links")).toEqual([{ hash: "good" }]);
    expect(await isIn(headers)).toBe(true);
  });
});
