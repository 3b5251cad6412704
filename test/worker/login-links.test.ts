import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { limits } from "../../worker/registry/limits.ts";
import { makeLoginLink } from "../../worker/registry/people/login-links.ts";
import { setDisabled } from "../../worker/registry/people/users.ts";
import { counted, interrupted } from "../support/worker/calls.ts";
import { sessionCookieOf } from "../support/worker/cookies.ts";
import { type Ask, ask, environment, newPerson, ORIGIN, testContext } from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";

const own = { "Sec-Fetch-Site": "same-origin" };
let username: string;

beforeEach(async () => {
  ({ username } = await newPerson("alice"));
});

/** What stands behind the `#` of a new link. */
async function newLink(of = username): Promise<string> {
  const { url } = await makeLoginLink(testContext(), operator, of);
  return url.split("#")[1] ?? "";
}

const use = (link: unknown, options: Ask = {}) =>
  ask("/api/v1/sessions", { method: "POST", body: { link }, headers: own, ...options });

async function codeOf(answer: Response): Promise<[number, string]> {
  return [answer.status, (await answer.json<{ code: string }>()).code];
}

function cookieOf(answer: Response): string {
  return /^[^;]+/.exec(sessionCookieOf(answer) ?? "")?.[0] ?? "";
}

async function whoIs(cookie: string): Promise<string | number> {
  const answer = await ask("/api/v1/me", { headers: { Cookie: cookie } });
  return answer.status === 200 ? (await answer.json<{ username: string }>()).username : answer.status;
}

const sessionCount = async () => (await env.DB.prepare("SELECT 1 FROM sessions").all()).results.length;

describe("a login link", () => {
  it("is an address of this registry, good for ten minutes, and kept as a hash", async () => {
    const link = await makeLoginLink(testContext(), operator, username.toUpperCase());
    expect(link.url).toMatch(new RegExp(`^${ORIGIN}/auth/link#[A-Za-z0-9_-]{43}$`));
    const seconds = (Date.parse(link.expiresAt) - Date.now()) / 1000;
    expect(Math.abs(seconds - limits.loginLinkSeconds)).toBeLessThan(60);
    const secret = link.url.split("#")[1] ?? "";
    for (const table of ["login_links", "audit"]) {
      expect(JSON.stringify((await env.DB.prepare(`SELECT * FROM ${table}`).all()).results)).not.toContain(secret);
    }
  });

  it("signs its user in once, and says who they are", async () => {
    const link = await newLink();
    const answer = await use(link, { headers: { ...own, "User-Agent": "Browser 1" } });
    expect(answer.status).toBe(201);
    expect(await answer.clone().json()).toMatchObject({ username, entity: username, credential: { kind: "session" } });
    expect(sessionCookieOf(answer)).toMatch(
      /^__Host-session=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect(await whoIs(cookieOf(answer))).toBe(username);
    const listed = await ask("/api/v1/sessions", { headers: { Cookie: cookieOf(answer) } });
    expect(await listed.json()).toMatchObject({ items: [{ signedInWith: "login-link", userAgent: "Browser 1" }] });
    expect(await codeOf(await use(link))).toEqual([410, "link-ended"]);
  });

  it("ends when another one is made for the same user, and no one else's does", async () => {
    const other = await newLink((await newPerson("bob")).username);
    const [first, second] = [await newLink(), await newLink()];
    expect(await codeOf(await use(first))).toEqual([410, "link-ended"]);
    expect((await use(second)).status).toBe(201);
    expect((await use(other)).status).toBe(201);
  });

  it("is not used up by whoever only opens it, as mail scanners do", async () => {
    const link = await newLink();
    const before = await sessionCount();
    for (const method of ["GET", "HEAD"]) {
      const page = await ask("/auth/link", { method, headers: { Accept: "text/html" } });
      const files = [...(await page.text()).matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? "");
      for (const file of files) expect((await ask(file, { method })).status).toBe(200);
      for (const path of ["/api/v1/site", "/api/v1/me", "/api/v1/terms", "/api/v1/sessions"]) {
        await ask(path, { method });
        await ask(`${path}?link=${link}`, { method });
      }
    }
    expect(await sessionCount()).toBe(before);
    expect((await use(link)).status).toBe(201);
  });

  it("lets one of two browsers in that use it at once", async () => {
    const link = await newLink();
    const before = await sessionCount();
    const two = await Promise.all([use(link), use(link)]);
    expect(two.map(({ status }) => status).sort()).toEqual([201, 410]);
    expect(await sessionCount()).toBe(before + 1);
  });

  it("is no good after its time", async () => {
    const link = await newLink();
    await env.DB.prepare("UPDATE login_links SET expires_at = ?").bind(Date.now()).run();
    expect(await codeOf(await use(link))).toEqual([410, "link-ended"]);
  });

  it("ends the session that the browser had, whosoever it was", async () => {
    const bob = (await newPerson("bob")).username;
    for (const earlier of [username, bob]) {
      const had = await newSession(earlier);
      const answer = await use(await newLink(), { headers: had.headers });
      expect([await whoIs(had.cookie), await whoIs(cookieOf(answer))]).toEqual([401, username]);
    }
    const wrong = await use(await newLink(), { headers: { ...own, Cookie: "__Host-session=wrong" } });
    expect(wrong.status).toBe(201);
  });

  it("is neither made for nor used by who does not sign in", async () => {
    await env.DB.prepare("INSERT INTO users (id, username, created_at, is_robot) VALUES ('r', 'robot-r', 0, 1)").run();
    await expect(makeLoginLink(testContext(), operator, "robot-r")).rejects.toMatchObject({ code: "conflict" });
    await expect(makeLoginLink(testContext(), operator, "nobody-here")).rejects.toMatchObject({ code: "not-found" });
    const link = await newLink();
    await setDisabled(testContext(), operator, username, true);
    await expect(makeLoginLink(testContext(), operator, username)).rejects.toMatchObject({ code: "conflict" });
    const kept = "INSERT OR IGNORE INTO login_links SELECT 'kept', id, 9e15 FROM users WHERE username = ?";
    await env.DB.prepare(kept).bind(username).run();
    const refused = await codeOf(await use(link));
    // Disabling may end the link altogether.
    expect([
      [403, "not-admitted"],
      [410, "link-ended"],
    ]).toContainEqual(refused);
  });

  it("lets nobody in who is disabled in that very moment", async () => {
    const link = await newLink();
    const disable = () => env.DB.prepare("UPDATE users SET disabled_at = 1 WHERE username = ?").bind(username).run();
    const of = interrupted(environment(), ({ name }) => name === "batch", disable);
    const before = await sessionCount();
    expect((await use(link, { env: of })).status).toBe(410);
    expect(await sessionCount()).toBe(before);
  });

  it("is made by the operator for anybody, and by nobody for another person", async () => {
    const bob = (await newPerson("bob", { role: "superuser" })).username;
    const row = await env.DB.prepare("SELECT id FROM users WHERE username = ?").bind(bob).first<{ id: string }>();
    const actor = {
      kind: "user" as const,
      userId: row?.id ?? "",
      username: bob,
      isAdmin: false,
      isSuperuser: true,
      isRobot: false,
      teams: [],
      credential: { kind: "session" as const, id: "s", scopes: new Set(["manage" as const]), collectionId: null },
    };
    await expect(makeLoginLink(testContext(), actor, username)).rejects.toMatchObject({ code: "forbidden" });
    await expect(makeLoginLink(testContext(), { kind: "anonymous" }, username)).rejects.toMatchObject({
      code: "unauthenticated",
    });
  });
});

describe("using one", () => {
  it("needs https, but on loopback: elsewhere browsers drop the cookie", async () => {
    const link = await newLink();
    const plain = environment({ PUBLIC_ORIGIN: "http://registry.example.org" });
    expect(await codeOf(await use(link, { env: plain }))).toEqual([403, "https-required"]);
    await expect(makeLoginLink(testContext(plain), operator, username)).rejects.toMatchObject({
      code: "https-required",
    });
    const secure = environment({ PUBLIC_ORIGIN: "https://registry.example.org" });
    const made = await makeLoginLink(testContext(secure), operator, username);
    expect(made.url).toMatch(/^https:\/\/registry\.example\.org\/auth\/link#/);
    expect((await use(made.url.split("#")[1], { env: secure })).status).toBe(201);
  });

  it("is for our own pages alone", async () => {
    const link = await newLink();
    for (const headers of [{}, { "Sec-Fetch-Site": "cross-site" }, { Origin: "https://evil.example" }]) {
      expect(await codeOf(await use(link, { headers }))).toEqual([403, "cross-site"]);
    }
    expect((await use(link, { headers: { Origin: ORIGIN } })).status).toBe(201);
  });

  it("refuses what is no link, and costs one query then", async () => {
    for (const link of [null, 1, [], {}, "x".repeat(600)]) expect((await use(link)).status).toBe(400);
    for (const body of ["", "{", "[]", "null"]) expect((await use("", { body })).status).toBe(400);
    const large = await use("", { body: JSON.stringify({ link: "x", filler: "x".repeat(100_000) }) });
    expect(large.status).toBe(413);
    for (const link of ["", "' OR 1=1 --", "\u0000"]) {
      const { env: watched, counts } = counted();
      expect(await codeOf(await use(link, { env: watched }))).toEqual([410, "link-ended"]);
      expect(counts).toEqual({ d1: 1, r2: 0, durable: 1 });
    }
  });

  it("is limited by address, so that one who guesses keeps nobody else out", async () => {
    const from = (address: string) => ({ headers: { ...own, "CF-Connecting-IP": address } });
    const statuses: number[] = [];
    for (let n = 0; n <= limits.signInsPerMinute; n++) statuses.push((await use("guess", from("192.0.2.1"))).status);
    expect(statuses.at(-1)).toBe(429);
    expect(statuses[0]).toBe(410);
    expect((await use(await newLink(), from("192.0.2.2"))).status).toBe(201);
  });
});
