import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setMember } from "../../worker/registry/catalog/manage.ts";
import { setDisabled } from "../../worker/registry/people/users.ts";
import { makeSif } from "../support/make-sif.ts";
import { signed } from "../support/sregistry-client.ts";
import { interrupted } from "../support/worker/calls.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  indexed,
  newPerson,
  type Person,
  pull,
  push,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";
import { newSigner } from "../support/worker/sregistry.ts";
import { leaveTeam, newRobotOf, teamOf } from "../support/worker/teams.ts";

let alice: Person;
let bob: Person;
let carol: Person;
/** Alice and bob are in it. */
let team: string;

beforeAll(async () => {
  [alice, bob, carol] = [await newPerson("alice"), await newPerson("bob"), await newPerson("carol")];
  team = await teamOf("imaging", { owners: [alice.username], members: [bob.username] });
});

async function newCollection(entity = alice.username): Promise<string> {
  const name = uniqueName("shared");
  const body = { entity, name, visibility: "private" };
  await askJson("/api/v1/collections", { method: "POST", token: alice.token, body });
  return `/api/v1/collections/${entity}/${name}`;
}

/** The status and the problem's code, which is empty where it was done. */
async function give(url: string, to: string, role: string | null, options: Ask = {}): Promise<[number, string]> {
  const how = role === null ? { method: "DELETE" } : { method: "PUT", body: { role } };
  const answer = await ask(`${url}/people/${to}`, { token: alice.token, ...how, ...options });
  const text = await answer.text();
  return [answer.status, text === "" ? "" : (JSON.parse(text) as { code: string }).code];
}

interface People {
  items: { name: string; kind: string; role: string; reason: string; isGranted: boolean; isDisabled: boolean }[];
}

describe("the people of a collection", () => {
  it("are given and lose roles, people, robots and teams alike, and are listed with the reason of each", async () => {
    const robot = await newRobotOf(alice.username);
    const url = await newCollection();
    expect(await give(url, `users/${bob.username.toUpperCase()}`, "reader")).toEqual([204, ""]);
    expect(await give(url, `users/${bob.username}`, "contributor")).toEqual([204, ""]);
    expect(await give(url, `users/${robot}`, "reader")).toEqual([204, ""]);
    expect(await give(url, `teams/${team}`, "reader")).toEqual([204, ""]);
    const { items } = await askJson<People>(`${url}/people`, { token: bob.token });
    const person = { isGranted: true, isDisabled: false };
    expect(items).toEqual([
      { ...person, name: alice.username, kind: "user", role: "owner", reason: "owner of the entity", isGranted: false },
      { ...person, name: bob.username, kind: "user", role: "contributor", reason: "contributor of the collection" },
      { ...person, name: team, kind: "team", role: "reader", reason: "reader of the collection" },
      { ...person, name: robot, kind: "robot", role: "reader", reason: "reader of the collection" },
    ]);
    expect(await give(url, `users/${bob.username}`, null)).toEqual([204, ""]);
    expect(await give(url, `users/${bob.username}`, null)).toEqual([404, "not-found"]);
    expect(await give(url, `users/${team}`, null)).toEqual([404, "not-found"]);
    // Through the team bob is a reader still.
    expect(await askJson(url, { token: bob.token })).toMatchObject({ role: "reader" });
    expect(await give(url, `teams/${team}`, null)).toEqual([204, ""]);
    expect((await ask(url, { token: bob.token })).status).toBe(404);
  });

  it("come with the team that owns it, which nobody can take from there", async () => {
    const url = await newCollection(team);
    const { items } = await askJson<People>(`${url}/people`, { token: bob.token });
    expect(items.map(({ name, role, reason, isGranted }) => [name, role, reason, isGranted])).toEqual([
      [team, "owner", "owner of the entity", false],
      [alice.username, "owner", `owner through team ${team}`, false],
      [bob.username, "contributor", `contributor through team ${team}`, false],
    ]);
    expect(await give(url, `teams/${team}`, "reader")).toEqual([409, "already-so"]);
    expect(await give(url, `teams/${team}`, null)).toEqual([404, "not-found"]);
  });

  it("are seen by those alone who have a right in it, and changed by its owners", async () => {
    const url = await newCollection();
    await give(url, `users/${bob.username}`, "contributor");
    expect(await give(url, `users/${bob.username}`, "owner", { token: bob.token })).toEqual([403, "forbidden"]);
    expect(await give(url, `users/${bob.username}`, null, { token: carol.token })).toEqual([404, "not-found"]);
    expect((await ask(`${url}/people`, { token: carol.token })).status).toBe(404);
    await ask(url, {
      method: "PATCH",
      token: alice.token,
      body: { visibility: "public" },
      headers: { "If-Match": "*" },
    });
    expect((await ask(`${url}/people`, { token: carol.token })).status).toBe(403);
    expect((await ask(`${url}/people`)).status).toBe(401);
    expect((await ask(`${url}/candidates?q=al`, { token: bob.token })).status).toBe(403);
  });

  it("come from the owner's teams: whoever else there is, or is not, is answered alike", async () => {
    const url = await newCollection();
    const others = await teamOf("others", { members: [carol.username] });
    const hers = await newRobotOf(carol.username);
    const refusals = [];
    for (const to of [`users/${carol.username}`, "users/nobody-at-all", `users/${hers}`, `users/${team}`]) {
      const answer = await ask(`${url}/people/${to}`, { method: "PUT", token: alice.token, body: { role: "reader" } });
      const { requestId: _, ...problem } = (await answer.json()) as { requestId: string };
      refusals.push([answer.status, problem]);
    }
    expect(new Set(refusals.map((refusal) => JSON.stringify(refusal))).size).toBe(1);
    expect(refusals[0]).toEqual([403, expect.objectContaining({ code: "people-from-teams" })]);
    for (const to of [`teams/${others}`, "teams/nobody-at-all"]) {
      expect(await give(url, to, "reader"), to).toEqual([403, "people-from-teams"]);
    }
    const anybody = { env: environment({ PEOPLE_FROM_TEAMS: "false" }) };
    expect(await give(url, `users/${carol.username}`, "reader", anybody)).toEqual([204, ""]);
    expect(await give(url, "users/nobody-at-all", "reader", anybody)).toEqual([404, "not-found"]);
    // Who has a role may get another one, wherever they came from.
    expect(await give(url, `users/${carol.username}`, "contributor")).toEqual([204, ""]);
    const admin = await newPerson("admin", { role: "admin" });
    expect(await give(url, `teams/${others}`, "reader", { token: admin.token })).toEqual([204, ""]);
  });

  it("that may be chosen are found by name, and nobody else is", async () => {
    const url = await newCollection();
    const robot = await newRobotOf(alice.username);
    await give(url, `users/${bob.username}`, "reader");
    const dave = await newPerson("dave");
    const second = await teamOf("second", { owners: [alice.username], members: [dave.username] });
    const gone = await newPerson("gone");
    await teamOf("third", { owners: [alice.username], members: [gone.username] });
    await setDisabled(testContext(), operator, gone.username, true);
    type Candidates = { items: { name: string; kind: string }[] };
    const found = await askJson<Candidates>(`${url}/candidates`, { token: alice.token });
    const names = found.items.map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    expect(found.items).toEqual(
      expect.arrayContaining([
        { name: dave.username, kind: "user" },
        { name: second, kind: "team" },
        { name: robot, kind: "robot" },
        { name: team, kind: "team" },
      ]),
    );
    for (const name of [alice.username, bob.username, carol.username, gone.username]) expect(names).not.toContain(name);
    const some = await askJson<Candidates>(`${url}/candidates?q=DAV`, { token: alice.token });
    expect(some.items).toEqual([{ name: dave.username, kind: "user" }]);
    const anybody = { env: environment({ PEOPLE_FROM_TEAMS: "false" }), token: alice.token };
    expect((await ask(`${url}/candidates?q=c`, anybody)).status).toBe(400);
    expect((await askJson<Candidates>(`${url}/candidates?q=${carol.username}`, anybody)).items).toEqual([
      { name: carol.username, kind: "user" },
    ]);
    for (const { name, kind } of found.items) {
      expect((await give(url, `${kind === "team" ? "teams" : "users"}/${name}`, "reader"))[0], name).toBe(204);
    }
  });

  it("keep one owner where two remove each other at once", async () => {
    const url = await newCollection();
    const [, , , , entity = "", name = ""] = url.split("/");
    for (const { username } of [bob, carol]) {
      await setMember(testContext(), operator, { entity, name }, username, "owner");
    }
    const answers = await Promise.all([
      give(url, `users/${carol.username}`, null, { token: bob.token }),
      give(url, `users/${bob.username}`, null, { token: carol.token }),
    ]);
    const statuses = answers.map(([status]) => status);
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(statuses.filter((status) => status === 404 || status === 409)).toHaveLength(1);
  });
});

describe("an owner through a team, who is taken out of it in that moment,", () => {
  it.each(["by owning", "by a role"])("gives no roles any more: %s", async (how) => {
    const lab = await teamOf("lab", { owners: [alice.username, bob.username] });
    const url = await newCollection(how === "by owning" ? lab : alice.username);
    if (how === "by a role") await give(url, `teams/${lab}`, "owner");
    const isGiving = ({ sql }: { sql: readonly string[] }) =>
      sql.some((text) => /INSERT INTO "collection_members"/i.test(text));
    const env = interrupted(environment(), isGiving, () => leaveTeam(lab, bob.username));
    const other = await teamOf("bobs", { owners: [bob.username] });
    expect(await give(url, `teams/${other}`, "owner", { token: bob.token, env })).toEqual([409, "conflict"]);
    const { items } = await askJson<People>(`${url}/people`, { token: alice.token });
    expect(items.map(({ name }) => name)).not.toContain(other);
  });
});

describe("the people of a team with a role in a private collection", () => {
  it("pull by every protocol, find it, and lose that with the team", async () => {
    const member = await newSigner("member");
    const lab = await teamOf("lab", { owners: [alice.username], members: [member.username] });
    const collection = uniqueName("secret");
    const path = `${alice.username}/${collection}`;
    const bytes = makeSif({ salt: path });
    await push(alice.token, `${path}/app:v1`, bytes, { private: true });
    const url = `/api/v1/collections/${path}`;
    const byKey = async () => {
      const names = { collection, container: "app", tag: "v1" };
      const headers = { Authorization: signed("pull", member, names) };
      return (await ask(`/api/container/${collection}/app:v1`, { headers })).status;
    };
    const finds = async () => {
      await indexed();
      const found = await askJson<{ items: unknown[] }>(`/api/v1/search?q=${collection}`, { token: member.token });
      return found.items.length;
    };
    expect([await pull(`${path}/app:v1`, member.token), await byKey(), await finds()]).toEqual([404, 404, 0]);
    expect(await give(url, `teams/${lab}`, "reader")).toEqual([204, ""]);
    expect([await pull(`${path}/app:v1`, member.token), await byKey(), await finds()]).toEqual([bytes, 200, 1]);
    const again = { method: "POST", token: member.token, body: { name: "x", collection: "" } };
    const { collectionId } = await push(alice.token, `${path}/app:v2`, bytes);
    const asReader = await ask("/v1/containers", { ...again, body: { name: "x", collection: collectionId } });
    expect(asReader.status).toBe(403);
    expect(await give(url, `teams/${lab}`, "contributor")).toEqual([204, ""]);
    await push(member.token, `${path}/app:v3`, makeSif({ salt: "by a member" }));
    await leaveTeam(lab, member.username);
    expect([await pull(`${path}/app:v1`, member.token), await byKey()]).toEqual([404, 404]);
    expect(
      (await askJson<{ items: unknown[] }>(`/api/v1/search?q=${collection}`, { token: member.token })).items,
    ).toEqual([]);
  });
});
