import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setMember } from "../../worker/registry/catalog/manage.ts";
import { setSiteRole } from "../../worker/registry/people/users.ts";
import { makeSif } from "../support/make-sif.ts";
import { interrupted } from "../support/worker/calls.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  newPerson,
  type Person,
  push,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";
import { askAsShown } from "../support/worker/shown.ts";
import { bring, codeOf, newTeam } from "../support/worker/teams.ts";

/*
 * Robots of teams: the team's owners make them and look after them, whoever they are at the time.
 */

interface Robot {
  username: string;
  owner: string | null;
}

let alice: Person;
let bob: Person;
let carol: Person;
let admin: Person;
let team: string;

beforeAll(async () => {
  [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
  [carol, admin] = [await newPerson("carol"), await newPerson("admin", { role: "admin" })];
});

beforeEach(async () => {
  team = (await newTeam(alice)).name;
  await bring(alice, team, [bob]);
});

const add = (by: Person, options: Ask = {}, of = team) =>
  ask("/api/v1/robots", {
    method: "POST",
    token: by.token,
    body: { username: uniqueName("robot"), team: of },
    ...options,
  });

const robotOf = async (by = alice) => (await add(by)).json<Robot>();

async function listed(by: Person): Promise<string[]> {
  const { items } = await askJson<{ items: Robot[] }>("/api/v1/robots", { token: by.token });
  return items.map(({ username }) => username);
}

async function makeToken(by: Person, robot: Robot, options: Ask = {}): Promise<Response> {
  const { headers } = await newSession(by.username);
  const body = { name: "nightly", scopes: ["pull", "push"] };
  return await ask(`/api/v1/robots/${robot.username}/tokens`, { method: "POST", headers, body, ...options });
}

const give = (by: Person, robot: Robot, owner: string) =>
  ask(`/api/v1/robots/${robot.username}`, {
    method: "PATCH",
    token: by.token,
    headers: { "If-Match": "*" },
    body: { owner },
  });

describe("a team's robot", () => {
  it("is made by an owner of the team, and by nobody else", async () => {
    const made = await add(alice);
    expect([made.status, await made.json()]).toMatchObject([201, { owner: team }]);
    expect(await codeOf(await add(bob))).toEqual([403, "forbidden"]);
    expect(await codeOf(await add(carol))).toEqual([403, "forbidden"]);
    expect(await codeOf(await add(alice, {}, `${team}x`))).toEqual([404, "not-found"]);
    expect(await codeOf(await add(alice, {}, bob.username))).toEqual([404, "not-found"]);
    expect(await codeOf(await add(alice, { token: null }))).toEqual([401, "unauthenticated"]);
    // For herself she may make none.
    const own = { method: "POST", token: alice.token, body: { username: uniqueName("robot") } };
    expect(await codeOf(await ask("/api/v1/robots", own))).toEqual([403, "forbidden"]);
  });

  it("is looked after by every owner of the team; its members learn nothing of it", async () => {
    const robot = await robotOf();
    expect(await listed(alice)).toContain(robot.username);
    expect(await listed(bob)).toEqual([]);
    const url = `/api/v1/robots/${robot.username}`;
    expect(await codeOf(await ask(url, { token: bob.token }))).toEqual([404, "not-found"]);
    expect(await codeOf(await makeToken(bob, robot))).toEqual([404, "not-found"]);
    await askJson(`/api/v1/teams/${team}/members/${bob.username}`, {
      method: "PUT",
      token: alice.token,
      body: { role: "owner" },
    });
    expect(await listed(bob)).toEqual([robot.username]);
    expect((await makeToken(bob, robot)).status).toBe(201);
    expect((await askAsShown(url, { method: "DELETE", token: bob.token })).status).toBe(204);
  });

  it("works, with tokens that its team's owners make, where it was given a role", async () => {
    const robot = await robotOf();
    const { secret } = await (await makeToken(alice, robot)).json<{ secret: string }>();
    const place = { entity: team, name: "tools" };
    await push(alice.token, `${team}/tools/app:v1`, makeSif({ salt: team }), { private: true });
    await setMember(testContext(), operator, place, robot.username, "contributor");
    await push(secret, `${team}/tools/app:v2`, makeSif({ salt: `${team} 2` }));
    // It is no owner of the team's, and makes nothing for it.
    const url = `/api/v1/teams/${team}`;
    const edit = { method: "PATCH", token: secret, headers: { "If-Match": "*" }, body: { joining: "open" } };
    expect((await ask(url, edit)).status).toBe(403);
  });

  it("gets no token by somebody who was taken out of the team in that very moment", async () => {
    await bring(alice, team, [carol], "owner");
    const robot = await robotOf();
    const isMaking = ({ name, sql }: { name: string; sql: readonly string[] }) =>
      name === "batch" && sql.some((text) => /insert into "tokens"/i.test(text));
    const remove = { method: "DELETE", token: alice.token };
    const happens = async () => await ask(`/api/v1/teams/${team}/members/${carol.username}`, remove);
    const late = await makeToken(carol, robot, { env: interrupted(environment(), isMaking, happens) });
    expect(await codeOf(late)).toEqual([409, "conflict"]);
    expect(await codeOf(await makeToken(carol, robot))).toEqual([404, "not-found"]);
  });

  it("is not deleted by such a one", async () => {
    await bring(alice, team, [carol], "owner");
    const robot = await robotOf();
    const isDeleting = ({ name, sql }: { name: string; sql: readonly string[] }) =>
      name === "batch" && sql.some((text) => /delete from "users"/i.test(text));
    const remove = { method: "DELETE", token: alice.token };
    const happens = async () => await ask(`/api/v1/teams/${team}/members/${carol.username}`, remove);
    const late = { method: "DELETE", token: carol.token, env: interrupted(environment(), isDeleting, happens) };
    const url = `/api/v1/robots/${robot.username}`;
    expect(await codeOf(await askAsShown(url, late))).toEqual([409, "conflict"]);
    expect((await ask(url, { token: alice.token })).status).toBe(200);
  });

  it("is not made by such a one either", async () => {
    await bring(alice, team, [carol], "owner");
    const isMaking = ({ name, sql }: { name: string; sql: readonly string[] }) =>
      name === "batch" && sql.some((text) => /insert into "users"/i.test(text));
    const remove = { method: "DELETE", token: alice.token };
    const happens = async () => await ask(`/api/v1/teams/${team}/members/${carol.username}`, remove);
    const late = await add(carol, { env: interrupted(environment(), isMaking, happens) });
    expect(await codeOf(late)).toEqual([409, "conflict"]);
  });

  it("is handed over by an owner to another team of theirs or an administrator, and to nobody else", async () => {
    const robot = await robotOf();
    const [own, foreign] = [(await newTeam(alice)).name, (await newTeam(carol)).name];
    for (const owner of [foreign, bob.username, "nobody-at-all", robot.username]) {
      expect(await codeOf(await give(alice, robot, owner)), owner).toEqual([409, "conflict"]);
    }
    expect(await (await give(alice, robot, own)).json()).toMatchObject({ owner: own });
    expect(await (await give(alice, robot, admin.username)).json()).toMatchObject({ owner: admin.username });
    expect(await codeOf(await give(alice, robot, own))).toEqual([404, "not-found"]);
    // An administrator gives theirs to any team.
    expect(await (await give(admin, robot, foreign)).json()).toMatchObject({ owner: foreign });
  });

  it("is an administrator's given to their own team, when they are none any more", async () => {
    const former = await newPerson("former", { role: "admin" });
    const mine = (await newTeam(former)).name;
    const made = { method: "POST", token: former.token, body: { username: uniqueName("robot") } };
    const robot = await askJson<Robot>("/api/v1/robots", made);
    await setSiteRole(testContext(), operator, former.username, "admin", false);
    expect(await codeOf(await give(former, robot, team))).toEqual([409, "conflict"]);
    expect(await (await give(former, robot, mine)).json()).toMatchObject({ owner: mine });
  });
});
