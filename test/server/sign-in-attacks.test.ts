import { SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newBrowser } from "../support/cookie-jar.ts";
import {
  HOSTILE_CLIENT,
  type HostileProvider,
  json,
  redirect,
  startHostileProvider,
} from "../support/hostile-provider.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

/* What a provider, or whoever stands in its place, may answer, and nobody may be signed in by. */

const SECRET = "a-secret-that-hs256-could-be-signed-with";
const NAMES = ["honest", "liar", "scripted", "elsewhere", "huge", "absent"];

let server: TestServer;
let hostile: HostileProvider;

beforeAll(async () => {
  hostile = await startHostileProvider();
  const settings = NAMES.flatMap((name) => {
    const prefix = `OIDC_${name.toUpperCase()}`;
    return [
      [`${prefix}_ISSUER`, `${hostile.url}/${name}`],
      [`${prefix}_CLIENT_ID`, HOSTILE_CLIENT],
      [`${prefix}_CLIENT_SECRET`, SECRET],
      [`${prefix}_ADMIT`, "everyone"],
    ];
  });
  server = await startTestServer({ OIDC_PROVIDERS: NAMES.join(","), ...Object.fromEntries(settings) });
});

afterAll(async () => {
  await server?.stop();
  await hostile?.stop();
});

/** Signs in at the honest issuer with the id token that is made for this attempt; answers where that ends. */
async function signInWith(make: (claims: Record<string, unknown>) => Promise<string | null> | string | null) {
  const browser = newBrowser();
  const answer = await browser.ask(`${server.url}/api/v1/sign-ins`, { json: { provider: "honest" } });
  const { searchParams } = new URL(((await answer.json()) as { url: string }).url);
  hostile.give(await make(hostile.claims(searchParams.get("nonce") ?? "")));
  return await comeBack(browser, searchParams.get("state") ?? "");
}

async function comeBack(browser: ReturnType<typeof newBrowser>, state: string): Promise<string | null> {
  const query = new URLSearchParams({ code: "a-code", state });
  const response = await browser.ask(`${server.url}/auth/callback/honest?${query}`);
  expect(response.status).toBe(303);
  return response.headers.get("location");
}

const FAILED = "/login?error=sign-in-failed";
const past = Math.floor(Date.now() / 1000) - 3600;

describe("an id token", () => {
  it("that is right in everything is taken", async () => {
    expect(await signInWith((claims) => hostile.sign(claims))).toBe("/auth/register");
  });

  it.each<[string, Record<string, unknown>]>([
    ["of another issuer", { iss: "https://evil.example" }],
    ["without an issuer", { iss: undefined }],
    ["for another client", { aud: "another-client" }],
    ["for several clients, given to another one", { aud: [HOSTILE_CLIENT, "another-client"], azp: "another-client" }],
    ["for several clients that does not say to which it was given", { aud: [HOSTILE_CLIENT, "another-client"] }],
    ["of another attempt", { nonce: "another-nonce" }],
    ["of no attempt", { nonce: undefined }],
    ["that has expired", { iat: past, exp: past + 60 }],
    ["that never expires", { exp: undefined }],
    ["that is about nobody", { sub: undefined }],
    ["that is about nobody in particular", { sub: "" }],
    ["whose subject is longer than may be", { sub: "x".repeat(256) }],
  ])("%s is refused", async (_, changes) => {
    expect(await signInWith((claims) => hostile.sign({ ...claims, ...changes }))).toBe(FAILED);
  });

  it("that another key has signed is refused", async () => {
    expect(await signInWith((claims) => hostile.sign(claims, "other"))).toBe(FAILED);
  });

  it("with the algorithm none is refused", async () => {
    expect(await signInWith((claims) => new UnsecuredJWT(claims).encode())).toBe(FAILED);
  });

  it("signed with the client's secret is refused", async () => {
    const key = new TextEncoder().encode(SECRET);
    const forged = (claims: Record<string, unknown>) =>
      new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "one" }).sign(key);
    expect(await signInWith(forged)).toBe(FAILED);
  });

  it("that was changed after it was signed is refused", async () => {
    const changed = async (claims: Record<string, unknown>) => {
      const [head, , signature] = (await hostile.sign(claims)).split(".");
      const body = Buffer.from(JSON.stringify({ ...claims, sub: "somebody-else" })).toString("base64url");
      return `${head}.${body}.${signature}`;
    };
    expect(await signInWith(changed)).toBe(FAILED);
  });

  it("that is missing, or is none, is refused", async () => {
    expect(await signInWith(() => null)).toBe(FAILED);
    expect(await signInWith(() => "not.a.token")).toBe(FAILED);
    expect(await signInWith(() => "")).toBe(FAILED);
  });

  it("is not completed by what userinfo says of somebody else", async () => {
    const bare = (claims: Record<string, unknown>) => hostile.sign({ ...claims, email: undefined });
    hostile.userinfo = { sub: "somebody-else", email: "somebody@institute.example", email_verified: true };
    expect(await signInWith(bare)).toBe(FAILED);
    hostile.userinfo = { sub: "somebody", email: "somebody@institute.example", email_verified: true };
    expect(await signInWith(bare)).toBe("/auth/register");
  });
});

describe("a provider that does not answer as it should", () => {
  const unavailable = "/login?error=provider-unavailable";

  async function signInWhen(answer: Parameters<HostileProvider["answer"]>[0]) {
    const browser = newBrowser();
    const begun = await browser.ask(`${server.url}/api/v1/sign-ins`, { json: { provider: "honest" } });
    const state = new URL(((await begun.json()) as { url: string }).url).searchParams.get("state") ?? "";
    hostile.answer(answer);
    return await comeBack(browser, state);
  }

  it("cannot fill the registry's memory", async () => {
    const huge = { access_token: "x".repeat(300 * 1024), token_type: "Bearer" };
    expect(await signInWhen((response) => json(response, 200, huge))).toBe(unavailable);
  });

  it("cannot have the code, or anything else, sent elsewhere", async () => {
    const before = hostile.asked();
    expect(await signInWhen((response) => redirect(response, `${hostile.url}/token`))).toBe(unavailable);
    expect(hostile.asked()).toBe(before + 1);
  });

  it("does not hold up a request for long, neither before its answer nor within it", async () => {
    let silent = true;
    const answer: Parameters<HostileProvider["answer"]>[0] = (response) => {
      if (!silent) response.writeHead(200).write('{"access_token":');
      silent = false;
    };
    expect(await Promise.all([signInWhen(answer), signInWhen(answer)])).toEqual([unavailable, unavailable]);
  });

  it.each<[string, Parameters<HostileProvider["answer"]>[0], string]>([
    ["an error of its own", (response) => json(response, 500, { error: "x" }), unavailable],
    ["a refusal", (response) => json(response, 400, { error: "invalid_grant" }), FAILED],
    ["no JSON", (response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<html>"), FAILED],
    ["JSON that is no object", (response) => json(response, 200, []), FAILED],
    ["a broken connection", (response) => response.destroy(), unavailable],
  ])("is no reason for an error of ours: %s", async (_, answer, where) => {
    expect(await signInWhen(answer)).toBe(where);
  });

  it.each(["liar", "scripted", "elsewhere", "huge", "absent"])("is no way to begin: %s", async (provider) => {
    const answer = await newBrowser().ask(`${server.url}/api/v1/sign-ins`, { json: { provider } });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, "provider-unavailable"]);
  });
});
