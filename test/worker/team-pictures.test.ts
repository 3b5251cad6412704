import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import { runUpkeep } from "../../worker/registry/upkeep/run-upkeep.ts";
import { watched } from "../support/worker/calls.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  newPerson,
  newTokenFor,
  type Person,
  testContext,
} from "../support/worker/registry.ts";
import { bring, codeOf, newTeam, type Team } from "../support/worker/teams.ts";

/*
 * Pictures of teams. Whoever puts one there may be anybody: it is only ever shown.
 */

const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const png = bytesOf("\x89PNG\r\n\x1a\n the rest");
const jpeg = bytesOf("\xff\xd8\xff\xe0 the rest");
const webp = bytesOf("RIFF\x10\x00\x00\x00WEBPVP8 the rest");

let alice: Person;
let bob: Person;
let team: string;

beforeAll(async () => {
  [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
});

beforeEach(async () => {
  team = (await newTeam(alice)).name;
});

const url = () => `/api/v1/teams/${team}/picture`;
const put = (body: BodyInit | null, options: Ask = {}) =>
  ask(url(), { method: "PUT", token: alice.token, body, ...options });

async function keys(): Promise<string[]> {
  const { objects } = await env.BLOBS.list({ prefix: "pictures/" });
  return objects.map(({ key }) => key);
}

async function expectNothingLeft(): Promise<void> {
  const later = { ...testContext(), now: () => Date.now() + 2 * limits.pictureSeconds * 1000 };
  await runUpkeep(later);
  const { results } = await env.DB.prepare("SELECT picture_key AS k FROM teams WHERE picture_key IS NOT NULL").all<{
    k: string;
  }>();
  expect((await keys()).sort()).toEqual(results.map(({ k }) => k).sort());
}

describe("a team's picture", () => {
  it.each([
    ["image/png", png],
    ["image/jpeg", jpeg],
    ["image/webp", webp],
  ])("is shown as what its first bytes are: %s", async (type, bytes) => {
    const sent = await put(bytes, { headers: { "Content-Type": "text/html" } });
    expect(sent.status).toBe(204);
    const shown = await ask(url(), { token: bob.token });
    expect(Object.fromEntries(shown.headers)).toMatchObject({
      "content-type": type,
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
      "cache-control": "private, no-cache",
    });
    expect(new Uint8Array(await shown.arrayBuffer())).toEqual(bytes);
    const found = await askJson<Team>(`/api/v1/teams/${team}`, { token: bob.token });
    expect(found.picture).toBe(url());
  });

  it("is asked for again without its bytes, as long as it is the same", async () => {
    await put(png);
    const tag = (await ask(url(), { token: bob.token })).headers.get("ETag") ?? "";
    const same = await ask(url(), { token: bob.token, headers: { "If-None-Match": `"x", W/${tag}` } });
    expect([same.status, await same.text(), same.headers.get("ETag")]).toEqual([304, "", tag]);
    await put(jpeg);
    expect((await ask(url(), { token: bob.token, headers: { "If-None-Match": tag } })).status).toBe(200);
  });

  it.each([
    ["a page", "<!doctype html><script>alert(1)</script>"],
    ["a drawing, which may hold scripts", "<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"],
    ["nothing", ""],
    ["a beginning cut short", "\x89PNG"],
    ["another RIFF file", "RIFF\x10\x00\x00\x00WAVEfmt "],
  ])("is not %s, whatever it is called", async (_, text) => {
    const answer = await put(bytesOf(text), { headers: { "Content-Type": "image/png" } });
    expect(await codeOf(answer)).toEqual([415, "picture-invalid"]);
    expect(await codeOf(await ask(url(), { token: alice.token }))).toEqual([404, "not-found"]);
  });

  it("is a mebibyte at most, which is refused before it is read, or as soon as it is more", async () => {
    const large = new Uint8Array(limits.pictureBytes + 1);
    large.set(png);
    expect(await codeOf(await put(large))).toEqual([413, "body-too-large"]);
    expect(await codeOf(await put(png, { headers: { "Content-Length": "99999999999" } }))).toEqual([
      413,
      "body-too-large",
    ]);
    const stream = new Response(large).body;
    expect(await codeOf(await put(stream))).toEqual([413, "body-too-large"]);
    expect((await put(large.slice(0, limits.pictureBytes))).status).toBe(204);
  });

  it("is given and taken away by the team's owners alone, and shown to whoever is signed in", async () => {
    await put(png);
    await bring(alice, team, [bob]);
    for (const method of ["PUT", "DELETE"]) {
      const body = method === "PUT" ? jpeg : null;
      expect(await codeOf(await ask(url(), { method, token: bob.token, body })), method).toEqual([403, "forbidden"]);
      expect(await codeOf(await ask(url(), { method, body })), method).toEqual([401, "unauthenticated"]);
      const weak = await newTokenFor(alice.username, { scopes: ["push"] });
      expect(await codeOf(await ask(url(), { method, token: weak, body })), method).toEqual([
        403,
        "insufficient-scope",
      ]);
    }
    expect(await codeOf(await ask(url()))).toEqual([401, "unauthenticated"]);
    const absent = { method: "PUT", token: alice.token, body: png };
    expect(await codeOf(await ask(`/api/v1/teams/${team}x/picture`, absent))).toEqual([404, "not-found"]);
    expect((await ask(url(), { method: "DELETE", token: alice.token })).status).toBe(204);
    expect(await codeOf(await ask(url(), { method: "DELETE", token: alice.token }))).toEqual([404, "not-found"]);
    expect(await codeOf(await ask(url(), { token: alice.token }))).toEqual([404, "not-found"]);
    await expectNothingLeft();
  });

  it("that is replaced, also twice at once, leaves no bytes behind", async () => {
    await put(png);
    const two = await Promise.all([put(jpeg), put(webp)]);
    expect(two.map(({ status }) => status)).toEqual([204, 204]);
    await expectNothingLeft();
    expect((await ask(url(), { token: bob.token })).status).toBe(200);
  });

  it("leaves no bytes behind whichever call fails, before or after it was made", async () => {
    for (const when of ["before", "after"] as const) {
      for (let failing = 0; failing < 6; failing++) {
        let calls = 0;
        const fail = async () => {
          if (calls++ === failing) throw new Error("D1_ERROR: D1 DB is overloaded.");
        };
        const answer = await put(png, { env: watched(environment(), { [when]: fail }) });
        expect([204, 500, 503], `${when} ${failing}`).toContain(answer.status);
      }
    }
    await expectNothingLeft();
  });

  it("that is still being written is not taken for left behind", async () => {
    const happens = async () => {
      await runUpkeep(testContext());
    };
    let isDone = false;
    const after = async ({ kind }: { kind: string }) => {
      if (kind !== "r2" || isDone) return;
      isDone = true;
      await happens();
    };
    expect((await put(png, { env: watched(environment(), { after }) })).status).toBe(204);
    expect((await ask(url(), { token: bob.token })).status).toBe(200);
  });
});
