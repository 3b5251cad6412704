import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { problemSchema } from "../../worker/protocols/web/schemas.ts";
import { errorHelp } from "../../worker/registry/error-help.ts";
import { errorCodes, errorMessages } from "../../worker/registry/errors.ts";
import { counted } from "../support/worker/calls.ts";
import { ask, askJson, environment, newPerson } from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";

const browser = { Accept: "text/html,application/xhtml+xml" };
const cleared = /^__Host-[\w-]+=;.*Max-Age=0/;

describe("the JSON API's document", () => {
  it("is shown by a program whose licence comes with it", async () => {
    const [, script = ""] = /src="(\/static\/[\w.-]+\.js)"/.exec(await (await ask("/api/docs")).text()) ?? [];
    expect((await (await ask(script)).text()).slice(0, 200)).toContain("MIT License");
  });

  it("is answered to programs, and not again to one that has it", async () => {
    const response = await ask("/api/v1/openapi.json");
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toBe("application/json");
    expect(response.headers.get("Cache-Control")).toMatch(/^public, max-age=\d+$/);
    expect(await response.json()).toMatchObject({ openapi: "3.1.0", servers: [{ url: "/" }] });
    const tag = response.headers.get("ETag") ?? "";
    expect(tag).toMatch(/^"[0-9a-f]{32}"$/);
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
      const again = await ask("/api/v1/openapi.json", { headers: { "If-None-Match": known } });
      expect([again.status, again.headers.get("ETag"), await again.text()], known).toEqual([304, tag, ""]);
    }
    const other = await ask("/api/v1/openapi.json", { headers: { "If-None-Match": '"other"' } });
    expect(other.status).toBe(200);
  });

  it("names every operation that the registry has, and no address that it has not", async () => {
    const { paths } = await askJson<{ paths: Record<string, Record<string, unknown>> }>("/api/v1/openapi.json");
    for (const [path, methods] of Object.entries(paths)) {
      for (const method of Object.keys(methods)) {
        const address = path.replaceAll(/\{\w+\}/g, "nothing");
        const answer = await ask(address, { method: method.toUpperCase() });
        if (answer.status === 404) expect((await answer.json()) as object, path).toMatchObject({ code: "not-found" });
      }
    }
  });

  it("is a page for people, which loads nothing from elsewhere", async () => {
    const [page, shell] = await Promise.all([ask("/api/docs", { headers: browser }), ask("/", { headers: browser })]);
    expect([page.status, page.headers.get("Content-Type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(await page.text()).toMatch(/<script [^>]*src="\/static\/[\w.-]+\.js"/);
    const policy = (response: Response) => (response.headers.get("Content-Security-Policy") ?? "").split("; ");
    const [own, usual] = [policy(page), policy(shell)];
    expect(own.filter((directive) => !usual.includes(directive))).toEqual(["style-src 'self' 'unsafe-inline'"]);
    expect(usual.filter((directive) => !own.includes(directive))).toEqual(["style-src 'self'"]);
  });

  it("is found where the original has its own", async () => {
    for (const [path, target] of [
      ["/api/schema", "/api/v1/openapi.json"],
      ["/api/schema/", "/api/v1/openapi.json"],
      ["/api/docs/", "/api/docs"],
      ["/api", "/api/docs"],
      ["/api/", "/api/docs"],
    ]) {
      const response = await ask(path ?? "", { headers: browser });
      expect([response.status, response.headers.get("Location")], path).toEqual([302, target]);
    }
  });

  it("is not in the way of sregistry's clients, who get the list of addresses", async () => {
    for (const Accept of ["*/*", "application/json"]) {
      const response = await ask("/api/", { headers: { Accept } });
      expect([response.status, response.headers.get("Vary")], Accept).toEqual([200, "Accept"]);
      expect(await response.json()).toHaveProperty("collections");
    }
  });

  it("is there to be read, and no address below it is anything", async () => {
    for (const path of ["/api/docs/more", "/api/schema/more"]) expect((await ask(path)).status, path).toBe(404);
    expect((await ask("/api/docs", { method: "POST" })).status).toBe(404);
    expect((await ask("/api/docs", { method: "HEAD" })).status).toBe(200);
  });

  it("costs no call of the database", async () => {
    for (const path of ["/api/docs", "/api/v1/openapi.json", "/api/v1/errors/frozen"]) {
      const { env: watched, counts } = counted();
      expect((await ask(path, { env: watched })).status).toBe(200);
      expect(counts, path).toEqual({ d1: 0, r2: 0, durable: 0 });
    }
  });
});

describe("an error of the JSON API", () => {
  it("is told with the way out, and stands at the address it names", async () => {
    for (const [path, method] of [
      ["/api/v1/nothing", "GET"],
      ["/api/v1/search?q=a", "GET"],
      ["/api/v1/search?q=abc&signed=perhaps", "GET"],
      ["/api/v1/containers/no/such/thing/topics", "GET"],
      ["/api/v1/containers/no/such/thing/topics/x", "PUT"],
      ["/api/v1/tokens", "GET"],
    ] as const) {
      const response = await ask(path, { method });
      expect(response.headers.get("Content-Type")).toBe("application/problem+json");
      const problem = problemSchema.strict().parse(await response.json());
      expect(problem.status).toBe(response.status);
      expect(response.headers.get("WWW-Authenticate")).toBe(response.status === 401 ? "Bearer" : null);
      expect(await askJson(problem.type)).toEqual({
        code: problem.code,
        title: problem.title,
        status: problem.status,
        help: problem.help,
      });
    }
  });

  it("can be looked up by its code, whichever it is; others are not found", async () => {
    for (const code of errorCodes) {
      const found = await askJson(`/api/v1/errors/${code}`);
      expect(found).toMatchObject({ code, title: errorMessages[code], help: errorHelp[code] });
    }
    for (const code of ["nothing", "constructor", "%00"]) {
      expect((await ask(`/api/v1/errors/${code}`)).status, code).toBe(404);
    }
  });
});

describe("a cookie that is no good any more", () => {
  const lists = "/api/v1/topics";
  const sameOrigin = { "Sec-Fetch-Site": "same-origin" };

  it("is taken from the browser with the 401: unknown, over, or of somebody who is disabled", async () => {
    const { username } = await newPerson("signed-in");
    const over = await newSession(username, Date.now() - 365 * 86_400_000);
    const disabled = await newPerson("disabled");
    const { cookie: ofDisabled } = await newSession(disabled.username);
    await env.DB.prepare("UPDATE users SET disabled_at = 1 WHERE username = ?").bind(disabled.username).run();
    for (const cookie of ["__Host-session=unknown", over.cookie, ofDisabled]) {
      const response = await ask(lists, { headers: { ...sameOrigin, Cookie: `other=1; ${cookie}` } });
      expect([response.status, await response.json()]).toEqual([
        401,
        expect.objectContaining({ code: "invalid-credential" }),
      ]);
      const cookies = response.headers.getSetCookie();
      expect(cookies).toContainEqual(expect.stringMatching(/^__Host-session=;/));
      for (const taken of cookies) expect(taken).toMatch(cleared);
    }
  });

  it("stays where it was not what failed", async () => {
    const person = await newPerson("signed-in");
    const { headers } = await newSession(person.username);
    const dead = { Cookie: "__Host-session=unknown", ...sameOrigin };
    const cases: [string, Parameters<typeof ask>[1], number][] = [
      ["a good one", { headers }, 200],
      ["a wrong token, whatever cookie comes with it", { headers, token: "wrong" }, 401],
      ["a good token, which goes before", { headers: dead, token: person.token }, 200],
      ["an error that is no 401", { method: "PUT", headers: { ...headers, "Sec-Fetch-Site": "cross-site" } }, 403],
      ["a dead one that another site's page sent", { method: "PUT", headers: { Cookie: dead.Cookie } }, 403],
      ["terms that were not agreed to", { headers, env: environment({ TERMS: "Be kind", TERMS_VERSION: "1" }) }, 403],
    ];
    for (const [what, options, status] of cases) {
      const path = options?.method === "PUT" ? "/api/v1/containers/a/b/c/topics/x" : lists;
      const response = await ask(path, options);
      expect([response.status, response.headers.getSetCookie()], what).toEqual([status, []]);
    }
  });

  it("spoils nothing where nobody is asked who they are, nor for other protocols", async () => {
    for (const path of ["/api/v1/openapi.json", "/api/v1/nothing", "/v1/collections/a/b", "/version", "/"]) {
      const response = await ask(path, { headers: { Cookie: "__Host-session=unknown" } });
      expect([[200, 404].includes(response.status), response.headers.getSetCookie()], path).toEqual([true, []]);
    }
  });
});
