import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import type { AppEnv } from "../../worker/http/request-context.ts";
import { clearSessionCookie, setSessionCookie } from "../../worker/http/session-cookie.ts";
import { ask } from "../support/worker/registry.ts";

/** The cookies an answer sets, without the day they end: name and value, and what else browsers are told of them. */
function cookiesOf(answer: Response): string[][] {
  return answer.headers.getSetCookie().map((cookie) => cookie.split("; ").filter((part) => !/^Expires/.test(part)));
}

describe("the pages see whether somebody is signed in", () => {
  const app = new Hono<AppEnv>()
    .get("/in", (c) => {
      setSessionCookie(c, "the-secret");
      return c.text("");
    })
    .get("/out", (c) => {
      clearSessionCookie(c);
      return c.text("");
    });

  it("by a cookie that says nothing else, beside the one that no script can read", async () => {
    const [session = [], hint = [], ...more] = cookiesOf(await app.request("/in"));
    expect([session[0], hint[0], more]).toEqual(["__Host-session=the-secret", "__Host-signed-in=1", []]);
    expect(session).toContain("HttpOnly");
    expect(hint.sort()).toEqual(
      session
        .with(0, "__Host-signed-in=1")
        .filter((part) => part !== "HttpOnly")
        .sort(),
    );
  });

  it("no longer when they signed out", async () => {
    const cookies = cookiesOf(await app.request("/out"));
    expect(cookies.map(([pair]) => pair)).toEqual(["__Host-session=", "__Host-signed-in="]);
    expect(cookies.every((parts) => parts.includes("Max-Age=0"))).toBe(true);
  });

  it("no longer when the session is found to have ended", async () => {
    const headers = { Cookie: "__Host-session=no-such-session; __Host-signed-in=1" };
    const answer = await ask("/api/v1/me", { headers });
    expect(answer.status).toBe(401);
    expect(cookiesOf(answer).map(([pair]) => pair)).toEqual(["__Host-session=", "__Host-signed-in="]);
  });
});
