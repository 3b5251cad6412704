import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setMember } from "../../worker/registry/catalog/manage.ts";
import { limits } from "../../worker/registry/limits.ts";
import { deleteUser } from "../../worker/registry/people/delete-user.ts";
import { addUser, setDisabled, setSiteRole } from "../../worker/registry/people/users.ts";
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
import { newSession, type TestSession } from "../support/worker/session.ts";
import { askAsShown, askPreview } from "../support/worker/shown.ts";

/*
 * Robots: users who are no people. Administrators make them and look after their own.
 */

let admin: Person;
let other: Person;
let user: Person;
let session: TestSession;

beforeAll(async () => {
  admin = await newPerson("admin", { role: "admin" });
  other = await newPerson("other", { role: "admin" });
  user = await newPerson("user");
  session = await newSession(admin.username);
});

interface Robot {
  username: string;
  description: string;
  owner: string | null;
  isDisabled: boolean;
}

async function add(token = admin.token, username = uniqueName("robot")): Promise<Robot> {
  return await askJson<Robot>("/api/v1/robots", { method: "POST", token, body: { username, description: "builds" } });
}

async function codeOf(path: string, options: Ask): Promise<[number, string]> {
  const answer = await ask(path, options);
  const { code } = (await answer.json()) as { code: string };
  return [answer.status, code];
}

async function tokenOf(robot: Robot, by = session): Promise<{ secret: string; id: string }> {
  const made = await askJson<{ secret: string; token: { id: string } }>(`/api/v1/robots/${robot.username}/tokens`, {
    method: "POST",
    headers: by.headers,
    body: { name: "pipeline", scopes: ["pull", "push", "manage"] },
  });
  return { secret: made.secret, id: made.token.id };
}

async function edit(robot: Robot, body: Record<string, unknown>, options: Ask = {}) {
  return await ask(`/api/v1/robots/${robot.username}`, {
    method: "PATCH",
    token: admin.token,
    ...options,
    headers: { "If-Match": "*", ...options.headers },
    body,
  });
}

describe("a robot", () => {
  it("is made by an administrator, whose it is, and by nobody else", async () => {
    const robot = await add();
    expect(robot).toMatchObject({ owner: admin.username, description: "builds", isDisabled: false });
    const body = { username: uniqueName("robot") };
    expect(await codeOf("/api/v1/robots", { method: "POST", token: user.token, body })).toEqual([403, "forbidden"]);
  });

  it("pushes to what it was made a member of, and to nothing else; it has no entity", async () => {
    const robot = await add();
    const { secret } = await tokenOf(robot);
    const path = { entity: user.username, name: uniqueName("shared") };
    await push(user.token, `${path.entity}/${path.name}/app:1`, makeSif({ salt: path.name }), { private: true });
    const pushing = push(secret, `${path.entity}/${path.name}/app:2`, makeSif({ salt: `${path.name} 2` }));
    await expect(pushing).rejects.toThrow(/404|403/);
    await setMember(testContext(), operator, path, robot.username, "contributor");
    await push(secret, `${path.entity}/${path.name}/app:2`, makeSif({ salt: `${path.name} 2` }));
    expect((await ask(`/v1/entities/${robot.username}`, { token: secret })).status).toBe(404);
    expect((await ask("/v1/entities", { method: "POST", token: secret, body: { name: robot.username } })).status).toBe(
      403,
    );
  });

  it("keeps its name from users, entities and other robots, and takes none of theirs", async () => {
    const robot = await add();
    const taken = async (body: { username: string }) =>
      await codeOf("/api/v1/robots", { method: "POST", token: admin.token, body });
    expect(await taken(robot)).toEqual([409, "name-taken"]);
    expect(await taken({ username: user.username.toUpperCase() })).toEqual([409, "name-taken"]);
    expect(await taken({ username: "tokens" })).toEqual([409, "name-reserved"]);
    expect((await taken({ username: "no name" }))[0]).toBe(400);
    await expect(addUser(testContext(), operator, robot.username)).rejects.toMatchObject({ code: "name-taken" });
    const entity = { method: "POST", token: admin.token, body: { name: robot.username } };
    expect((await ask("/v1/entities", entity)).status).toBe(409);
    const { status } = await askAsShown(`/api/v1/robots/${robot.username}`, { method: "DELETE", token: admin.token });
    expect(status).toBe(204);
    expect(await taken(robot)).toEqual([409, "name-taken"]);
    await expect(addUser(testContext(), operator, robot.username)).rejects.toMatchObject({ code: "name-taken" });
  });

  it("made twice at once is made once", async () => {
    const body = { username: uniqueName("robot") };
    const two = [1, 2].map(
      async () => (await ask("/api/v1/robots", { method: "POST", token: admin.token, body })).status,
    );
    expect((await Promise.all(two)).sort()).toEqual([201, 409]);
  });

  it("never signs in: a session of its own would be worth nothing", async () => {
    const robot = await add();
    const { headers } = await newSession(robot.username);
    expect(await codeOf("/api/v1/tokens", { headers })).toEqual([401, "invalid-credential"]);
  });

  it("gets no role, and neither ends nor sees its own credentials, but for the token it comes with", async () => {
    const robot = await add();
    const grant = setSiteRole(testContext(), operator, robot.username, "superuser", true);
    await expect(grant).rejects.toMatchObject({ code: "conflict" });
    const [{ secret }, second] = [await tokenOf(robot), await tokenOf(robot)];
    for (const [method, url] of [
      ["GET", "/api/v1/tokens"],
      ["DELETE", `/api/v1/tokens/${second.id}`],
      ["GET", `/api/v1/robots/${robot.username}`],
      ["GET", `/api/v1/robots/${robot.username}/tokens`],
      ["GET", "/api/v1/robots"],
      ["DELETE", `/api/v1/robots/${robot.username}`],
    ] as const) {
      const asking = { method, token: secret, headers: { "If-Match": '"0"' } };
      expect(await codeOf(url, asking), `${method} ${url}`).toEqual([403, "forbidden"]);
    }
    expect((await ask("/api/v1/tokens/current", { method: "DELETE", token: secret })).status).toBe(204);
  });

  it("is no user, and a user no robot", async () => {
    const robot = await add();
    for (const url of [`/api/v1/users/${robot.username}`, `/api/v1/robots/${user.username}`]) {
      expect(await codeOf(url, { token: admin.token }), url).toEqual([404, "not-found"]);
      expect(await codeOf(`${url}/tokens`, { token: admin.token }), url).toEqual([404, "not-found"]);
      const deleting = { method: "DELETE", token: admin.token, headers: { "If-Match": '"0"' } };
      expect(await codeOf(url, deleting), url).toEqual([404, "not-found"]);
      expect(await codeOf(`${url}?preview=1`, deleting), url).toEqual([404, "not-found"]);
    }
    const { items } = await askJson<{ items: Robot[] }>(`/api/v1/users?q=${robot.username}`, { token: admin.token });
    expect(items).toEqual([]);
  });
});

describe("a robot's owner", () => {
  it("and any administrator look after it; nobody else learns that it is there", async () => {
    const robot = await add();
    const url = `/api/v1/robots/${robot.username}`;
    expect(await askJson(url, { token: other.token })).toEqual(robot);
    const asUser = { token: user.token };
    expect(await codeOf(url, asUser)).toEqual([404, "not-found"]);
    expect(await codeOf(url, asUser)).toEqual(await codeOf(`${url}x`, asUser));
  });

  it("still does when they are no administrator any more, and lists their own alone", async () => {
    const former = await newPerson("former", { role: "admin" });
    const robot = await add(former.token);
    await setSiteRole(testContext(), operator, former.username, "admin", false);
    const own = await askJson<{ items: Robot[] }>("/api/v1/robots", { token: former.token });
    expect(own.items).toEqual([robot]);
    const all = await askJson<{ items: Robot[] }>("/api/v1/robots", { token: other.token });
    expect(all.items.length).toBeGreaterThan(3);
    expect(all.items.map(({ username }) => username)).toEqual(all.items.map(({ username }) => username).toSorted());
    const gone = await askAsShown(`/api/v1/robots/${robot.username}`, { method: "DELETE", token: former.token });
    expect(gone.status).toBe(204);
  });

  it("may be another administrator, and nobody else", async () => {
    const robot = await add();
    expect(await (await edit(robot, { owner: other.username })).json()).toMatchObject({ owner: other.username });
    const off = await newPerson("off", { role: "admin" });
    await setDisabled(testContext(), operator, off.username, true);
    for (const owner of [user.username, "nobody-at-all", robot.username, off.username]) {
      const answer = await edit(robot, { owner });
      expect([answer.status, ((await answer.json()) as { code: string }).code], owner).toEqual([409, "conflict"]);
    }
  });

  it("who is deleted leaves it to the administrators", async () => {
    const leaving = await newPerson("leaving", { role: "admin" });
    const robot = await add(leaving.token);
    await deleteUser(testContext(), operator, leaving.username, "any", null);
    const left = await askJson<Robot>(`/api/v1/robots/${robot.username}`, { token: other.token });
    expect(left.owner).toBeNull();
  });

  it("has 100 of them at most, also by being given one", async () => {
    const busy = await newPerson("busy", { role: "admin" });
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO users (id, username, is_robot, owner_user_id, created_at)
       SELECT ? || i, ? || i, 1, users.id, 0 FROM n, users WHERE users.username = ?`,
    )
      .bind(limits.robotsPerOwner, `${busy.username}-`, `${busy.username}-robot-`, busy.username)
      .run();
    const body = { username: uniqueName("robot") };
    const refused = await codeOf("/api/v1/robots", { method: "POST", token: busy.token, body });
    expect(refused).toEqual([409, "limit-reached"]);
    const given = await edit(await add(), { owner: busy.username });
    expect([given.status, ((await given.json()) as { code: string }).code]).toEqual([409, "limit-reached"]);
  });
});

describe("an edit of a robot", () => {
  it("says which state it changes, and is refused when that is another by now", async () => {
    const robot = await add();
    const tag = (await ask(`/api/v1/robots/${robot.username}`, { token: admin.token })).headers.get("ETag") ?? "";
    expect(tag).toMatch(/^"\d+"$/);
    const first = await edit(robot, { description: "one" }, { headers: { "If-Match": tag } });
    expect([first.status, await first.json()]).toEqual([200, { ...robot, description: "one" }]);
    expect(first.headers.get("ETag")).not.toBe(tag);
    const second = await edit(robot, { description: "two" }, { headers: { "If-Match": tag } });
    expect(second.status).toBe(412);
    const without = await edit(robot, { description: "two" }, { headers: { "If-Match": "" } });
    expect(without.status).toBe(428);
  });

  it("of two at once from the same state goes through once", async () => {
    const robot = await add();
    const headers = { "If-Match": '"1"' };
    const two = await Promise.all(["a", "b"].map((description) => edit(robot, { description }, { headers })));
    expect(two.map(({ status }) => status).sort()).toEqual([200, 412]);
  });

  it("stops it at once, and lets it work again", async () => {
    const robot = await add();
    const { secret } = await tokenOf(robot);
    const works = async () => (await ask("/v1/token-status", { token: secret })).status === 200;
    expect(await works()).toBe(true);
    expect(await (await edit(robot, { isDisabled: true })).json()).toMatchObject({ isDisabled: true });
    expect(await works()).toBe(false);
    await edit(robot, { isDisabled: false });
    expect(await works()).toBe(true);
  });
});

describe("a robot's token", () => {
  it("is made by its owner or an administrator at a browser, not with a token", async () => {
    const robot = await add();
    const url = `/api/v1/robots/${robot.username}/tokens`;
    const body = { name: "x", scopes: ["pull"] };
    expect(await codeOf(url, { method: "POST", token: admin.token, body })).toEqual([403, "session-required"]);
    await tokenOf(robot, await newSession(other.username));
    const stranger = await newSession(user.username);
    expect(await codeOf(url, { method: "POST", headers: stranger.headers, body })).toEqual([404, "not-found"]);
  });

  it("is not made by somebody whose robot was given to another one in that very moment", async () => {
    const former = await newPerson("former", { role: "admin" });
    const robot = await add(former.token);
    await setSiteRole(testContext(), operator, former.username, "admin", false);
    const by = await newSession(former.username);
    const isMaking = ({ name, sql }: { name: string; sql: readonly string[] }) =>
      name === "batch" && sql.some((text) => /insert into "tokens"/i.test(text));
    const handedOver = async () => await edit(robot, { owner: other.username });
    const answer = await codeOf(`/api/v1/robots/${robot.username}/tokens`, {
      method: "POST",
      headers: by.headers,
      body: { name: "late", scopes: ["pull"] },
      env: interrupted(environment(), isMaking, handedOver),
    });
    expect(answer).toEqual([409, "conflict"]);
  });

  it("is listed and ended by them", async () => {
    const robot = await add();
    const { secret, id } = await tokenOf(robot);
    const url = `/api/v1/robots/${robot.username}/tokens`;
    const { items } = await askJson<{ items: { id: string }[] }>(url, { token: other.token });
    expect(items.map((item) => item.id)).toEqual([id]);
    expect((await ask(`${url}/${id}`, { method: "DELETE", token: other.token })).status).toBe(204);
    expect((await ask("/v1/token-status", { token: secret })).status).toBe(404);
    expect(await codeOf(`${url}/${id}`, { method: "DELETE", token: other.token })).toEqual([409, "already-so"]);
  });

  it("may be for a collection that its maker sees, or that it is a member of", async () => {
    const former = await newPerson("former", { role: "admin" });
    const robot = await add(former.token);
    await setSiteRole(testContext(), operator, former.username, "admin", false);
    const by = await newSession(former.username);
    const path = { entity: user.username, name: uniqueName("narrow") };
    const collection = `${path.entity}/${path.name}`;
    await push(user.token, `${collection}/app:1`, makeSif({ salt: collection }), { private: true });
    const body = { name: "x", scopes: ["pull"], collection };
    const request = { method: "POST", headers: by.headers, body };
    const url = `/api/v1/robots/${robot.username}/tokens`;
    expect(await codeOf(url, request)).toEqual([404, "not-found"]);
    await setMember(testContext(), operator, path, robot.username, "reader");
    expect((await ask(url, request)).status).toBe(201);
    const own = `${former.username}/${uniqueName("own")}`;
    await push(former.token, `${own}/app:1`, makeSif({ salt: own }), { private: true });
    expect((await ask(url, { ...request, body: { ...body, collection: own } })).status).toBe(201);
  });
});

describe("deleting a robot", () => {
  it("needs its preview's tag, and does nothing when only that is asked for", async () => {
    const robot = await add();
    const path = `/api/v1/robots/${robot.username}`;
    const deleting = { method: "DELETE", token: admin.token };
    const { answer, etag } = await askPreview(path, deleting);
    expect(answer.status).toBe(200);
    for (const none of [{}, { "If-Match": "*" }]) {
      expect(await codeOf(path, { ...deleting, headers: none })).toEqual([428, "precondition-required"]);
    }
    await tokenOf(robot);
    const late = { ...deleting, headers: { "If-Match": etag } };
    expect(await codeOf(path, late)).toEqual([412, "precondition-failed"]);
    expect((await ask(path, { token: admin.token })).status).toBe(200);
  });

  it("is not done where a token alone is ended, for whoever asks for a preview there, which there is none of", async () => {
    const robot = await add();
    const { id } = await tokenOf(robot);
    const path = `/api/v1/robots/${robot.username}/tokens/${id}`;
    expect(await codeOf(`${path}?preview=1`, { method: "DELETE", token: admin.token })).toEqual([400, "query-invalid"]);
    expect((await ask(path, { method: "DELETE", token: admin.token })).status).toBe(204);
  });

  it("ends its tokens and memberships", async () => {
    const robot = await add();
    const { secret } = await tokenOf(robot);
    const path = { entity: user.username, name: uniqueName("left") };
    await push(user.token, `${path.entity}/${path.name}/app:1`, makeSif({ salt: path.name }));
    await setMember(testContext(), operator, path, robot.username, "owner");
    const url = `/api/v1/robots/${robot.username}`;
    const deleting = { method: "DELETE", token: other.token };
    const { answer, etag } = await askPreview(url, deleting);
    expect(await answer.json()).toMatchObject({ deletes: { tokens: 1, memberships: 1 }, obstacles: [] });
    const gone = async () => (await ask(url, { ...deleting, headers: { "If-Match": etag } })).status;
    const two = (await Promise.all([gone(), gone()])).sort();
    expect(two).toEqual([204, expect.toSatisfy((status) => status === 404 || status === 412)]);
    expect((await ask("/v1/token-status", { token: secret })).status).toBe(404);
    const left = await env.DB.prepare(
      "SELECT count(*) AS n FROM collection_members WHERE user_id NOT IN (SELECT id FROM users)",
    ).first("n");
    expect(left).toBe(0);
  });
});
