import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setMember } from "../../worker/registry/catalog/manage.ts";
import { setDisabled } from "../../worker/registry/people/users.ts";
import { forgetExpired } from "../../worker/registry/upkeep/forget-expired.ts";
import { makeSif } from "../support/make-sif.ts";
import { interrupted } from "../support/worker/calls.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  newPerson,
  newTokenFor,
  type Person,
  pull,
  push,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";
import { askAsShown, askPreview } from "../support/worker/shown.ts";
import { leaveTeam, teamOf } from "../support/worker/teams.ts";

let alice: Person;
let bob: Person;
let carol: Person;
/** Alice and bob are in it, so that they know each other. */
let team: string;

beforeAll(async () => {
  [alice, bob, carol] = [await newPerson("alice"), await newPerson("bob"), await newPerson("carol")];
  team = await teamOf("both", { owners: [alice.username], members: [bob.username] });
});

interface Made {
  name: string;
  path: string;
  url: string;
  bytes: Uint8Array<ArrayBuffer>;
}

async function made(): Promise<Made> {
  const name = uniqueName("given");
  const path = `${alice.username}/${name}`;
  const bytes = makeSif({ salt: path });
  await push(alice.token, `${path}/app:v1`, bytes, { private: true });
  return { name, path, url: `/api/v1/collections/${path}`, bytes };
}

/** The status, and the state or the problem's code. As it is shown just then, or with the tag of what was shown before. */
async function handOver(url: string, entity: string, options: Ask = {}): Promise<[number, string]> {
  const of = { method: "POST", token: alice.token, body: { entity }, ...options };
  return await told(await (options.headers === undefined ? askAsShown : ask)(`${url}/hand-over`, of));
}

async function accept({ url }: Made, by: Person, method = "POST"): Promise<[number, string]> {
  return await told(await ask(`${url}/hand-over/acceptance`, { method, token: by.token }));
}

async function told(answer: Response): Promise<[number, string]> {
  const text = await answer.text();
  if (text === "") return [answer.status, ""];
  const { state, code } = JSON.parse(text) as { state?: string; code?: string };
  return [answer.status, state ?? code ?? ""];
}

async function offersTo({ token }: Person): Promise<Record<string, unknown>[]> {
  return (await askJson<{ items: Record<string, unknown>[] }>("/api/v1/me/hand-overs", { token })).items;
}

describe("handing a collection over", () => {
  it("to a team one owns moves it at once, with all that is in it and knows it", async () => {
    const it = await made();
    const narrow = await newTokenFor(alice.username, { collection: { entity: alice.username, name: it.name } });
    await setMember(testContext(), operator, { entity: alice.username, name: it.name }, carol.username, "reader");
    const preview = { method: "POST", token: alice.token, body: { entity: team } };
    const shown = await ask(`${it.url}/hand-over?preview=1`, preview);
    expect(await shown.json()).toEqual({
      isAtOnce: true,
      shares: 0,
      publishers: 0,
      breaks: [`${it.path}/app`],
      shortName: it.name,
    });
    const headers = { "If-Match": shown.headers.get("ETag") ?? "" };
    expect(await handOver(it.url, team, { headers })).toEqual([201, "moved"]);
    const url = `/api/v1/collections/${team}/${it.name}`;
    expect(await askJson(url, { token: bob.token })).toMatchObject({ owner: { name: team }, role: "contributor" });
    expect(await askJson(url, { token: carol.token })).toMatchObject({ role: "reader" });
    expect(await pull(`${it.path}/app:v1`, alice.token)).toBe(404);
    for (const token of [alice.token, narrow]) expect(await pull(`${team}/${it.name}/app:v1`, token)).toEqual(it.bytes);
    expect(await pull(`${it.name}/app:v1`, bob.token)).toEqual(it.bytes);
    const again = { method: "POST", token: alice.token, body: { entity: alice.username, name: it.name } };
    expect(await told(await ask("/api/v1/collections", again))).toEqual([409, "name-taken"]);
    const sizes = await env.DB.prepare("SELECT size_bytes FROM entities WHERE name = ?").bind(team).first("size_bytes");
    expect(sizes).toBe(it.bytes.length);
  });

  it("to somebody else asks them, who take it or do without", async () => {
    const it = await made();
    expect(await handOver(it.url, bob.username)).toEqual([201, "offered"]);
    expect(await askJson(it.url, { token: alice.token })).toMatchObject({ offered: { entity: bob.username } });
    expect(await offersTo(bob)).toEqual([
      expect.objectContaining({
        entity: alice.username,
        collection: it.name,
        offeredBy: alice.username,
        to: bob.username,
        images: 1,
        sizeBytes: it.bytes.length,
      }),
    ]);
    expect(await offersTo(carol)).toEqual([]);
    expect(await accept(it, carol)).toEqual([404, "not-found"]);
    expect(await accept(it, alice)).toEqual([404, "not-found"]);
    expect(await accept(it, bob, "DELETE")).toEqual([204, ""]);
    expect(await accept(it, bob)).toEqual([404, "not-found"]);
    expect(await handOver(it.url, bob.username)).toEqual([201, "offered"]);
    expect(await accept(it, bob)).toEqual([200, "moved"]);
    expect(await pull(`${bob.username}/${it.name}/app:v1`, bob.token)).toEqual(it.bytes);
    expect((await ask(`/api/v1/collections/${bob.username}/${it.name}`, { token: alice.token })).status).toBe(404);
    expect(await offersTo(bob)).toEqual([]);
  });

  it("ends the share links of whoever owns it no more, which the preview counts", async () => {
    const it = await made();
    const images = `/api/v1/containers/${it.path}/app/images`;
    const { items } = await askJson<{ items: { digest: string }[] }>(images, { token: alice.token });
    const shares = `${images}/${items[0]?.digest}/shares`;
    const { url } = await askJson<{ url: string }>(shares, { method: "POST", token: alice.token, body: {} });
    const ending = async (entity: string) => {
      const of = { method: "POST", token: alice.token, body: { entity } };
      return (await askJson<{ shares: number }>(`${it.url}/hand-over?preview=1`, of)).shares;
    };
    expect([await ending(bob.username), await ending(team)]).toEqual([1, 0]);
    await handOver(it.url, bob.username);
    expect((await ask(url)).status).toBe(303);
    expect(await accept(it, bob)).toEqual([200, "moved"]);
    expect((await ask(url)).status).toBe(410);
  });

  it("is not declined by whom it is offered no more", async () => {
    const it = await made();
    await handOver(it.url, bob.username);
    const isDeclining = ({ sql }: { sql: readonly string[] }) =>
      sql.some((text) => /delete from "hand_overs"/i.test(text));
    const other = await teamOf("third", { owners: [alice.username] });
    const happens = () =>
      env.DB.prepare(
        "UPDATE hand_overs SET to_entity_id = (SELECT id FROM entities WHERE name = ?) WHERE to_entity_id = (SELECT id FROM entities WHERE name = ?)",
      )
        .bind(other, bob.username)
        .run();
    const late = { method: "DELETE", token: bob.token, env: interrupted(environment(), isDeclining, happens) };
    expect(await told(await ask(`${it.url}/hand-over/acceptance`, late))).toEqual([404, "not-found"]);
  });

  it("is offered without telling its readers to whom", async () => {
    const it = await made();
    await setMember(testContext(), operator, { entity: alice.username, name: it.name }, carol.username, "reader");
    await handOver(it.url, bob.username);
    const text = await (await ask(`${it.url}/activity`, { token: carol.token })).text();
    expect(text).toContain("collection.offer");
    expect(text).not.toContain(bob.username);
  });

  it("can be taken back, and ends in time", async () => {
    const it = await made();
    await handOver(it.url, bob.username);
    const back = { method: "DELETE", token: alice.token };
    expect((await ask(`${it.url}/hand-over`, back)).status).toBe(204);
    expect((await ask(`${it.url}/hand-over`, back)).status).toBe(404);
    expect(await accept(it, bob)).toEqual([404, "not-found"]);
    await handOver(it.url, bob.username);
    await env.DB.prepare("UPDATE hand_overs SET expires_at = 1").run();
    expect([await offersTo(bob), await accept(it, bob)]).toEqual([[], [404, "not-found"]]);
    expect(await askJson(it.url, { token: alice.token })).toMatchObject({ offered: null });
    expect(await forgetExpired(testContext(), "handOvers")).toBeGreaterThan(0);
    const left = await env.DB.prepare("SELECT count(*) AS rows FROM hand_overs WHERE expires_at = 1").first("rows");
    expect(left).toBe(0);
  });

  it("needs room with whoever gets it, who is told how much there is; an administrator gives it all the same", async () => {
    const it = await made();
    const full = await newPerson("full");
    await env.DB.prepare("UPDATE users SET quota_bytes = 10 WHERE username = ?").bind(full.username).run();
    await teamOf("room", { owners: [alice.username], members: [full.username] });
    expect(await handOver(it.url, full.username)).toEqual([201, "offered"]);
    const refused = await ask(`${it.url}/hand-over/acceptance`, { method: "POST", token: full.token });
    expect([refused.status, ((await refused.json()) as { detail: string }).detail]).toEqual([
      507,
      expect.stringMatching(/^This needs .+; full\S* has 10 bytes left of 10 bytes\.$/),
    ]);
    expect((await ask(it.url, { token: alice.token })).status).toBe(200);
    const admin = await newPerson("admin", { role: "admin" });
    expect(await handOver(it.url, full.username, { token: admin.token })).toEqual([201, "moved"]);
  });

  it("ends with the right of who offered it: as owner of the team, or of an account that is disabled", async () => {
    const leaver = await newPerson("leaver");
    const lab = await teamOf("lab", { owners: [leaver.username, alice.username], members: [bob.username] });
    const name = uniqueName("labs");
    const body = { entity: lab, name, visibility: "private" };
    await askJson("/api/v1/collections", { method: "POST", token: alice.token, body });
    const it = { name, path: `${lab}/${name}`, url: `/api/v1/collections/${lab}/${name}`, bytes: new Uint8Array() };
    expect(await handOver(it.url, bob.username, { token: leaver.token })).toEqual([201, "offered"]);
    await leaveTeam(lab, leaver.username);
    expect([await offersTo(bob), await accept(it, bob)]).toEqual([[], [404, "not-found"]]);
    expect(await handOver(it.url, bob.username)).toEqual([201, "offered"]);
    await setDisabled(testContext(), operator, alice.username, true);
    expect(await accept(it, bob)).toEqual([404, "not-found"]);
    await setDisabled(testContext(), operator, alice.username, false);
    expect(await accept(it, bob)).toEqual([200, "moved"]);
  });

  it("is for the owner of the entity: neither for other owners of the collection nor for its readers", async () => {
    const it = await made();
    const where = { entity: alice.username, name: it.name };
    expect(await handOver(it.url, bob.username, { token: bob.token })).toEqual([404, "not-found"]);
    await setMember(testContext(), operator, where, bob.username, "owner");
    expect(await handOver(it.url, bob.username, { token: bob.token })).toEqual([403, "forbidden"]);
    const narrow = await newTokenFor(alice.username, { collection: where });
    expect(await handOver(it.url, team, { token: narrow })).toEqual([403, "insufficient-scope"]);
    expect(await handOver(it.url, alice.username)).toEqual([409, "already-so"]);
  });

  it("to somebody one knows nothing of is answered as to nobody", async () => {
    const it = await made();
    const answers = [];
    for (const entity of [carol.username, "nobody-at-all"]) answers.push(await handOver(it.url, entity));
    expect(answers).toEqual([
      [404, "not-found"],
      [404, "not-found"],
    ]);
    const anybody = { env: environment({ PEOPLE_FROM_TEAMS: "false" }) };
    expect(await handOver(it.url, carol.username, anybody)).toEqual([201, "offered"]);
  });

  it("needs a free name there, and room", async () => {
    const [one, two] = [await made(), await made()];
    const body = { entity: team, name: one.name, visibility: "private" };
    await askJson("/api/v1/collections", { method: "POST", token: alice.token, body });
    expect(await handOver(one.url, team)).toEqual([409, "name-taken"]);
    const tight = { env: environment({ USER_COLLECTION_LIMIT: "1" }) };
    expect(await handOver(two.url, team, tight)).toEqual([403, "collection-limit"]);
    const admin = await newPerson("admin", { role: "admin" });
    expect(await handOver(two.url, team, { ...tight, token: admin.token })).toEqual([201, "moved"]);
  });

  it("happens once where two places are named at once, or it is taken twice", async () => {
    const it = await made();
    const other = await teamOf("other", { owners: [alice.username] });
    const answers = await Promise.all([handOver(it.url, team), handOver(it.url, other)]);
    expect(answers.filter(([status]) => status === 201)).toHaveLength(1);
    const offered = await made();
    await handOver(offered.url, bob.username);
    const taken = await Promise.all([accept(offered, bob), accept(offered, bob)]);
    expect(taken.filter(([status]) => status === 200)).toHaveLength(1);
    expect(taken.filter(([status]) => status === 404 || status === 409)).toHaveLength(1);
  });

  it("moves nothing to a team whose owner they are no more in that very moment", async () => {
    const it = await made();
    const left = await teamOf("left", { owners: [alice.username, carol.username] });
    const { etag } = await askPreview(`${it.url}/hand-over`, {
      method: "POST",
      token: alice.token,
      body: { entity: left },
    });
    const isMoving = ({ sql }: { sql: string[] }) => sql.some((text) => /^update "collections"/i.test(text));
    const moment = interrupted(environment(), isMoving, () => leaveTeam(left, alice.username));
    const at = { headers: { "If-Match": etag }, env: moment };
    expect(await handOver(it.url, left, at)).toEqual([409, "conflict"]);
    expect((await ask(it.url, { token: alice.token })).status).toBe(200);
  });

  it("does nothing in another state than was shown", async () => {
    const it = await made();
    const { etag } = await askPreview(`${it.url}/hand-over`, {
      method: "POST",
      token: alice.token,
      body: { entity: team },
    });
    const headers = { "If-Match": etag };
    // To somebody else than was shown is something else.
    expect(await handOver(it.url, bob.username, { headers })).toEqual([412, "precondition-failed"]);
    await push(alice.token, `${it.path}/app:v2`, it.bytes);
    expect(await handOver(it.url, team, { headers })).toEqual([412, "precondition-failed"]);
    for (const none of [{}, { "If-Match": "*" }]) {
      expect(await handOver(it.url, team, { headers: none })).toEqual([428, "precondition-required"]);
    }
    expect(await handOver(it.url, team)).toEqual([201, "moved"]);
  });
});
