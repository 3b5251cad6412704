import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setDisabled } from "../../worker/registry/people/users.ts";
import { counted } from "../support/worker/calls.ts";
import { sessionCookieOf } from "../support/worker/cookies.ts";
import { ask, askJson, environment, newPerson, newTokenFor, testContext } from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";

interface Me {
  username: string;
  entity: string | null;
  terms: { required: string | null; agreed: string | null; agreedAt: string | null };
  credential: { kind: string; scopes: string[]; isNarrowed: boolean };
}

const withTerms = (version: string) => environment({ TERMS_VERSION: version, TERMS: "Be kind." });

describe("GET /api/v1/me", () => {
  it("says who one is and what one's session may do, by one query more than signing in takes", async () => {
    const { username } = await newPerson("alice", { role: "admin" });
    const { headers } = await newSession(username);
    const { env: watched, counts } = counted();
    const me = await askJson<Me>("/api/v1/me", { headers, env: watched });
    expect(me).toEqual({
      username,
      role: "admin",
      isRobot: false,
      entity: username,
      createdAt: expect.stringMatching(/Z$/),
      quota: { usedBytes: 0, reservedBytes: 0, quotaBytes: null },
      terms: { required: null, agreed: null, agreedAt: null },
      credential: { kind: "session", id: expect.any(String), scopes: ["pull", "push", "manage"], isNarrowed: false },
    });
    expect(counts).toEqual({ d1: 2, r2: 0, durable: 0 });
  });

  it("is for every credential, whatever it may do, and tells what that is", async () => {
    const { username } = await newPerson("alice");
    const token = await newTokenFor(username, { scopes: ["pull"] });
    const { credential } = await askJson<Me>("/api/v1/me", { token });
    expect(credential).toMatchObject({ kind: "token", scopes: ["pull"], isNarrowed: false });
  });

  it("tells nobody anything without a credential, with a wrong cookie, or a disabled user's", async () => {
    const { username } = await newPerson("alice");
    const { headers } = await newSession(username);
    expect((await ask("/api/v1/me")).status).toBe(401);
    const wrong = await ask("/api/v1/me", { headers: { Cookie: "__Host-session=wrong" } });
    expect([wrong.status, sessionCookieOf(wrong)]).toEqual([
      401,
      expect.stringMatching(/^__Host-session=;.*Max-Age=0/),
    ]);
    await setDisabled(testContext(), operator, username, true);
    expect((await ask("/api/v1/me", { headers })).status).toBe(401);
  });
});

describe("PUT /api/v1/me/terms", () => {
  const agree = (headers: Record<string, string>, version: unknown, of = withTerms("2")) =>
    ask("/api/v1/me/terms", { method: "PUT", headers, body: { version }, env: of });

  it("agrees to the present version, with the time, once; again changes nothing", async () => {
    const { username } = await newPerson("alice");
    const { headers } = await newSession(username);
    const before = await askJson<Me>("/api/v1/me", { headers, env: withTerms("2") });
    expect(before.terms).toEqual({ required: "2", agreed: null, agreedAt: null });
    const [first, second] = await Promise.all([agree(headers, "2"), agree(headers, "2")]);
    const answers = [await first.json<Me>(), await second.json<Me>(), await (await agree(headers, "2")).json<Me>()];
    expect(new Set(answers.map(({ terms }) => JSON.stringify(terms))).size).toBe(1);
    expect(answers[0]?.terms).toEqual({ required: "2", agreed: "2", agreedAt: expect.stringMatching(/Z$/) });
    const { results } = await env.DB.prepare("SELECT detail FROM audit WHERE action = 'terms.agree' AND target = ?")
      .bind(username)
      .all();
    expect(results).toEqual([{ detail: '{"version":"2"}' }]);
  });

  it("refuses a version that is not the present one, and any where there are no terms", async () => {
    const { username } = await newPerson("alice");
    const { headers } = await newSession(username);
    for (const of of [withTerms("3"), environment()]) {
      const answer = await agree(headers, "2", of);
      expect([answer.status, (await answer.json<{ code: string }>()).code]).toEqual([409, "conflict"]);
    }
    expect((await askJson<Me>("/api/v1/me", { headers })).terms.agreed).toBeNull();
  });

  it("takes a session alone, sent by our own pages, and a body that is one", async () => {
    const { username, token } = await newPerson("alice");
    const { headers, cookie } = await newSession(username);
    const of = withTerms("2");
    const body = { version: "2" };
    const asToken = await ask("/api/v1/me/terms", { method: "PUT", token, body, env: of });
    expect([asToken.status, (await asToken.json<{ code: string }>()).code]).toEqual([403, "session-required"]);
    expect((await ask("/api/v1/me/terms", { method: "PUT", body, env: of })).status).toBe(401);
    const strange = [{ Cookie: cookie, "Sec-Fetch-Site": "cross-site" }, { Cookie: cookie }];
    for (const from of strange) expect((await agree(from, "2")).status).toBe(403);
    for (const version of [null, 2, [], {}, "x".repeat(65), undefined]) {
      expect((await agree(headers, version)).status).toBe(400);
    }
    const large = await ask("/api/v1/me/terms", { method: "PUT", headers, body: "x".repeat(70_000), env: of });
    expect(large.status).toBe(413);
    expect((await askJson<Me>("/api/v1/me", { headers })).terms.agreed).toBeNull();
  });
});

describe("GET /api/v1/terms", () => {
  it("shows the terms to anybody where there are any", async () => {
    expect(await askJson("/api/v1/terms", { env: withTerms("2") })).toEqual({ version: "2", text: "Be kind." });
    expect((await ask("/api/v1/terms")).status).toBe(404);
  });
});
