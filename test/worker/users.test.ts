import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setMember } from "../../worker/registry/catalog/manage.ts";
import { limits } from "../../worker/registry/limits.ts";
import { setDisabled, setSiteRole } from "../../worker/registry/people/users.ts";
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
  push,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";
import { newSession, type TestSession } from "../support/worker/session.ts";
import { askPreview } from "../support/worker/shown.ts";
import { newSigner, sregistryPull } from "../support/worker/sregistry.ts";

/*
 * People, as administrators see and govern them.
 */

interface User {
  username: string;
  role: string;
  isDisabled: boolean;
  isAdminByClaim: boolean;
}

let boss: Person;
let bossBrowser: TestSession;
let admin: Person;
let user: Person;

beforeAll(async () => {
  boss = await newPerson("boss", { role: "superuser" });
  bossBrowser = await newSession(boss.username);
  admin = await newPerson("admin", { role: "admin" });
  user = await newPerson("user");
});

async function codeOf(path: string, options: Ask): Promise<[number, string]> {
  const answer = await ask(path, options);
  const { code } = (await answer.json()) as { code: string };
  return [answer.status, code];
}

/** By the superuser in a browser, where no token is given: only there are roles given. */
function edit(
  username: string,
  body: Record<string, unknown>,
  token: string | null = null,
  headers = {},
): [string, Ask] {
  const all = { ...(token === null ? bossBrowser.headers : {}), "If-Match": "*", ...headers };
  return [`/api/v1/users/${username}`, { method: "PATCH", token, body, headers: all }];
}

const works = async (options: Ask) => (await ask("/api/v1/tokens", options)).status === 200;

describe("the list of users", () => {
  it("is by name, in pages, and begins with what is asked for", async () => {
    const stem = uniqueName("listed");
    const names = Array.from({ length: limits.pageSize + 3 }, (_, n) => `${stem}-${String(n).padStart(3, "0")}`);
    await env.DB.batch(
      names.map((name) =>
        env.DB.prepare("INSERT INTO users (id, username, created_at) VALUES (?, ?, 0)").bind(name, name),
      ),
    );
    const url = `/api/v1/users?q=${stem.toUpperCase()}`;
    const first = await askJson<{ items: User[]; next: string }>(url, { token: admin.token });
    const rest = await askJson<{ items: User[]; next: null }>(`${url}&after=${first.next}`, { token: admin.token });
    expect([...first.items, ...rest.items].map(({ username }) => username)).toEqual(names);
    expect([first.items.length, rest.next]).toEqual([limits.pageSize, null]);
    for (const q of ["%25", "_", "zzzz~", "'"]) {
      const { items } = await askJson<{ items: User[] }>(`/api/v1/users?q=${q}`, { token: admin.token });
      expect(items, q).toEqual([]);
    }
    await env.DB.prepare("DELETE FROM users WHERE username LIKE ?").bind(`${stem}-%`).run();
  });

  it("is for administrators, with a token that may manage", async () => {
    expect(await codeOf("/api/v1/users", { token: user.token })).toEqual([403, "forbidden"]);
    const narrow = await newTokenFor(admin.username, { scopes: ["pull", "push"] });
    expect(await codeOf("/api/v1/users", { token: narrow })).toEqual([403, "insufficient-scope"]);
    for (const [username, role] of [
      [boss.username, "superuser"],
      [admin.username, "admin"],
      [user.username, "user"],
    ] as const) {
      expect(await askJson<User>(`/api/v1/users/${username}`, { token: admin.token })).toMatchObject({ role });
      const hidden = await codeOf(`/api/v1/users/${username}`, { token: user.token });
      expect(hidden).toEqual(await codeOf("/api/v1/users/nobody-at-all", { token: user.token }));
    }
  });
});

describe("a user that is added", () => {
  it("owns the entity of their name", async () => {
    const username = uniqueName("Added");
    const request = { method: "POST", token: admin.token, body: { username } };
    const answer = await ask("/api/v1/users", request);
    const lower = username.toLowerCase();
    expect([answer.status, await answer.json()]).toMatchObject([201, { username: lower, role: "user" }]);
    expect(answer.headers.get("ETag")).toBe('"1"');
    expect((await ask(`/v1/entities/${lower}`, { token: await newTokenFor(lower) })).status).toBe(200);
    expect(await codeOf("/api/v1/users", request)).toEqual([409, "name-taken"]);
  });
});

describe("an edit of a user", () => {
  it("says which state it changes; every change of the user by whatever way makes another", async () => {
    const { username } = await newPerson("edited");
    const tagOf = async () =>
      (await ask(`/api/v1/users/${username}`, { token: admin.token })).headers.get("ETag") ?? "";
    const tag = await tagOf();
    await setSiteRole(testContext(), operator, username, "admin", true);
    const second = await tagOf();
    await setDisabled(testContext(), operator, username, true);
    expect(new Set([tag, second, await tagOf()]).size).toBe(3);
    expect((await ask(...edit(username, { isDisabled: false }, boss.token, { "If-Match": second }))).status).toBe(412);
    expect((await ask(...edit(username, { isDisabled: false }, boss.token, { "If-Match": "nonsense" }))).status).toBe(
      412,
    );
    const { status } = await ask(...edit(username, { isDisabled: false }, boss.token, { "If-Match": await tagOf() }));
    expect(status).toBe(200);
    expect((await ask(...edit(username, {}, boss.token, { "If-Match": "" }))).status).toBe(428);
  });

  it("of two at once from the same state goes through once", async () => {
    const { username } = await newPerson("edited");
    const tag = { "If-Match": (await ask(`/api/v1/users/${username}`, { token: boss.token })).headers.get("ETag") };
    const two = [edit(username, { role: "admin" }, null, tag), edit(username, { isDisabled: true }, boss.token, tag)];
    expect((await Promise.all(two.map(async (one) => (await ask(...one)).status))).sort()).toEqual([200, 412]);
  });

  it("that changes nothing writes nothing", async () => {
    const { username } = await newPerson("edited");
    for (const body of [{}, { isDisabled: false }, { role: "user" }]) {
      const answer = await ask(...edit(username, body));
      expect([answer.status, answer.headers.get("ETag")], JSON.stringify(body)).toEqual([200, '"1"']);
    }
  });
});

describe("a role", () => {
  it("is given and taken by superusers alone, not by administrators, and by nobody to themselves", async () => {
    const by = await newSession(admin.username);
    for (const role of ["admin", "superuser", "user"]) {
      for (const username of [admin.username, user.username, boss.username, "nobody-at-all"]) {
        const [url, options] = edit(username, { role });
        const asAdmin = { ...options, token: null, headers: { "If-Match": "*", ...by.headers } };
        expect(await codeOf(url, asAdmin), `${username} ${role}`).toEqual([403, "forbidden"]);
        expect(await codeOf(url, { ...options, token: user.token }), `${username} ${role}`).toEqual([403, "forbidden"]);
      }
    }
    expect(await askJson(`/api/v1/users/${admin.username}`, { token: boss.token })).toMatchObject({ role: "admin" });
  });

  it("is not given by a superuser's token, which somebody may have found", async () => {
    for (const username of [user.username, boss.username]) {
      expect(await codeOf(...edit(username, { role: "admin" }, boss.token)), username).toEqual([
        403,
        "session-required",
      ]);
    }
  });

  it("ends the sessions of whoever gets another one, and takes effect on their tokens at once", async () => {
    const carol = await newPerson("carol");
    for (const role of ["admin", "superuser", "user"]) {
      const by = await newSession(carol.username);
      expect(await askJson(...edit(carol.username, { role }))).toMatchObject({ role });
      expect(await works(by), role).toBe(false);
      expect((await ask("/api/v1/users", { token: carol.token })).status, role).toBe(role === "user" ? 403 : 200);
    }
  });

  it("by a claim is told as such, and counts no longer than it says", async () => {
    const dora = await newPerson("dora");
    const claim = async (until: number) =>
      await env.DB.prepare("UPDATE users SET claimed_admin_until = ?, claimed_admin_by = 'i' WHERE username = ?")
        .bind(until, dora.username)
        .run();
    const told = async () => await askJson(`/api/v1/users/${dora.username}`, { token: boss.token });
    await claim(Date.now() + 60_000);
    expect(await told()).toMatchObject({ role: "admin", isAdminByClaim: true });
    expect(await codeOf(`/api/v1/users/${dora.username}/tokens`, { token: admin.token })).toEqual([403, "forbidden"]);
    await claim(Date.now() - 1);
    expect(await told()).toMatchObject({ role: "user", isAdminByClaim: false });
    await claim(Date.now() + 60_000);
    expect(await askJson(...edit(dora.username, { role: "user" }))).toMatchObject({ role: "user" });
    expect((await ask("/api/v1/users", { token: dora.token })).status).toBe(403);
    await claim(Date.now() + 60_000);
    expect(await askJson(...edit(dora.username, { role: "admin" }))).toMatchObject({
      role: "admin",
      isAdminByClaim: false,
    });
    await claim(Date.now() + 60_000);
    await setSiteRole(testContext(), operator, dora.username, "admin", false);
    expect(await told()).toMatchObject({ role: "user" });
  });

  it("that was taken from an administrator while their token used it changes nothing any more", async () => {
    const [late, target] = [await newPerson("late", { role: "admin" }), await newPerson("target")];
    const isWriting = ({ name, sql }: { name: string; sql: readonly string[] }) =>
      name === "batch" && sql.some((text) => /update "users"/i.test(text));
    const demoted = async () => await setSiteRole(testContext(), operator, late.username, "admin", false);
    const during = interrupted(environment(), isWriting, demoted);
    const [url, options] = edit(target.username, { isDisabled: true }, late.token);
    expect(await codeOf(url, { ...options, env: during })).toEqual([409, "conflict"]);
    expect((await ask("/v1/token-status", { token: target.token })).status).toBe(200);
  });

  it("that a provider claims no more, while they used it, changes nothing any more", async () => {
    const [late, target] = [await newPerson("late"), await newPerson("target")];
    const until = (at: string) =>
      env.DB.prepare(`UPDATE users SET claimed_admin_until = ${at} WHERE username = ?`).bind(late.username).run();
    await until("9999999999999");
    const by = await newSession(late.username);
    const isWriting = ({ name, sql }: { name: string; sql: readonly string[] }) =>
      name === "batch" && sql.some((text) => /update "users"/i.test(text));
    const during = interrupted(environment(), isWriting, async () => void (await until("NULL")));
    const [url, options] = edit(target.username, { isDisabled: true });
    const headers = { "If-Match": "*", ...by.headers };
    expect(await codeOf(url, { ...options, token: null, headers, env: during })).toEqual([409, "conflict"]);
    expect((await ask("/v1/token-status", { token: target.token })).status).toBe(200);
  });

  it("that was taken from an administrator while they used it changes nothing any more", async () => {
    const [late, target] = [await newPerson("late", { role: "admin" }), await newPerson("target")];
    const by = await newSession(late.username);
    const isWriting = ({ name, sql }: { name: string; sql: readonly string[] }) =>
      name === "batch" && sql.some((text) => /update "users"/i.test(text));
    const demoted = async () => await setSiteRole(testContext(), operator, late.username, "admin", false);
    const during = interrupted(environment(), isWriting, demoted);
    const [url, options] = edit(target.username, { isDisabled: true });
    const headers = { "If-Match": "*", ...by.headers };
    expect(await codeOf(url, { ...options, token: null, headers, env: during })).toEqual([409, "conflict"]);
    expect((await ask("/v1/token-status", { token: target.token })).status).toBe(200);
  });
});

describe("disabling", () => {
  it("is for those below one's role, and never oneself", async () => {
    const another = await newPerson("another", { role: "admin" });
    for (const username of [another.username, boss.username, admin.username]) {
      expect(await codeOf(...edit(username, { isDisabled: true }, admin.token)), username).toEqual([403, "forbidden"]);
    }
    expect(await codeOf(...edit(boss.username, { isDisabled: true }))).toEqual([403, "forbidden"]);
    expect((await ask(...edit(another.username, { isDisabled: true }))).status).toBe(200);
    const hidden = await codeOf(...edit(another.username, { isDisabled: true }, user.token));
    expect(hidden).toEqual([404, "not-found"]);
    expect(hidden).toEqual(await codeOf(...edit("nobody-at-all", { isDisabled: true }, user.token)));
  });

  it("stops every credential at once, on every protocol; enabling brings back what was not ended", async () => {
    const erin = await newSigner("erin");
    const name = `${uniqueName("private")}/tool:1`;
    await push(erin.token, `${erin.username}/${name}`, makeSif({ salt: name }), { private: true });
    const by = await newSession(erin.username);
    const [pipeline, revoked] = [await newTokenFor(erin.username), await newTokenFor(erin.username)];
    await env.DB.prepare("UPDATE tokens SET publisher_id = 'gone' WHERE hint = ?").bind(pipeline.slice(-6)).run();
    await env.DB.prepare("UPDATE tokens SET revoked_at = 1 WHERE hint = ?").bind(revoked.slice(-6)).run();
    const link = env.DB.prepare("INSERT INTO login_links SELECT 'x', id, 9999999999999 FROM users WHERE username = ?");
    await link.bind(erin.username).run();
    const library = async (token: string) => (await ask("/v1/token-status", { token })).status === 200;
    const sregistry = async (token: string) => (await ask(`/api/container/${name}`, { token })).status === 200;
    const ways: [string, () => Promise<boolean>][] = [
      ["a token, to the library", async () => await library(erin.token)],
      ["a token, to sregistry", async () => await sregistry(erin.token)],
      ["a token, to the API", async () => await works({ token: erin.token })],
      ["a signature", async () => typeof (await sregistryPull(name, erin)) !== "number"],
      ["a session", async () => await works(by)],
      ["a pipeline's token", async () => await library(pipeline)],
      ["a token that was revoked", async () => await library(revoked)],
    ];
    const working = async () => {
      const found: string[] = [];
      for (const [way, works] of ways) if (await works()) found.push(way);
      return found;
    };
    const all = ways.map(([way]) => way).filter((way) => !way.endsWith("revoked"));
    expect(await working()).toEqual(all);
    expect((await ask(...edit(erin.username, { isDisabled: true }, admin.token))).status).toBe(200);
    expect(await working()).toEqual([]);
    expect(await env.DB.prepare("SELECT count(*) AS n FROM login_links").first("n")).toBe(0);
    expect((await ask(...edit(erin.username, { isDisabled: false }, admin.token))).status).toBe(200);
    // The session was ended, and stays so.
    expect(await working()).toEqual(all.filter((way) => way !== "a session"));
  });
});

describe("ending all of somebody's credentials", () => {
  it("leaves none, in one go, and can be repeated", async () => {
    const frank = await newSigner("frank");
    const by = await newSession(frank.username);
    const url = `/api/v1/users/${frank.username}/credentials`;
    expect(await codeOf(url, { method: "DELETE", token: user.token })).toEqual([404, "not-found"]);
    for (let round = 0; round < 2; round++) {
      expect((await ask(url, { method: "DELETE", token: admin.token })).status).toBe(204);
    }
    expect(await works(by)).toBe(false);
    expect(await works({ token: frank.token })).toBe(false);
    expect(await sregistryPull("any/thing:1", frank)).toBe(401);
    const { items } = await askJson<{ items: { state: string }[] }>(`/api/v1/users/${frank.username}/tokens`, {
      token: admin.token,
    });
    expect(items.map(({ state }) => state)).toEqual(["revoked"]);
    expect((await ask("/api/v1/tokens", await newSession(frank.username))).status).toBe(200);
  });

  it("is for those below one's role, and for oneself", async () => {
    const url = (username: string) => `/api/v1/users/${username}/credentials`;
    expect(await codeOf(url(boss.username), { method: "DELETE", token: admin.token })).toEqual([403, "forbidden"]);
    const own = await newPerson("own");
    expect((await ask(url(own.username), { method: "DELETE", token: own.token })).status).toBe(204);
    expect(await works({ token: own.token })).toBe(false);
  });
});

describe("deleting a user", () => {
  it("is for those below one's role, and not while they own collections", async () => {
    const grace = await newPerson("grace");
    const url = (username: string) => `/api/v1/users/${username}`;
    const asAdmin = { method: "DELETE", token: admin.token };
    for (const username of [boss.username, admin.username]) {
      const refusal = [403, expect.stringMatching(/forbidden|session/)];
      for (const of of [`${url(username)}?preview=1`, url(username)]) {
        expect(await codeOf(of, { ...asAdmin, headers: { "If-Match": '"0"' } }), of).toEqual(refusal);
      }
    }
    const kept = { entity: grace.username, name: uniqueName("kept") };
    await push(grace.token, `${kept.entity}/${kept.name}/app:1`, makeSif({ salt: "grace" }));
    // Who owns it too would get it if she herself deleted her account.
    await setMember(testContext(), operator, kept, user.username, "owner");
    const shown = await askPreview(url(grace.username), asAdmin);
    expect(await shown.answer.json()).toMatchObject({
      deletes: { entities: [grace.username], collections: [], images: 0 },
      handsOver: [],
      obstacles: [
        expect.stringMatching(/^This user still owns collections: grace\S+\. Delete them or hand them over first\.$/),
      ],
    });
    const deletion = { ...asAdmin, headers: { "If-Match": shown.etag } };
    expect(await codeOf(url(grace.username), deletion)).toEqual([409, "conflict"]);
    const henry = await newPerson("henry");
    const seen = { ...asAdmin, headers: { "If-Match": (await askPreview(url(henry.username), asAdmin)).etag } };
    expect(await codeOf(url(henry.username), { ...seen, token: user.token })).toEqual([404, "not-found"]);
    const two = await Promise.all([ask(url(henry.username), seen), ask(url(henry.username), seen)]);
    expect(two.map(({ status }) => status).sort()).toEqual([204, expect.toSatisfy((s) => s === 404 || s === 412)]);
    expect((await ask("/v1/token-status", { token: henry.token })).status).toBe(404);
    expect((await ask(`/v1/entities/${henry.username}`, { token: admin.token })).status).toBe(404);
  });
});

it("every act on accounts is in the audit log, with whoever did it and by which credential", async () => {
  const ivan = await newPerson("ivan");
  await ask(...edit(ivan.username, { role: "admin", isDisabled: true }));
  await ask(`/api/v1/users/${ivan.username}/credentials`, { method: "DELETE", token: boss.token });
  const { results } = await env.DB.prepare(
    "SELECT actor, action, credential IS NOT NULL AS known FROM audit WHERE target = ? AND actor <> 'operator' ORDER BY id",
  )
    .bind(ivan.username)
    .all();
  expect(results).toEqual(
    ["user.disable", "user.role", "user.end-credentials"].map((action) => ({ actor: boss.username, action, known: 1 })),
  );
});
