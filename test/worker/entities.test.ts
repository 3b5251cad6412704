import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setDisabled } from "../../worker/registry/people/users.ts";
import { makeSif } from "../support/make-sif.ts";
import {
  type Ask,
  ask,
  askJson,
  newPerson,
  type Person,
  pull,
  push,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";
import { askAsShown } from "../support/worker/shown.ts";
import { newRobotOf, teamOf } from "../support/worker/teams.ts";

let alice: Person;
let bob: Person;
let admin: Person;

beforeAll(async () => {
  [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
  admin = await newPerson("admin", { role: "admin" });
});

async function refused(path: string, options: Ask): Promise<[number, string]> {
  const answer = await ask(path, options);
  return [answer.status, ((await answer.json()) as { code: string }).code];
}

async function entitiesOf(token: string | null): Promise<string[]> {
  const names: string[] = [];
  let after = "";
  for (let page = 0; page < 20; page++) {
    const { items, next } = await askJson<{ items: { entity: string }[]; next: string | null }>(
      `/api/v1/entities${after}`,
      { token },
    );
    names.push(...items.map(({ entity }) => entity));
    if (next === null) break;
    after = `?after=${next}`;
  }
  return names;
}

describe("an entity", () => {
  it("is listed for those who see something in it, and whose it is", async () => {
    const team = await teamOf("team", { members: [bob.username] });
    await push(alice.token, `${alice.username}/${uniqueName("open")}/app:v1`, makeSif({ salt: "open" }));
    const names = await entitiesOf(bob.token);
    expect(names).toEqual([...new Set(names)].sort());
    expect(names).toEqual(expect.arrayContaining([alice.username, bob.username, team]));
    const open = await entitiesOf(null);
    expect(open).toContain(alice.username);
    expect(open).not.toContain(bob.username);
    expect(await entitiesOf(alice.token)).not.toContain(team);
    expect(await entitiesOf(admin.token)).toEqual(expect.arrayContaining([alice.username, bob.username, team]));
  });

  it("tells its size to its people alone, and its owner to whoever is signed in", async () => {
    const url = `/api/v1/entities/${alice.username}`;
    const path = `${alice.username}/${uniqueName("hidden")}/app:v1`;
    await push(alice.token, path, makeSif({ salt: path }), { private: true });
    const own = await askJson(url, { token: alice.token });
    expect(own).toMatchObject({
      owner: { name: alice.username, kind: "user" },
      sizeBytes: expect.any(Number),
      may: ["create-collection", "edit"],
    });
    expect(own.sizeBytes).toBeGreaterThan(0);
    expect(await askJson(url, { token: bob.token })).toMatchObject({ sizeBytes: null, may: [] });
    expect(await askJson(url)).toMatchObject({ owner: null, sizeBytes: null });
    const hidden = `/api/v1/entities/${(await newPerson("hidden")).username}`;
    for (const absent of [hidden, "/api/v1/entities/nobody-at-all"]) {
      expect(await refused(absent, { token: bob.token }), absent).toEqual([404, "not-found"]);
      const edit = { method: "PATCH", token: bob.token, body: { description: "" }, headers: { "If-Match": "*" } };
      expect(await refused(absent, edit), absent).toEqual([404, "not-found"]);
    }
  });

  it("is described by its owner, in the state that was seen", async () => {
    const url = `/api/v1/entities/${alice.username}`;
    const etag = (await ask(url, { token: alice.token })).headers.get("ETag") ?? "";
    const edit = { method: "PATCH", token: alice.token, body: { description: "# Alice" } };
    expect(await refused(url, edit)).toEqual([428, "precondition-required"]);
    const done = await ask(url, { ...edit, headers: { "If-Match": etag } });
    expect(await done.json()).toMatchObject({ description: "# Alice" });
    expect(await refused(url, { ...edit, headers: { "If-Match": etag } })).toEqual([412, "precondition-failed"]);
    const next = { "If-Match": done.headers.get("ETag") ?? "" };
    const both = await Promise.all(
      ["a", "b"].map((description) => ask(url, { ...edit, body: { description }, headers: next })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
    const byBob = { ...edit, token: bob.token, headers: { "If-Match": "*" } };
    expect(await refused(url, byBob)).toEqual([403, "forbidden"]);
  });

  it("of a team is described by the team's owners", async () => {
    const team = await teamOf("described", { owners: [alice.username], members: [bob.username] });
    const url = `/api/v1/entities/${team}`;
    const edit = { method: "PATCH", body: { description: "Lab" }, headers: { "If-Match": "*" } };
    expect(await refused(url, { ...edit, token: bob.token })).toEqual([403, "forbidden"]);
    expect((await ask(url, { ...edit, token: alice.token })).status).toBe(200);
    expect(await askJson(url, { token: bob.token })).toMatchObject({
      owner: { name: team, kind: "team" },
      description: "Lab",
      sizeBytes: 0,
    });
  });
});

describe("an entity whose owner is gone", () => {
  it("is given to somebody else by an administrator, with all in it, as it was shown", async () => {
    const gone = await newPerson("gone");
    const path = `${gone.username}/${uniqueName("left")}/app:v1`;
    const bytes = makeSif({ salt: path });
    await push(gone.token, path, bytes, { private: true });
    await setDisabled(testContext(), operator, gone.username, true);
    const url = `/api/v1/entities/${gone.username}/owner`;
    const give = { method: "PUT", token: admin.token, body: { user: bob.username } };
    expect(await refused(`${url}?preview=1`, { ...give, token: alice.token })).toEqual([403, "forbidden"]);
    const shown = await ask(`${url}?preview=1`, give);
    expect(await shown.json()).toEqual({
      from: { name: gone.username, kind: "user" },
      to: { name: bob.username, kind: "user" },
      collections: 1,
      sizeBytes: bytes.length,
      shares: 0,
      publishers: 0,
    });
    const headers = { "If-Match": shown.headers.get("ETag") ?? "" };
    expect(await refused(url, { ...give, headers: { "If-Match": '"x"' } })).toEqual([412, "precondition-failed"]);
    const both = await Promise.all([ask(url, { ...give, headers }), ask(url, { ...give, headers })]);
    expect(both.filter(({ status }) => status === 204)).toHaveLength(1);
    expect(await pull(path, bob.token)).toEqual(bytes);
    expect(await refused(`${url}?preview=1`, give)).toEqual([409, "already-so"]);
    const team = await teamOf("heirs", { members: [alice.username] });
    expect((await askAsShown(url, { ...give, body: { team } })).status).toBe(204);
    expect(await pull(path, alice.token)).toEqual(bytes);
  });

  it("goes to a person or a team that is there, and to nobody else", async () => {
    const url = `/api/v1/entities/${alice.username}/owner`;
    const robot = await newRobotOf(alice.username);
    const disabled = await newPerson("disabled");
    await setDisabled(testContext(), operator, disabled.username, true);
    const give = (body: Record<string, unknown>) =>
      refused(`${url}?preview=1`, { method: "PUT", token: admin.token, body });
    expect(await give({ user: "nobody-at-all" })).toEqual([404, "not-found"]);
    expect(await give({ team: bob.username })).toEqual([404, "not-found"]);
    expect(await give({ user: robot })).toEqual([409, "conflict"]);
    expect(await give({ user: disabled.username })).toEqual([409, "conflict"]);
    expect(await give({})).toEqual([400, "body-invalid"]);
  });
});
