import { describe, expect, it } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import { makeSif } from "../support/make-sif.ts";
import { ask, environment, newPerson, pull, push, uniqueName } from "../support/worker/registry.ts";
import { teamOf } from "../support/worker/teams.ts";

const secret = "an-admin-secret-that-only-tests-know";

async function rpc(verb: string, args: Record<string, unknown> = {}, token: string | null = secret) {
  const response = await ask("/admin/rpc", { method: "POST", token, body: { verb, args } });
  const body = (await response.json()) as { result?: unknown; error?: { code: string; message: string } };
  return { status: response.status, ...body };
}

describe("the administrator's address", () => {
  it("does not exist without an admin secret", async () => {
    const env = environment({ ADMIN_SECRET: "" });
    const response = await ask("/admin/rpc", { method: "POST", token: secret, body: { verb: "list-users" }, env });
    expect(response.status).toBe(404);
  });

  it("takes the secret and nothing else, a superuser's token neither", async () => {
    const boss = await newPerson("boss", { role: "superuser" });
    for (const token of [null, "", "wrong", `${secret}x`, secret.slice(0, -1), boss.token]) {
      const { status, error } = await rpc("list-users", {}, token);
      expect([status, error?.code], String(token)).toEqual([401, "invalid-credential"]);
    }
    expect((await rpc("list-users")).status).toBe(200);
  });

  it("gives a team a role in a collection, and takes it away", async () => {
    const [owner, member] = [await newPerson("owner"), await newPerson("member")];
    const team = await teamOf("team", { members: [member.username] });
    const path = `${owner.username}/${uniqueName("kept")}`;
    await push(owner.token, `${path}/app:v1`, makeSif({ salt: path }), { private: true });
    const args = { collection: path, username: team, role: "reader" };
    expect(await rpc("set-member", args)).toMatchObject({ status: 404 });
    expect(await rpc("set-member", { ...args, team: "true" })).toMatchObject({ status: 200 });
    expect(await pull(`${path}/app:v1`, member.token)).toBeInstanceOf(Uint8Array);
    expect(await rpc("set-member", { ...args, team: "true", role: "none" })).toMatchObject({ status: 200 });
    expect(await pull(`${path}/app:v1`, member.token)).toBe(404);
  });

  it("slows down who guesses, and never who knows", async () => {
    const statuses = new Set<number>();
    for (let attempt = 0; attempt <= limits.adminFailuresPerMinute; attempt++) {
      statuses.add((await rpc("list-users", {}, "guess")).status);
    }
    expect(statuses).toContain(429);
    expect((await rpc("list-users")).status).toBe(200);
  });

  it("refuses malformed and oversized bodies with a reason, and changes nothing", async () => {
    const send = (body: string) => ask("/admin/rpc", { method: "POST", token: secret, body });
    const malformed = [
      "",
      "{",
      "null",
      "[]",
      "0",
      "{}",
      '{"verb":1}',
      '{"verb":"add-user","args":[]}',
      '{"verb":"add-user","args":null}',
    ];
    for (const body of malformed) {
      const response = await send(body);
      expect([response.status, await response.text()], body).toEqual([400, expect.stringContaining("body-invalid")]);
    }
    const username = uniqueName("filler");
    const call = JSON.stringify({ verb: "add-user", args: { username, filler: "x".repeat(10_000_000) } });
    expect((await send(call)).status).toBe(413);
    expect((await rpc("list-tokens", { username })).status).toBe(404);
  });

  it("says what is wrong with a command", async () => {
    expect(await rpc("no-such-command")).toMatchObject({ status: 404 });
    expect(await rpc("constructor")).toMatchObject({ status: 404 });
    expect(await rpc("add-user")).toMatchObject({
      status: 400,
      error: { message: expect.stringContaining("--username") },
    });
    expect(await rpc("add-user", { username: "v2" })).toMatchObject({ status: 409, error: { code: "name-reserved" } });
    expect(await rpc("add-user", { username: "Not A Name" })).toMatchObject({ status: 400 });
    expect(await rpc("add-token", { username: uniqueName("nobody") })).toMatchObject({ status: 404 });
    expect(await rpc("freeze", { image: "a/b/c/d/e" })).toMatchObject({ status: 400 });
  });
});

describe("users and roles", () => {
  it("are granted and taken away, and repeating it says that it is so already", async () => {
    const username = uniqueName("carol");
    expect(await rpc("add-superuser", { username })).toMatchObject({ status: 200, result: { created: true } });
    expect(await rpc("add-superuser", { username })).toMatchObject({ status: 409, error: { code: "already-so" } });
    expect(await rpc("remove-superuser", { username })).toMatchObject({ status: 200 });
    expect(await rpc("remove-superuser", { username })).toMatchObject({ status: 409 });
    expect(await rpc("add-admin", { username })).toMatchObject({ status: 200, result: { created: false } });
    expect(await rpc("remove-admin", { username })).toMatchObject({ status: 200 });
    expect(await rpc("remove-admin", { username: uniqueName("nobody") })).toMatchObject({ status: 404 });
  });

  it("are lower-cased, and two creations at once make one user", async () => {
    const username = uniqueName("Dora");
    const two = await Promise.all([
      rpc("add-user", { username }),
      rpc("add-user", { username: username.toLowerCase() }),
    ]);
    expect(two.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it("keep the name of a deleted user until it is freed", async () => {
    const username = uniqueName("erin");
    await rpc("add-user", { username });
    expect(await rpc("delete-user", { username })).toMatchObject({ status: 200 });
    expect(await rpc("add-user", { username })).toMatchObject({ status: 409, error: { code: "name-taken" } });
    const freed = await Promise.all([1, 2].map(() => rpc("free-name", { kind: "entity", name: username })));
    expect(freed.map(({ status }) => status).sort()).toEqual([200, 404]);
    expect(await rpc("add-user", { username })).toMatchObject({ status: 200 });
  });

  it("are not deleted while they own collections", async () => {
    const frank = await newPerson("frank");
    await push(frank.token, `${frank.username}/${uniqueName("kept")}/app:v1`, makeSif({ salt: "frank" }));
    const refused = await rpc("delete-user", { username: frank.username });
    expect(refused).toMatchObject({ status: 409, error: { message: expect.stringContaining("collections") } });
    expect((await ask("/v1/token-status", { token: frank.token })).status).toBe(200);
  });
});

describe("tokens", () => {
  it("are shown once, long enough for the client, and end when revoked", async () => {
    const username = uniqueName("grace");
    await rpc("add-user", { username });
    const { result } = (await rpc("add-token", { username, name: "laptop", days: "30" })) as {
      result: { token: string; id: string };
    };
    expect(result.token).toMatch(/^sreg_[A-Za-z0-9_-]{208}$/);
    expect((await ask("/v1/token-status", { token: result.token })).status).toBe(200);
    const listed = JSON.stringify((await rpc("list-tokens", { username })).result);
    expect(listed).toContain("laptop");
    expect(listed).not.toContain(result.token.slice(0, 40));
    expect(listed).not.toMatch(/[0-9a-f]{64}/);
    expect((await rpc("revoke-token", { username, id: "%" })).status).toBe(404);
    expect((await rpc("revoke-token", { username, id: result.id.slice(0, 8) })).status).toBe(200);
    expect((await ask("/v1/token-status", { token: result.token })).status).toBe(404);
    expect((await rpc("revoke-token", { username, id: result.id })).status).toBe(409);
  });
});

describe("robots", () => {
  it("are made, listed and deleted, and whatever is for a user's name works for theirs", async () => {
    const owner = await newPerson("owner", { role: "admin" });
    const username = uniqueName("robot");
    const made = await rpc("add-robot", { username, owner: owner.username, description: "nightly builds" });
    expect(made).toMatchObject({ status: 200, result: { username, owner: owner.username } });
    expect(await rpc("add-robot", { username: uniqueName("robot") })).toMatchObject({ result: { owner: null } });
    expect(await rpc("add-robot", { username })).toMatchObject({ status: 409, error: { code: "name-taken" } });
    const user = await newPerson("user");
    const ofNobody = { username: uniqueName("robot"), owner: user.username };
    expect(await rpc("add-robot", ofNobody)).toMatchObject({ status: 409, error: { code: "conflict" } });
    expect((await rpc("list-robots")).result).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ username, description: "nightly builds" })]),
    });
    expect(JSON.stringify((await rpc("list-users")).result)).not.toContain(`"${username}"`);
    const { token } = (await rpc("add-token", { username })).result as { token: string };
    const works = async () => (await ask("/v1/token-status", { token })).status === 200;
    expect(await works()).toBe(true);
    expect(await rpc("disable-user", { username })).toMatchObject({ status: 200 });
    expect(await works()).toBe(false);
    expect(await rpc("enable-user", { username })).toMatchObject({ status: 200 });
    expect(await rpc("add-key", { username })).toMatchObject({ status: 200 });
    expect(await rpc("add-superuser", { username })).toMatchObject({ status: 409, error: { code: "conflict" } });
    expect(await rpc("delete-robot", { username: user.username })).toMatchObject({ status: 404 });
    expect(await rpc("delete-robot", { username })).toMatchObject({ status: 200 });
    expect(await works()).toBe(false);
  });
});

describe("teams", () => {
  it("are made for somebody, get and lose people, and are deleted", async () => {
    const [owner, other] = [await newPerson("owner"), await newPerson("other")];
    const name = uniqueName("team");
    const made = await rpc("add-team", { name, owner: owner.username, description: "Imaging", joining: "open" });
    expect(made).toMatchObject({ status: 200, result: { name, description: "Imaging", joining: "open" } });
    expect(await rpc("add-team", { name, owner: owner.username })).toMatchObject({ error: { code: "name-taken" } });
    expect(await rpc("add-team", { name: uniqueName("team"), owner: name })).toMatchObject({ status: 404 });
    expect(await rpc("add-team", { name: uniqueName("team") })).toMatchObject({ status: 400 });
    expect((await rpc("list-teams")).result).toMatchObject({ items: expect.arrayContaining([made.result]) });
    const set = async (username: string, role: string) => await rpc("set-team-member", { team: name, username, role });
    expect(await set(other.username, "owner")).toMatchObject({ status: 200 });
    expect(await set(owner.username, "none")).toMatchObject({ status: 200 });
    expect(await set(other.username, "member")).toMatchObject({ status: 409, error: { code: "last-owner" } });
    expect(await set("nobody-at-all", "member")).toMatchObject({ status: 404 });
    expect(await rpc("delete-user", { username: other.username })).toMatchObject({ error: { code: "last-owner" } });
    const robot = uniqueName("robot");
    expect(await rpc("add-robot", { username: robot, team: name })).toMatchObject({ result: { owner: name } });
    await push(other.token, `${name}/tools/app:v1`, makeSif({ salt: name }));
    expect(await rpc("delete-user", { username: name })).toMatchObject({ status: 404 });
    expect(await rpc("delete-team", { name: other.username })).toMatchObject({ status: 404 });
    expect(await rpc("delete-team", { name })).toMatchObject({ status: 200 });
    expect(await pull(`${name}/tools/app:v1`)).toBe(404);
    expect(await rpc("delete-robot", { username: robot })).toMatchObject({ status: 404 });
    expect(await rpc("delete-user", { username: other.username })).toMatchObject({ status: 200 });
  });
});

describe("the audit log", () => {
  it("says who did what", async () => {
    const henry = await newPerson("henry");
    const name = uniqueName("audited");
    await push(henry.token, `${henry.username}/${name}/app:v1`, makeSif({ salt: "audit" }));
    await rpc("set-visibility", { collection: `${henry.username}/${name}`, visibility: "private" });
    expect(await pull(`${henry.username}/${name}/app:v1`)).toBe(404);
    const { items } = (await rpc("list-audit")).result as {
      items: { actor: string; action: string; target: string }[];
    };
    const entries = items.map(({ actor, action, target }) => `${actor} ${action} ${target}`);
    expect(entries).toEqual(
      expect.arrayContaining([
        `${henry.username} collection.create ${henry.username}/${name}`,
        `${henry.username} short-name.claim ${henry.username}/${name}`,
        `${henry.username} image.publish ${henry.username}/${name}/app`,
        `${henry.username} tag.set ${henry.username}/${name}/app:v1`,
        `operator collection.visibility ${henry.username}/${name}`,
      ]),
    );
  });
});

describe("an argument", () => {
  it("that is missing is named as such", async () => {
    const { status, error } = await rpc("add-user");
    expect([status, error?.message]).toEqual([400, "--username is missing"]);
  });

  it("that names an image may be the URI that clients take", async () => {
    const person = await newPerson("uri");
    const { digest } = await push(person.token, `${person.username}/uri/app:v1`, makeSif({ salt: "uri" }));
    for (const image of [`${person.username}/uri/app:v1`, `library://${person.username}/uri/app:v1`]) {
      expect((await rpc("find-digest", { image })).result).toEqual({ digest });
    }
  });
});
