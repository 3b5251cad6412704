import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { sha256Hex } from "../../worker/registry/digest.ts";
import { toRegistryError } from "../../worker/registry/errors.ts";
import { limits } from "../../worker/registry/limits.ts";
import { sealRegistration } from "../../worker/registry/people/registration.ts";
import { type Claims, signCapability } from "../../worker/storage/capabilities.ts";
import { interrupted } from "../support/worker/calls.ts";
import {
  type Ask,
  ask,
  environment,
  newPerson,
  newTokenFor,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";

/*
 * What the routes of signing in take and refuse, without a provider: what comes back from one is sealed here as
 * the registry seals it. test/server/sign-in.test.ts goes the whole way.
 */

const provider = { GITHUB_CLIENT_ID: "an-id", GITHUB_CLIENT_SECRET: "a-secret", GITHUB_ADMIT: "everyone" };
const withProvider = environment(provider);
const ownPage = { "Sec-Fetch-Site": "same-origin" };

let serial = 0;

type Newcomer = Partial<Claims<"registration">>;

/** The cookie of somebody who came back from GitHub for the first time. */
async function newcomer(changes: Newcomer = {}, expiresAt = Date.now() + 60_000): Promise<string> {
  serial++;
  const who = { provider: "github", issuer: "https://github.com", subject: String(serial), name: "Somebody" };
  const said = { ...who, email: null, emailVerified: false, suggestedName: "", isAdmin: false, ...changes };
  const sealed = await signCapability(testContext().settings, "registration", said, { expiresAt, since: Date.now() });
  return `__Host-registration=${sealed}`;
}

async function register(cookie: string, body: Ask["body"], options: Ask = {}): Promise<Response> {
  const headers = { Cookie: cookie, ...ownPage, ...options.headers };
  return await ask("/api/v1/registration", {
    method: "POST",
    env: withProvider,
    ...options,
    headers,
    body: body ?? null,
  });
}

async function codeOf(response: Response): Promise<string> {
  return `${response.status} ${((await response.json()) as { code: string }).code}`;
}

async function begin(body: Ask["body"], options: Ask = {}): Promise<Response> {
  const headers = { ...ownPage, ...options.headers };
  return await ask("/api/v1/sign-ins", { method: "POST", env: withProvider, ...options, headers, body: body ?? null });
}

function sessionIn(response: Response): string | undefined {
  return response.headers.getSetCookie().find((cookie) => cookie.startsWith("__Host-session="));
}

describe("beginning to sign in", () => {
  it("leads to the provider with a challenge and a state, and to nobody's page but this registry's back", async () => {
    const response = await begin({ provider: "github" });
    expect(response.status).toBe(201);
    const url = new URL(((await response.json()) as { url: string }).url);
    expect(`${url.origin}${url.pathname}`).toBe("https://github.com/login/oauth/authorize");
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      client_id: "an-id",
      response_type: "code",
      redirect_uri: "http://127.0.0.1:8787/auth/callback/github",
      scope: "read:user user:email",
      code_challenge_method: "S256",
    });
    for (const name of ["state", "code_challenge"]) expect(url.searchParams.get(name)?.length).toBeGreaterThan(40);
    expect(url.href).not.toContain("a-secret");
  });

  it("gives the browser a cookie that no script reads, no other site sends along, and that tells nothing", async () => {
    const [cookie = "", ...others] = (await begin({ provider: "github", next: "/secret-page" })).headers.getSetCookie();
    expect(others).toEqual([]);
    expect(cookie).toMatch(/^__Host-sign-in=[\w.-]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    expect(atob(cookie.split(".")[3]?.replace(/-/g, "+").replace(/_/g, "/") ?? "")).not.toContain("secret-page");
  });

  it("keeps the longest address to go on with in a cookie that browsers take", async () => {
    for (const next of [`/${"x".repeat(1023)}`, `/${"ü".repeat(1023)}`]) {
      const [cookie = ""] = (await begin({ provider: "github", next })).headers.getSetCookie();
      expect(cookie.length).toBeLessThan(4096);
    }
  });

  it.each<[string, Ask["body"], string]>([
    ["no such provider", { provider: "gitlab" }, "404 not-found"],
    ["a provider of that name in no object", { provider: "__proto__" }, "404 not-found"],
    ["no provider", {}, "400 body-invalid"],
    ["a number for one", { provider: 1 }, "400 body-invalid"],
    ["no JSON", "provider=github", "400 body-invalid"],
    ["nothing", null, "400 body-invalid"],
    ["too much", `"${"x".repeat(limits.jsonBodyBytes)}"`, "413 body-too-large"],
  ])("is refused for %s", async (_, body, expected) => {
    expect(await codeOf(await begin(body))).toBe(expected);
  });

  it.each([{ "Sec-Fetch-Site": "cross-site" }, { "Sec-Fetch-Site": "same-site" }, { "Sec-Fetch-Site": "none" }])(
    "is refused to a request that is not of our pages: %j",
    async (headers) => {
      expect(await codeOf(await begin({ provider: "github" }, { headers }))).toBe("403 cross-site");
    },
  );

  it("is refused where the cookie would not be kept", async () => {
    const far = environment({ ...provider, PUBLIC_ORIGIN: "http://registry.example.org" });
    expect(await codeOf(await begin({ provider: "github" }, { env: far }))).toBe("403 https-required");
  });

  it("is refused to an address that tries too often, and to no other", async () => {
    const from = (address: string) => begin({ provider: "x" }, { headers: { "CF-Connecting-IP": address } });
    for (let attempt = 0; attempt < limits.signInsPerMinute; attempt++) await from("192.0.2.1");
    expect((await from("192.0.2.1")).status).toBe(429);
    expect((await from("192.0.2.2")).status).toBe(404);
  });
});

describe("coming back without an attempt", () => {
  it.each(["", "?code=x&state=y", "?error=access_denied", "?state=%00"])(
    "with %j ends on the sign-in page",
    async (query) => {
      for (const id of ["github", "nobody", "%3Cb%3E", "%E0%A4%A"]) {
        const response = await ask(`/auth/callback/${id}${query}`, { env: withProvider });
        expect([response.status, response.headers.get("location")]).toEqual([303, "/login?error=sign-in-expired"]);
      }
    },
  );

  it("with a forged cookie, or one that is for something else, is the same", async () => {
    const cookies = [
      "__Host-sign-in=x",
      "__Host-sign-in=a.b.c.d.e",
      (await newcomer()).replace("registration", "sign-in"),
    ];
    for (const Cookie of cookies) {
      const response = await ask("/auth/callback/github?code=x&state=y", { env: withProvider, headers: { Cookie } });
      expect(response.headers.get("location")).toBe("/login?error=sign-in-expired");
      expect(response.headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-sign-in=; Max-Age=0/)]);
    }
  });

  it("by any other method is nothing", async () => {
    for (const method of ["HEAD", "POST", "PUT", "DELETE"]) {
      expect((await ask("/auth/callback/github?code=x", { method, env: withProvider })).status).toBe(404);
    }
  });
});

describe("coming back again and again with one attempt", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("has the provider asked no more often than one may begin", async () => {
    const asked = vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response("{}", { status: 400 }));
    const said = { provider: "github", state: "s", nonce: "n", verifier: "v".repeat(43), next: "/", sessionId: null };
    const lifetime = { expiresAt: Date.now() + 60_000, since: Date.now() };
    const sealed = await signCapability(testContext().settings, "sign-in", said, lifetime);
    const headers = { Cookie: `__Host-sign-in=${sealed}`, "CF-Connecting-IP": "192.0.2.77" };
    let last: string | null = null;
    for (let time = 0; time <= limits.signInsPerMinute; time++) {
      const response = await ask(`/auth/callback/github?code=${time}&state=s`, { env: withProvider, headers });
      last = response.headers.get("location");
    }
    expect([last, asked.mock.calls.length]).toEqual(["/login?error=rate-limited", limits.signInsPerMinute]);
  });
});

describe("choosing a name", () => {
  it("makes a user, their entity and a session", async () => {
    const name = uniqueName("new");
    const response = await register(await newcomer(), { username: name.toUpperCase() });
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ username: name, role: "user", entity: name });
    expect(sessionIn(response)).toMatch(/; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    const [Cookie = ""] = sessionIn(response)?.split(";") ?? [];
    expect((await ask("/api/v1/identities", { headers: { Cookie } })).status).toBe(200);
    const audited = await env.DB.prepare("SELECT action FROM audit WHERE target = ? ORDER BY id").bind(name).all();
    expect(audited.results.map(({ action }) => action)).toEqual(["user.register", "session.start"]);
  });

  it.each<[string, Ask["body"], string]>([
    ["a reserved one", { username: "admin" }, "409 name-reserved"],
    ["one that is none", { username: "a b" }, "400 name-invalid"],
    ["a letter that becomes another one", { username: "\u212Aim" }, "400 name-invalid"],
    ["none", {}, "400 body-invalid"],
    ["too long a one", { username: "x".repeat(limits.nameLength + 1) }, "400 body-invalid"],
    ["no JSON", "{", "400 body-invalid"],
    ["too much", `"${"x".repeat(limits.jsonBodyBytes)}"`, "413 body-too-large"],
  ])("refuses %s", async (_, body, expected) => {
    expect(await codeOf(await register(await newcomer(), body))).toBe(expected);
  });

  it("refuses whose name somebody has, or had, or an entity", async () => {
    const { username } = await newPerson("taken");
    expect(await codeOf(await register(await newcomer(), { username }))).toBe("409 name-taken");
    const gone = uniqueName("gone");
    await env.DB.prepare("INSERT INTO tombstones (kind, name, created_at) VALUES ('entity', ?, 0)").bind(gone).run();
    expect(await codeOf(await register(await newcomer(), { username: gone }))).toBe("409 name-taken");
    const offer = await ask("/api/v1/registration", {
      env: withProvider,
      headers: { Cookie: await newcomer({ suggestedName: gone }) },
    });
    expect(await offer.json()).toMatchObject({ suggestedUsername: `${gone}-2` });
  });

  it.each([
    ["Jürgen Müller", "jurgen-muller"],
    ["admin", "admin-2"],
    ["--x__y..z--", "x-y-z"],
    ["日本語", ""],
    ["", ""],
  ])("suggests for %j the name %j", async (suggestedName, expected) => {
    const headers = { Cookie: await newcomer({ suggestedName }) };
    const offer = await ask("/api/v1/registration", { env: withProvider, headers });
    expect(await offer.json()).toMatchObject({ suggestedUsername: expected });
  });

  it("refuses who did not come back from a provider in this browser, or too long ago", async () => {
    const username = uniqueName("never");
    const late = await newcomer({}, Date.now() - 1000);
    for (const cookie of ["", "__Host-registration=forged", late]) {
      expect(await codeOf(await register(cookie, { username }))).toBe("400 sign-in-expired");
      const headers = { Cookie: cookie };
      expect((await ask("/api/v1/registration", { env: withProvider, headers })).status).toBe(404);
    }
  });

  it("refuses a request of another site", async () => {
    const headers = { "Sec-Fetch-Site": "cross-site" };
    const response = await register(await newcomer(), { username: uniqueName("csrf") }, { headers });
    expect(await codeOf(response)).toBe("403 cross-site");
  });

  it("is over when registration was switched off, or the provider was", async () => {
    const off = environment({ ...provider, DISABLE_REGISTRATION: "true" });
    const cookie = await newcomer();
    const username = uniqueName("late");
    expect(await codeOf(await register(cookie, { username }, { env: off }))).toBe("403 not-admitted");
    expect(await codeOf(await register(cookie, { username }, { env: environment() }))).toBe("403 not-admitted");
    expect((await register(cookie, { username })).status).toBe(201);
  });

  it("needs the terms to be agreed to in the same act, in the version that counts", async () => {
    const terms = environment({ ...provider, TERMS: "Be kind.", TERMS_VERSION: "2" });
    const cookie = await newcomer();
    const username = uniqueName("agreeing");
    const offer = await ask("/api/v1/registration", { env: terms, headers: { Cookie: cookie } });
    expect(await offer.json()).toMatchObject({ terms: "2" });
    for (const version of [null, "1"]) {
      expect(await codeOf(await register(cookie, { username, terms: version }, { env: terms }))).toBe(
        "403 terms-required",
      );
    }
    const made = await register(cookie, { username, terms: "2" }, { env: terms });
    expect(await made.json()).toMatchObject({ terms: { required: "2", agreed: "2" } });
  });

  it("makes one user of one account, also by two calls at once and by a repeated one", async () => {
    const cookie = await newcomer();
    const names = [uniqueName("race"), uniqueName("race")];
    const answers = await Promise.all(names.map((username) => register(cookie, { username })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(await codeOf(await register(cookie, { username: uniqueName("race") }))).toBe("409 identity-taken");
  });

  it("gives one name to one of two who ask for it at once", async () => {
    const username = uniqueName("wanted");
    const cookies = [await newcomer(), await newcomer()];
    const answers = await Promise.all(cookies.map((cookie) => register(cookie, { username })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  it("ends the session that the browser had", async () => {
    const { username } = await newPerson("before");
    const { cookie } = await newSession(username);
    const both = `${await newcomer()}; ${cookie}`;
    expect((await register(both, { username: uniqueName("after") })).status).toBe(201);
    expect((await ask("/api/v1/identities", { headers: { Cookie: cookie } })).status).toBe(401);
  });

  it("ends the sessions used longest ago where there would be too many", async () => {
    const { username } = await newPerson("everywhere");
    const subject = `many-${username}`;
    await env.DB.prepare(
      `INSERT INTO identities (id, user_id, provider, issuer, subject, origin, created_at, last_used_at)
       SELECT ?, id, 'github', 'https://github.com', ?, 'link', 0, 0 FROM users WHERE username = ?`,
    )
      .bind(crypto.randomUUID(), subject, username)
      .run();
    const oldest = await newSession(username, Date.now() - 5000);
    for (let count = 1; count < limits.sessionsPerUser; count++) await newSession(username, Date.now() - 1000);
    const { startSession } = await import("../../worker/registry/people/sessions.ts");
    const ctx = testContext();
    const user = await env.DB.prepare("SELECT id FROM users WHERE username = ?").bind(username).first<{ id: string }>();
    const { statements } = await startSession(ctx, { userId: user?.id ?? "", username, signedInWith: "github" });
    await ctx.db.batch(statements);
    const row = await env.DB.prepare("SELECT COUNT(*) AS n FROM sessions WHERE user_id = ?").bind(user?.id).first();
    expect(row).toEqual({ n: limits.sessionsPerUser });
    expect((await ask("/api/v1/identities", { headers: { Cookie: oldest.cookie } })).status).toBe(401);
  });
});

describe("somebody who came back for the first time", () => {
  const account = {
    issuer: "https://github.com",
    subject: "new",
    name: "Somebody",
    email: "somebody@example.org",
    emailVerified: true,
    suggestedName: "somebody",
    groups: [],
    organizations: [],
  };

  async function arriving(settings: Record<string, string>): Promise<string> {
    const ctx = testContext(environment({ ...provider, ...settings }));
    const [github] = ctx.settings.providers;
    if (github === undefined) throw new Error("there is no provider");
    return await sealRegistration(ctx, github, account).then(
      () => "admitted",
      (thrown) => toRegistryError(thrown).code,
    );
  }

  it("is admitted as the provider's settings say, unless registration is switched off", async () => {
    expect(await arriving({})).toBe("admitted");
    expect(await arriving({ GITHUB_ADMIT: "domain:example.org" })).toBe("admitted");
    expect(await arriving({ GITHUB_ADMIT: "nobody" })).toBe("not-admitted");
    expect(await arriving({ DISABLE_REGISTRATION: "true" })).toBe("not-admitted");
  });
});

describe("the accounts one signs in with", () => {
  async function withIdentities(count: number) {
    const { username } = await newPerson("linked");
    const { headers } = await newSession(username);
    const ids = Array.from({ length: count }, () => crypto.randomUUID());
    for (const id of ids) {
      await env.DB.prepare(
        `INSERT INTO identities (id, user_id, provider, issuer, subject, origin, created_at, last_used_at)
         SELECT ?1, id, 'gone', 'https://id.example.org', ?1, 'link', 0, 0 FROM users WHERE username = ?2`,
      )
        .bind(id, username)
        .run();
    }
    return { username, headers, ids };
  }

  it("are seen by their user alone, with what a provider that is gone was called", async () => {
    const { headers, username, ids } = await withIdentities(1);
    const response = await ask("/api/v1/identities", { headers });
    expect(await response.json()).toMatchObject({ items: [{ id: ids[0], provider: { id: "gone", name: "gone" } }] });
    const token = await newTokenFor(username, { scopes: ["pull", "push"] });
    expect((await ask("/api/v1/identities", { token })).status).toBe(403);
    expect((await ask("/api/v1/identities")).status).toBe(401);
  });

  it("are linked and unlinked with a browser, by its user: a token does neither", async () => {
    const { username, headers, ids } = await withIdentities(2);
    const token = await newTokenFor(username);
    const link: Ask = { method: "POST", body: { provider: "github" }, env: withProvider };
    const unlink: Ask = { method: "DELETE" };
    for (const [path, request] of [
      ["/api/v1/identities", link],
      [`/api/v1/identities/${ids[0]}`, unlink],
    ] as const) {
      expect(await codeOf(await ask(path, request))).toBe("401 unauthenticated");
      expect(await codeOf(await ask(path, { ...request, token: "wrong" }))).toBe("401 invalid-credential");
      expect(await codeOf(await ask(path, { ...request, token }))).toBe("403 session-required");
      const elsewhere = { ...headers, "Sec-Fetch-Site": "cross-site" };
      expect(await codeOf(await ask(path, { ...request, headers: elsewhere }))).toBe("403 cross-site");
    }
    expect(await codeOf(await ask("/api/v1/identities", { ...link, headers, body: {} }))).toBe("400 body-invalid");
    const huge = `"${"x".repeat(limits.jsonBodyBytes)}"`;
    expect(await codeOf(await ask("/api/v1/identities", { ...link, headers, body: huge }))).toBe("413 body-too-large");
    expect((await ask("/api/v1/identities", { ...link, headers })).status).toBe(201);
  });

  it("are not unlinked by another user, who cannot tell them from none", async () => {
    const { ids } = await withIdentities(2);
    const other = await withIdentities(2);
    for (const id of [ids[0], crypto.randomUUID(), "x", "%00"]) {
      const response = await ask(`/api/v1/identities/${id}`, { method: "DELETE", headers: other.headers });
      expect(await codeOf(response)).toBe("404 not-found");
    }
  });

  it("that are unlinked sign out the other browsers that came in by that provider, and no others", async () => {
    const { username, headers, ids } = await withIdentities(2);
    const [byIt, byLink] = [await newSession(username), await newSession(username)];
    const cookieOf = ({ cookie }: { cookie: string }) => cookie.split("=")[1] ?? "";
    await env.DB.prepare("UPDATE sessions SET signed_in_with = 'gone' WHERE hash = ?")
      .bind(await sha256Hex(cookieOf(byIt)))
      .run();
    expect((await ask(`/api/v1/identities/${ids[0]}`, { method: "DELETE", headers })).status).toBe(204);
    const statuses = [byIt.headers, byLink.headers, headers].map(
      async (of) => (await ask("/api/v1/me", { headers: of })).status,
    );
    expect(await Promise.all(statuses)).toEqual([401, 200, 200]);
  });

  it("that are unlinked sign out too who came in by another name of the same issuer, or by one that is gone", async () => {
    const both = { OIDC_PROVIDERS: "one,two", OIDC_ONE_CLIENT_ID: "a", OIDC_TWO_CLIENT_ID: "b" };
    const issuers = { OIDC_ONE_ISSUER: "https://id.example.org/", OIDC_TWO_ISSUER: "https://id.example.org" };
    const admitted = { OIDC_ONE_ADMIT: "everyone", OIDC_TWO_ADMIT: "everyone" };
    const withBoth = environment({ ...provider, ...both, ...issuers, ...admitted });
    const { username, headers, ids } = await withIdentities(2);
    const ways = ["one", "two", "renamed", "github", "login-link"];
    const sessions: { Cookie: string }[] = [];
    for (const way of ways) {
      const session = await newSession(username);
      await env.DB.prepare("UPDATE sessions SET signed_in_with = ? WHERE hash = ?")
        .bind(way, await sha256Hex(session.cookie.split("=")[1] ?? ""))
        .run();
      sessions.push(session.headers);
    }
    await env.DB.prepare("UPDATE identities SET provider = 'two' WHERE id = ?").bind(ids[0]).run();
    const unlinked = await ask(`/api/v1/identities/${ids[0]}`, { method: "DELETE", headers, env: withBoth });
    expect(unlinked.status).toBe(204);
    const statuses = sessions.map(async (of) => (await ask("/api/v1/me", { headers: of })).status);
    expect(await Promise.all(statuses)).toEqual([401, 401, 401, 200, 200]);
  });

  it("are never unlinked all, by repeated calls or by two at once", async () => {
    const { headers, ids } = await withIdentities(2);
    const unlink = (id: string | undefined) => ask(`/api/v1/identities/${id}`, { method: "DELETE", headers });
    const answers = await Promise.all([unlink(ids[0]), unlink(ids[1])]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
    const statuses = [await unlink(ids[0]), await unlink(ids[1])].map(({ status }) => status);
    expect(statuses.sort()).toEqual([404, 409]);
  });

  it("always leave one that still works: not one whose provider is gone", async () => {
    const { username, headers, ids } = await withIdentities(2);
    await env.DB.prepare("UPDATE identities SET issuer = 'https://github.com', provider = 'github' WHERE id = ?")
      .bind(ids[0])
      .run();
    const unlink = async (id: string | undefined) =>
      await ask(`/api/v1/identities/${id}`, { method: "DELETE", headers, env: withProvider });
    expect(await codeOf(await unlink(ids[0]))).toBe("409 last-identity");
    expect((await unlink(ids[1])).status).toBe(204);
    expect(await codeOf(await unlink(ids[0]))).toBe("409 last-identity");
    expect((await ask("/api/v1/me", { headers })).status, username).toBe(200);
  });

  it("are not unlinked by a browser that was signed out in that very moment", async () => {
    const { username, headers, ids } = await withIdentities(2);
    const isUnlinking = ({ name, sql }: { name: string; sql: readonly string[] }) =>
      name === "batch" && sql.some((text) => /delete from "identities"/i.test(text));
    const signedOut = async () => {
      await env.DB.prepare("DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE username = ?)")
        .bind(username)
        .run();
    };
    const during = interrupted(environment(), isUnlinking, signedOut);
    const response = await ask(`/api/v1/identities/${ids[0]}`, { method: "DELETE", headers, env: during });
    expect(await codeOf(response)).toBe("409 conflict");
  });

  it("are at most so many", async () => {
    const { headers } = await withIdentities(limits.identitiesPerUser);
    const response = await ask("/api/v1/identities", {
      method: "POST",
      headers,
      env: withProvider,
      body: { provider: "github" },
    });
    expect(await codeOf(response)).toBe("409 limit-reached");
  });
});

describe("what the site says of signing in", () => {
  const signInOf = async (of: Ask["env"]) => {
    const response = await ask("/api/v1/site", of === undefined ? {} : { env: of });
    return ((await response.json()) as { signIn: unknown }).signIn;
  };

  it("is which providers there are, and what is in the way", async () => {
    const providers = [{ id: "github", name: "GitHub" }];
    expect(await signInOf(environment())).toEqual({ obstacle: "no-providers", providers: [] });
    expect(await signInOf(withProvider)).toEqual({ obstacle: null, providers });
    const at = (PUBLIC_ORIGIN: string) => environment({ ...provider, PUBLIC_ORIGIN });
    expect(await signInOf(at("https://registry.example.org"))).toEqual({ obstacle: null, providers });
    expect(await signInOf(at("http://localhost:8787"))).toEqual({ obstacle: null, providers });
    expect(await signInOf(at("http://registry.example.org"))).toEqual({ obstacle: "https-required", providers });
  });
});
