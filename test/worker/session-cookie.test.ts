import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { operations } from "../../worker/protocols/web/api.ts";
import { limits } from "../../worker/registry/limits.ts";
import { setDisabled } from "../../worker/registry/people/users.ts";
import { makeSif } from "../support/make-sif.ts";
import { type Ask, ask, newPerson, ORIGIN, type Person, push, testContext } from "../support/worker/registry.ts";
import { newSession, type TestSession } from "../support/worker/session.ts";

/*
 * The cookie of somebody who is signed in: what it is good for, where it comes from, and when it ends.
 */

let alice: Person;
let session: TestSession;

beforeAll(async () => {
  alice = await newPerson("alice", { role: "superuser" });
  session = await newSession(alice.username);
  await push(alice.token, `${alice.username}/mine/app:1`, makeSif({ salt: "cookie" }), { private: true });
});

const SECOND = 1000;

async function codeOf(path: string, options: Ask): Promise<[number, string]> {
  const answer = await ask(path, options);
  const { code } = (await answer.json()) as { code: string };
  return [answer.status, code];
}

async function peopleSnapshot(): Promise<string> {
  const tables = ["users", "tokens", "sregistry_keys", "sessions", "identities", "settings", "publishers", "audit"];
  const rows = await env.DB.batch(tables.map((table) => env.DB.prepare(`SELECT * FROM ${table} ORDER BY 1`)));
  return JSON.stringify(rows.map((result) => result.results));
}

describe("a request with the cookie that would change something", () => {
  const unsafe = operations
    .map(({ description }) => description)
    // What brings a proof of its own in its body may come from anywhere: a browser adds nothing to it.
    .filter((description) => description.method !== "get" && !("fromAnywhere" in description))
    .map(({ id, method, path, actor }) => ({
      id,
      method: method.toUpperCase(),
      actor,
      url: path.replace(/\{\w+\*?\}/g, "x"),
    }));

  it.each(unsafe)("is refused from other sites, and from who does not say where it is from: $id", async (operation) => {
    const { method, url } = operation;
    const before = await peopleSnapshot();
    const origins: Record<string, string>[] = [
      {},
      { "Sec-Fetch-Site": "cross-site" },
      { "Sec-Fetch-Site": "same-site" },
      { "Sec-Fetch-Site": "none" },
      { "Sec-Fetch-Site": "" },
      { "Sec-Fetch-Site": "cross-site", Origin: ORIGIN },
      { Origin: "https://elsewhere.example" },
      { Origin: "null" },
      { Origin: `${ORIGIN}.elsewhere.example` },
    ];
    for (const origin of origins) {
      for (const type of ["application/json", "text/plain", "application/x-www-form-urlencoded"]) {
        const headers = { Cookie: session.cookie, "Content-Type": type, "If-Match": "*", ...origin };
        const refused = await codeOf(url, { method, headers, body: "{}" });
        expect(refused, JSON.stringify(headers)).toEqual([403, "cross-site"]);
      }
    }
    expect(await peopleSnapshot()).toBe(before);
  });

  it("counts from our own pages, also where the browser says only its origin", async () => {
    const body = { name: "x", scopes: ["pull"] };
    for (const origin of [{ "Sec-Fetch-Site": "same-origin" }, { Origin: ORIGIN }]) {
      const headers = { Cookie: session.cookie, ...origin };
      expect((await ask("/api/v1/tokens", { method: "POST", headers, body })).status).toBe(201);
    }
  });
});

describe("the cookie", () => {
  const reference = () => `${alice.username}/mine/app:1`;
  const elsewhere: [string, () => string, Ask][] = [
    ["the library's token status", () => "/v1/token-status", {}],
    ["the library's pull", () => `/v1/imagefile/${reference()}?arch=amd64`, {}],
    ["the library's push", () => "/v1/entities", { method: "POST", body: { name: "x" } }],
    ["the library's upload", () => "/v2/imagefile/x", { method: "POST", body: { filesize: 1 } }],
    ["sregistry's pull", () => "/api/container/mine/app:1", {}],
    ["sregistry's question", () => "/api/upload/chunked_upload", { method: "POST", body: { collection: "mine" } }],
    ["sregistry's form", () => "/upload", { method: "POST", body: "x" }],
    ["the administrator's address", () => "/admin/rpc", { method: "POST", body: { verb: "list-users" } }],
    ["a blob's address", () => "/blobs/x?t=y", {}],
  ];

  it.each(elsewhere)("is worth nothing for %s", async (_, url, options) => {
    const told = async (headers: Record<string, string>) => {
      const answer = await ask(url(), { ...options, headers });
      return [answer.status, (await answer.text()).replace(/[0-9a-f-]{36}/g, "ID")];
    };
    expect(await told(session.headers)).toEqual(await told({}));
  });

  it("does not speak where an Authorization header does, good or bad", async () => {
    const bob = await newPerson("bob");
    expect(await codeOf("/api/v1/users", { token: bob.token, headers: session.headers })).toEqual([403, "forbidden"]);
    const bad = await ask("/api/v1/users", { token: "garbage", headers: session.headers });
    expect([bad.status, bad.headers.getSetCookie()]).toEqual([401, []]);
  });
});

describe("a session that is over", () => {
  const ends: [string, (username: string) => Promise<TestSession>][] = [
    [
      "because nobody used it for long enough",
      async (username) => await newSession(username, Date.now() - limits.sessionIdleSeconds * SECOND),
    ],
    [
      "because it began too long ago, however much it was used",
      async (username) => {
        const began = Date.now() - limits.sessionMaxSeconds * SECOND;
        const session = await newSession(username, began);
        await env.DB.prepare("UPDATE sessions SET last_used_at = ?, expires_at = ? WHERE created_at = ?")
          .bind(Date.now(), began + limits.sessionMaxSeconds * SECOND, began)
          .run();
        return session;
      },
    ],
    [
      "because its user was disabled",
      async (username) => {
        const session = await newSession(username);
        await setDisabled(testContext(), operator, username, true);
        return session;
      },
    ],
    [
      "of a disabled user whose row is still there",
      async (username) => {
        await setDisabled(testContext(), operator, username, true);
        return await newSession(username);
      },
    ],
    [
      "that there never was",
      async () => ({
        cookie: "__Host-session=x",
        headers: { Cookie: "__Host-session=x", "Sec-Fetch-Site": "same-origin" },
      }),
    ],
  ];

  it.each(ends)("%s is answered 401, and the browser forgets it", async (_, end) => {
    const { username } = await newPerson("ended");
    const { headers } = await end(username);
    for (const options of [{ headers }, { headers, method: "POST", body: {} }]) {
      const answer = await ask("/api/v1/tokens", options);
      const [cookie = ""] = answer.headers.getSetCookie();
      expect([answer.status, (await answer.json()) as object]).toMatchObject([401, { code: "invalid-credential" }]);
      expect(cookie).toMatch(/^__Host-session=;.*Max-Age=0/);
      expect(cookie).toMatch(/Path=\/(?:;|$)/);
      expect(cookie).toContain("Secure");
    }
  });

  it("is not that of another use: one that is used goes on", async () => {
    const { username } = await newPerson("going-on");
    const at = Date.now() - (limits.sessionIdleSeconds - 60) * SECOND;
    const { headers } = await newSession(username, at);
    expect((await ask("/api/v1/tokens", { headers })).status).toBe(200);
    const row = await env.DB.prepare("SELECT expires_at AS ends FROM sessions WHERE created_at = ?")
      .bind(at)
      .first("ends");
    expect(Number(row)).toBeGreaterThan(Date.now() + (limits.sessionIdleSeconds - 60) * SECOND);
  });
});
