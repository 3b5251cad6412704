import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Env } from "../../worker/env.ts";
import { forgetStoredSettings } from "../../worker/storage/db/stored-settings.ts";
import { makeSif } from "../support/make-sif.ts";
import { namesOf, signed } from "../support/sregistry-client.ts";
import { type Ask, ask, environment, newPerson, type Person, push } from "../support/worker/registry.ts";
import { newSession, type TestSession } from "../support/worker/session.ts";
import { askToPush, newSigner } from "../support/worker/sregistry.ts";

const withTerms = (version = "2") => environment({ TERMS_VERSION: version, TERMS: "Be kind." });

let alice: Person;
let session: TestSession;
let path: string;

beforeEach(async () => {
  alice = await newPerson("alice");
  session = await newSession(alice.username);
  path = `${alice.username}/tools/app`;
  await push(alice.token, `${path}:v1`, makeSif({ salt: alice.username }));
});

afterEach(async () => {
  await env.DB.prepare("DELETE FROM settings").run();
  forgetStoredSettings();
});

const agree = (version = "2", of: Env = withTerms(version)) =>
  ask("/api/v1/me/terms", { method: "PUT", headers: session.headers, body: { version }, env: of });

/** What a request comes to: its status, and whether it speaks of the terms. */
async function outcome(url: string, options: Ask, of: Env = withTerms()): Promise<[number, boolean]> {
  const answer = await ask(url, { ...options, env: of });
  return [answer.status, (await answer.text()).includes("/terms")];
}

const refused: [number, boolean] = [403, true];

describe("somebody who has not agreed to the terms", () => {
  it("is refused by every protocol, with the page to go to, until they agree", async () => {
    const { token, username } = alice;
    const requests: [string, Ask][] = [
      [`/v1/imagefile/${path}:v1?arch=amd64`, { token }],
      [`/v1/containers/${path}`, { token }],
      ["/v1/entities", { token }],
      ["/v1/search?value=app", { token }],
      ["/api/v1/tokens", { token }],
      ["/api/v1/tokens", { headers: session.headers }],
      [`/api/container/search/${username}`, { token }],
    ];
    for (const [url, options] of requests) {
      expect(await outcome(url, options), url).toEqual(refused);
    }
    const create = { token, method: "POST", body: { name: username } };
    expect(await outcome("/v1/entities", create)).toEqual(refused);
    expect((await agree()).status).toBe(200);
    expect((await ask(`/v1/imagefile/${path}:v1?arch=amd64`, { token, env: withTerms() })).status).toBe(303);
    expect(await outcome("/v1/entities", create)).toEqual([201, false]);
  });

  it("is refused with a signature of sregistry-cli's too, with words that it prints", async () => {
    const signer = await newSigner("signer");
    const name = `of-${signer.username}/app:v1`;
    await push(signer.token, `${signer.username}/${name}`, makeSif({ salt: signer.username }));
    const headers = { Authorization: signed("pull", signer, namesOf(name)) };
    const answer = await ask(`/api/container/${name}`, { headers, env: withTerms() });
    expect([answer.status, (await answer.json<{ detail: string }>()).detail]).toEqual([
      403,
      expect.stringContaining("/terms"),
    ]);
    expect((await ask(`/api/container/${name}`, { headers })).status).toBe(200);
    expect((await askToPush(signer, name, { env: withTerms() })).status).toBe(403);
  });

  it("may see who they are, sign out, end a token, take their data along, and go", async () => {
    const open: [string, Ask][] = [
      ["/api/v1/me", {}],
      ["/api/v1/sessions", {}],
      ["/api/v1/me/deletion", {}],
      ["/api/v1/me/export", {}],
      ["/api/v1/terms", {}],
      ["/api/v1/site", {}],
    ];
    for (const [url, options] of open) {
      const answer = await ask(url, { headers: session.headers, ...options, env: withTerms() });
      expect(answer.status, url).toBe(200);
    }
    const ended = { method: "DELETE", headers: session.headers, env: withTerms() };
    expect((await ask("/api/v1/sessions/current", ended)).status).toBe(204);
    session = await newSession(alice.username);
    const tag = (await ask("/api/v1/me/deletion", { headers: session.headers })).headers.get("ETag") ?? "";
    const gone = await ask("/api/v1/me", { ...ended, headers: { ...session.headers, "If-Match": tag } });
    expect(gone.status).toBe(204);
  });

  it("is told by `remote login` that their token is valid: it is", async () => {
    const status = (options: Ask) => ask("/v1/token-status", { ...options, env: withTerms() });
    expect((await status({ token: alice.token })).status).toBe(200);
    expect((await status({ token: "garbage" })).status).toBe(404);
  });
});

describe("terms", () => {
  it("leave anonymous pulls of public images alone", async () => {
    expect((await ask(`/v1/imagefile/${path}:v1?arch=amd64`, { env: withTerms() })).status).toBe(303);
  });

  it("are asked again of everybody when there is another version", async () => {
    const { token } = alice;
    await agree("2");
    expect((await ask("/v1/entities", { token, env: withTerms("2") })).status).toBe(200);
    expect(await outcome("/v1/entities", { token }, withTerms("3"))).toEqual(refused);
    expect((await agree("3")).status).toBe(200);
    expect((await ask("/v1/entities", { token, env: withTerms("3") })).status).toBe(200);
  });

  it("may be set while the registry runs, and count then", async () => {
    const { token } = alice;
    expect((await ask("/v1/entities", { token })).status).toBe(200);
    await env.DB.prepare("INSERT INTO settings VALUES ('TERMS_VERSION', '7', 1, 'operator', 0)").run();
    forgetStoredSettings();
    expect(await outcome("/v1/entities", { token }, environment())).toEqual(refused);
    expect((await agree("7", environment())).status).toBe(200);
    expect((await ask("/v1/entities", { token })).status).toBe(200);
  });

  it("are nothing to a robot: whoever made it agreed", async () => {
    await env.DB.prepare("UPDATE users SET is_robot = 1 WHERE username = ?").bind(alice.username).run();
    expect((await ask(`/v1/imagefile/${path}:v1?arch=amd64`, { token: alice.token, env: withTerms() })).status).toBe(
      303,
    );
  });

  it("bind a pipeline's token as they bind who let it in", async () => {
    await env.DB.prepare(
      `UPDATE tokens SET publisher_id = 'p', scopes = 'push' WHERE user_id = (SELECT id FROM users WHERE username = ?)`,
    )
      .bind(alice.username)
      .run();
    const ending = { token: alice.token };
    expect(await outcome(`/v1/containers/${path}`, ending)).toEqual(refused);
    await agree();
    expect(await outcome(`/v1/containers/${path}`, ending)).toEqual([200, false]);
  });
});
