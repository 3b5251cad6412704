import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import type { Env } from "../../worker/env.ts";
import { setFrozen, setMember } from "../../worker/registry/catalog/manage.ts";
import { limits } from "../../worker/registry/limits.ts";
import { parseImageReference } from "../../worker/registry/names.ts";
import { addUser, setDisabled } from "../../worker/registry/people/users.ts";
import { checkIntegrity } from "../../worker/registry/upkeep/check-integrity.ts";
import { makeSif } from "../support/make-sif.ts";
import { type Call, counted, interrupted, watched } from "../support/worker/calls.ts";
import { sessionCookieOf } from "../support/worker/cookies.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  newPerson,
  type Person,
  pull,
  push,
  testContext,
} from "../support/worker/registry.ts";
import { newSession, type TestSession } from "../support/worker/session.ts";
import { leaveTeam, teamOf } from "../support/worker/teams.ts";

interface Deletion {
  deletes: { collections: string[]; images: number; bytes: number; tokens: number; sessions: number; shares: number };
  handsOver: { what: string; to: string }[];
  keeps: string[];
  obstacles: string[];
}

let alice: Person;
let session: TestSession;

beforeEach(async () => {
  alice = await newPerson("alice");
  session = await newSession(alice.username);
});

async function preview(
  headers: Record<string, string> = session.headers,
): Promise<{ deletion: Deletion; tag: string }> {
  const answer = await ask("/api/v1/me/deletion", { headers });
  expect(answer.status).toBe(200);
  return { deletion: await answer.json<Deletion>(), tag: answer.headers.get("ETag") ?? "" };
}

const act = (tag: string, options: Ask = {}) =>
  ask("/api/v1/me", {
    method: "DELETE",
    ...options,
    headers: { ...session.headers, ...options.headers, "If-Match": tag },
  });

async function codeOf(answer: Response): Promise<[number, string]> {
  return [answer.status, (await answer.json<{ code: string }>()).code];
}

async function rows(sql: string, ...bound: unknown[]): Promise<Record<string, unknown>[]> {
  return (
    await env.DB.prepare(sql)
      .bind(...bound)
      .all()
  ).results;
}

const isThere = async (username = alice.username) =>
  (await rows("SELECT 1 FROM users WHERE username = ?", username)).length === 1;

async function makeOwner(collection: string, username: string, role: "owner" | "contributor" = "owner"): Promise<void> {
  await setMember(testContext(), operator, { entity: alice.username, name: collection }, username, role);
}

async function expectConsistent(): Promise<void> {
  const { findings } = await checkIntegrity(testContext(), operator, null);
  expect(findings.filter(({ kind }) => !["upload-open", "blob-unreferenced"].includes(kind))).toEqual([]);
}

let salt = 0;
const pushTo = async (path: string, token = alice.token) => {
  const bytes = makeSif({ salt: `delete-account-${salt++}` });
  return { bytes, ...(await push(token, `${path}:v1`, bytes)) };
};

describe("deleting one's account", () => {
  it("says first what goes, and then does just that", async () => {
    const { username } = alice;
    const bob = await newPerson("bob");
    const [one, two] = [await pushTo(`${username}/tools/app`), await pushTo(`${username}/data/app`)];
    const elsewhere = await pushTo(`${bob.username}/shared/app`, bob.token);
    await setMember(testContext(), operator, { entity: bob.username, name: "shared" }, username, "contributor");
    const mine = await pushTo(`${bob.username}/shared/mine`);
    const { deletion, tag } = await preview();
    expect(deletion).toEqual({
      deletes: {
        entities: [username],
        collections: [`${username}/data`, `${username}/tools`],
        images: 2,
        tags: 2,
        bytes: one.bytes.length + two.bytes.length,
        tokens: 1,
        sessions: 1,
        identities: 0,
        hasSregistryKey: false,
        memberships: 1,
        teams: 0,
        invitations: 0,
        publishers: 0,
        shares: 0,
        offers: 0,
        stars: 0,
        uploads: 0,
      },
      handsOver: [],
      keeps: [expect.any(String), expect.any(String), expect.any(String)],
      obstacles: [],
    });
    const answer = await act(tag);
    expect([answer.status, sessionCookieOf(answer)]).toEqual([204, expect.stringMatching(/^__Host-session=;/)]);
    expect(await isThere()).toBe(false);
    expect((await ask("/api/v1/me", { token: alice.token })).status).toBe(401);
    expect((await ask("/api/v1/me", { headers: session.headers })).status).toBe(401);
    expect(await pull(`${username}/tools/app:v1`, bob.token)).toBe(404);
    expect(await pull(`${bob.username}/shared/app:v1`)).toEqual(elsewhere.bytes);
    expect(await pull(`${bob.username}/shared/mine:v1`)).toEqual(mine.bytes);
    for (const table of ["sessions", "tokens", "identities", "sregistry_keys", "collection_members"]) {
      expect(await rows(`SELECT 1 FROM ${table} WHERE user_id NOT IN (SELECT id FROM users)`)).toEqual([]);
    }
    expect(await rows("SELECT created_by FROM images WHERE id = ?", mine.imageId)).toEqual([{ created_by: null }]);
    await expectConsistent();
  });

  it("keeps the names from whoever comes next, and is in the audit log", async () => {
    const { username } = alice;
    await pushTo(`${username}/tools-${username}/app`);
    await act((await preview()).tag);
    const collection = `${username}/tools-${username}`;
    const buried = await rows("SELECT kind, name FROM tombstones WHERE name LIKE ? ORDER BY kind", `%${username}`);
    expect(buried).toEqual([
      { kind: "collection", name: collection },
      { kind: "entity", name: username },
      { kind: "short-name", name: `tools-${username}` },
    ]);
    await expect(addUser(testContext(), operator, username)).rejects.toMatchObject({ code: "name-taken" });
    const log = await rows(
      "SELECT action, target, detail FROM audit WHERE actor = ? AND action LIKE '%.delete' ORDER BY id",
      username,
    );
    expect(log).toEqual([
      { action: "collection.delete", target: collection, detail: null },
      { action: "account.delete", target: username, detail: '{"collections":1,"heirs":{}}' },
    ]);
  });

  it("hands an entity over to who owns all of its shared collections, the one of longest standing", async () => {
    const { username } = alice;
    const [bob, carol, dave] = [await newPerson("bob"), await newPerson("carol"), await newPerson("dave")];
    const kept = await pushTo(`${username}/one/app`);
    await pushTo(`${username}/two/app`);
    await pushTo(`${username}/alone/app`);
    await makeOwner("one", bob.username);
    await makeOwner("one", dave.username);
    await makeOwner("one", carol.username);
    for (const owner of [carol, dave]) await makeOwner("two", owner.username);
    await makeOwner("alone", bob.username, "contributor");
    await env.DB.prepare(
      `UPDATE collection_members SET created_at = 1 WHERE user_id = (SELECT id FROM users WHERE username = ?)`,
    )
      .bind(carol.username)
      .run();
    const { deletion, tag } = await preview();
    expect(deletion.deletes.collections).toEqual([`${username}/alone`]);
    expect(deletion.handsOver).toEqual([
      { what: `${username}, with ${username}/one, ${username}/two`, to: carol.username },
    ]);
    expect((await act(tag)).status).toBe(204);
    expect(await pull(`${username}/one/app:v1`, bob.token)).toEqual(kept.bytes);
    await pushTo(`${username}/two/more`, carol.token);
    await pushTo(`${username}/new/app`, carol.token);
    // Carol owns all of it now: the roles by which she did before are needless, and those of the others stay.
    const members = await rows(
      `SELECT c.name, u.username FROM collection_members JOIN users AS u ON u.id = user_id JOIN collections AS c ON c.id = collection_id
       JOIN entities AS e ON e.id = c.entity_id WHERE e.name = ? ORDER BY c.name, u.username`,
      username,
    );
    expect(members).toEqual([
      { name: "one", username: bob.username },
      { name: "one", username: dave.username },
      { name: "two", username: dave.username },
    ]);
    expect(await rows("SELECT target FROM audit WHERE action = 'entity.hand-over' AND actor = ?", username)).toEqual([
      { target: username },
    ]);
    await expect(addUser(testContext(), operator, username)).rejects.toMatchObject({ code: "name-taken" });
    await expectConsistent();
  });

  it("gives to a disabled owner only what no other one can take, and to robots nothing", async () => {
    const [bob, carol] = [await newPerson("bob"), await newPerson("carol")];
    await pushTo(`${alice.username}/one/app`);
    await makeOwner("one", bob.username);
    await setDisabled(testContext(), operator, bob.username, true);
    expect((await preview()).deletion.handsOver).toMatchObject([{ to: bob.username }]);
    await makeOwner("one", carol.username);
    expect((await preview()).deletion.handsOver).toMatchObject([{ to: carol.username }]);
    await env.DB.prepare("UPDATE users SET is_robot = 1 WHERE username IN (?, ?)")
      .bind(bob.username, carol.username)
      .run();
    const { deletion } = await preview();
    expect([deletion.handsOver, deletion.deletes.collections]).toEqual([[], [`${alice.username}/one`]]);
  });

  it("gives to a team without owners only what no other one can take", async () => {
    const [bob, gone] = [await newPerson("bob"), await newPerson("gone")];
    const lab = await teamOf("lab", { owners: [alice.username, gone.username] });
    const collection = `/api/v1/collections/${alice.username}/one`;
    await pushTo(`${alice.username}/one/app`);
    const body = { role: "owner" };
    await ask(`${collection}/people/teams/${lab}`, { method: "PUT", token: alice.token, body });
    await leaveTeam(lab, alice.username);
    await setDisabled(testContext(), operator, gone.username, true);
    expect((await preview()).deletion.handsOver).toMatchObject([{ to: lab }]);
    await makeOwner("one", bob.username);
    expect((await preview()).deletion.handsOver).toMatchObject([{ to: bob.username }]);
  });

  it("counts the share links that end: one's own wherever, and those to what is deleted", async () => {
    const bob = await newPerson("bob");
    const share = async (path: string, digest: string, token = alice.token) =>
      await ask(`/api/v1/containers/${path}/images/${digest}/shares`, { method: "POST", token, body: {} });
    const mine = await pushTo(`${alice.username}/one/app`);
    await setMember(testContext(), operator, { entity: alice.username, name: "one" }, bob.username, "owner");
    const alone = await pushTo(`${alice.username}/two/app`);
    await share(`${alice.username}/one/app`, mine.digest);
    await share(`${alice.username}/one/app`, mine.digest, bob.token);
    await share(`${alice.username}/two/app`, alone.digest);
    const { deletion, tag } = await preview();
    expect(deletion.deletes.shares).toBe(2);
    expect((await act(tag)).status).toBe(204);
    expect(await rows("SELECT count(*) AS left FROM shares WHERE image_id IN (SELECT id FROM images)")).toEqual([
      { left: 1 },
    ]);
  });

  it("gives to a team without taking from its members what it let them do", async () => {
    const [bob, carol] = [await newPerson("bob"), await newPerson("carol")];
    const lab = await teamOf("lab", { owners: [bob.username], members: [carol.username] });
    const { digest } = await pushTo(`${alice.username}/one/app`);
    const path = { entity: alice.username, name: "one" };
    await setMember(testContext(), operator, path, lab, "owner", "team");
    const shares = `/api/v1/containers/${alice.username}/one/app/images/${digest}/shares`;
    const { url } = await askJson<{ url: string }>(shares, { method: "POST", token: carol.token, body: {} });
    const { deletion, tag } = await preview();
    expect([deletion.handsOver, deletion.deletes.shares]).toEqual([[expect.objectContaining({ to: lab })], 0]);
    expect((await act(tag)).status).toBe(204);
    const collection = await askJson(`/api/v1/collections/${alice.username}/one`, { token: carol.token });
    expect(collection).toMatchObject({ owner: { name: lab }, role: "owner" });
    expect((await ask(url)).status).toBe(303);
  });

  it("waits where the shared collections have no common owner, saying which", async () => {
    const [bob, carol] = [await newPerson("bob"), await newPerson("carol")];
    await pushTo(`${alice.username}/one/app`);
    await pushTo(`${alice.username}/two/app`);
    await makeOwner("one", bob.username);
    await makeOwner("two", carol.username);
    const { deletion, tag } = await preview();
    expect(deletion.obstacles).toEqual([expect.stringContaining(`${alice.username}/one, ${alice.username}/two`)]);
    expect(await codeOf(await act(tag))).toEqual([409, "conflict"]);
    expect(await isThere()).toBe(true);
    await makeOwner("two", bob.username);
    expect((await act((await preview()).tag)).status).toBe(204);
  });

  it("waits while anything that would go is frozen, an image or a tag", async () => {
    const path = `${alice.username}/tools/app`;
    const { digest } = await pushTo(path);
    for (const selector of ["v1", digest]) {
      const reference = parseImageReference(`${path}:${selector}`);
      await setFrozen(testContext(), operator, reference, "amd64", true);
      const { deletion, tag } = await preview();
      expect(deletion.obstacles).toEqual([expect.stringContaining(`${alice.username}/tools`)]);
      expect(await codeOf(await act(tag))).toEqual([409, "frozen"]);
      await setFrozen(testContext(), operator, reference, "amd64", false);
    }
    expect((await act((await preview()).tag)).status).toBe(204);
  });

  it("says that settings keep the name of who changed them, and so they do", async () => {
    const carol = await newPerson("carol", { role: "admin" });
    const { headers } = await newSession(carol.username);
    const change = { method: "PUT", headers: { ...headers, "If-Match": "*" }, body: { value: "Lab" } };
    expect((await ask("/api/v1/settings/REGISTRY_NAME", change)).status).toBe(200);
    const { deletion, tag } = await preview(headers);
    expect(deletion.keeps.join(" ")).toContain("settings that you changed");
    expect((await act(tag, { headers })).status).toBe(204);
    expect(await rows("SELECT updated_by FROM settings WHERE name = 'REGISTRY_NAME'")).toEqual([
      { updated_by: carol.username },
    ]);
  });

  it("leaves robots to the administrators", async () => {
    await env.DB.prepare(
      "INSERT INTO users (id, username, created_at, is_robot, owner_user_id) SELECT 'bot', 'bot-1', 0, 1, id FROM users WHERE username = ?",
    )
      .bind(alice.username)
      .run();
    const { deletion, tag } = await preview();
    expect(deletion.handsOver).toEqual([{ what: "the robot bot-1", to: "the administrators" }]);
    expect((await act(tag)).status).toBe(204);
    expect(await rows("SELECT owner_user_id FROM users WHERE id = 'bot'")).toEqual([{ owner_user_id: null }]);
  });

  it("takes five hundred collections at once, by as many calls as one", async () => {
    await addCollections(500);
    const { deletion, tag } = await preview();
    expect(deletion.deletes.collections).toHaveLength(500);
    const { env: of, counts } = counted();
    expect((await act(tag, { env: of })).status).toBe(204);
    expect(counts.d1).toBe(3);
    expect(await rows("SELECT 1 FROM collections WHERE id LIKE 'many-%'")).toEqual([]);
  });

  it("waits where there are more collections than fit into one transaction", async () => {
    await addCollections(limits.deletedCollections + 1);
    const { deletion, tag } = await preview();
    expect(deletion.obstacles).toEqual([expect.stringContaining(`more than ${limits.deletedCollections}`)]);
    expect(await codeOf(await act(tag))).toEqual([409, "conflict"]);
    await env.DB.prepare("DELETE FROM collections WHERE id = 'many-1'").run();
    expect((await act((await preview()).tag)).status).toBe(204);
  });
});

async function addCollections(count: number): Promise<void> {
  await env.DB.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO collections (id, entity_id, name, visibility, created_at, updated_at)
     SELECT 'many-' || i, entities.id, substr('a-long-name-' || hex(zeroblob(40)), 1, 70) || i, 'public', 0, 0
     FROM n, entities WHERE entities.name = ?`,
  )
    .bind(count, alice.username)
    .run();
}

describe("nothing is deleted", () => {
  it("that was not in what was shown", async () => {
    const { tag } = await preview();
    await pushTo(`${alice.username}/later/app`);
    for (const stale of [tag, '"nonsense"', '"1"']) {
      expect(await codeOf(await act(stale))).toEqual([412, "precondition-failed"]);
    }
    for (const unsaid of ["", "*"]) expect(await codeOf(await act(unsaid))).toEqual([428, "precondition-required"]);
    expect(await isThere()).toBe(true);
  });

  it.each([
    ["an image comes", () => pushTo(`${alice.username}/tools/more`)],
    ["a collection comes", () => pushTo(`${alice.username}/more/app`)],
    ["somebody becomes an owner", async () => makeOwner("tools", (await newPerson("bob")).username)],
    [
      "something is frozen",
      () => setFrozen(testContext(), operator, parseImageReference(`${alice.username}/tools/app:v1`), "amd64", true),
    ],
  ])("when in the last moment %s", async (_, happens) => {
    await pushTo(`${alice.username}/tools/app`);
    const { tag } = await preview();
    const of = interrupted(environment(), ({ name }) => name === "batch", happens);
    expect(await codeOf(await act(tag, { env: of }))).toEqual([412, "precondition-failed"]);
    expect(await isThere()).toBe(true);
    expect((await ask("/api/v1/me", { token: alice.token })).status).toBe(200);
    await expectConsistent();
  });

  it("when somebody disables the account, or ends the session, in that very moment", async () => {
    const acts = [
      ["UPDATE users SET disabled_at = 1 WHERE username = ?", [409, "conflict"]],
      ["DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE username = ?)", [412, "precondition-failed"]],
    ] as const;
    for (const [change, expected] of acts) {
      const { username } = await newPerson("ended");
      const { headers } = await newSession(username);
      const { tag } = await preview(headers);
      const happens = () => env.DB.prepare(change).bind(username).run();
      const of = interrupted(environment(), ({ name }) => name === "batch", happens);
      expect(await codeOf(await act(tag, { headers, env: of }))).toEqual(expected);
      expect(await isThere(username)).toBe(true);
    }
  });

  it("twice, by two requests at once", async () => {
    await pushTo(`${alice.username}/tools/app`);
    const { tag } = await preview();
    const two = await Promise.all([act(tag), act(tag)]);
    expect(two.map(({ status }) => status).sort()).toEqual([204, expect.toSatisfy((s) => s === 401 || s === 412)]);
    const log = await rows("SELECT 1 FROM audit WHERE action = 'account.delete' AND target = ?", alice.username);
    expect(log).toHaveLength(1);
  });

  it("by anything but a session, used by our own pages", async () => {
    const { tag } = await preview();
    const { cookie } = session;
    const headers = { "If-Match": tag };
    const refusals: [Ask, [number, string]][] = [
      [{ headers }, [401, "unauthenticated"]],
      [{ headers, token: "garbage" }, [401, "invalid-credential"]],
      [{ headers, token: alice.token }, [403, "session-required"]],
      [{ headers: { ...headers, Cookie: cookie } }, [403, "cross-site"]],
      [{ headers: { ...headers, Cookie: cookie, "Sec-Fetch-Site": "cross-site" } }, [403, "cross-site"]],
    ];
    for (const [options, expected] of refusals) {
      expect(await codeOf(await ask("/api/v1/me", { method: "DELETE", ...options }))).toEqual(expected);
    }
    const bob = await newSession((await newPerson("bob")).username);
    expect((await act(tag, { headers: bob.headers })).status).toBe(412);
    for (const options of [{}, { token: alice.token }]) {
      expect([401, 403]).toContain((await ask("/api/v1/me/deletion", options)).status);
    }
    expect(await isThere()).toBe(true);
  });

  it.each(["before", "after"] as const)("by halves, whichever call fails, %s it was made", async (loss) => {
    for (let n = 1; ; n++) {
      const person = await newPerson("faulty");
      const { headers } = await newSession(person.username);
      await pushTo(`${person.username}/tools/app`, person.token);
      const { tag } = await preview(headers);
      const { of, calls } = failing(n, loss);
      const answer = await ask("/api/v1/me", { method: "DELETE", headers: { ...headers, "If-Match": tag }, env: of });
      const left = {
        user: await isThere(person.username),
        token: (await ask("/api/v1/me", { token: person.token })).status === 200,
        session: (await ask("/api/v1/me", { headers })).status === 200,
        image: typeof (await pull(`${person.username}/tools/app:v1`, alice.token)) !== "number",
        buried: (await rows("SELECT 1 FROM tombstones WHERE name = ?", person.username)).length === 0,
      };
      expect(new Set(Object.values(left)).size, `call ${n}: ${JSON.stringify(left)}`).toBe(1);
      if (answer.status === 204) expect(left.user).toBe(false);
      else expect(answer.status).toBe(503);
      await expectConsistent();
      if (calls.length < n) return;
    }
  });
});

/** An environment in which the n-th call to the database fails. */
function failing(n: number, loss: "before" | "after"): { of: Env; calls: Call[] } {
  const calls: Call[] = [];
  const fail = async (call: Call, when: "before" | "after") => {
    if (call.kind !== "d1" || call.isSearch === true) return;
    if (when === "before") calls.push(call);
    if (when === loss && calls.length === n) throw new Error("injected: Network connection lost");
  };
  const watcher = { before: (call: Call) => fail(call, "before"), after: (call: Call) => fail(call, "after") };
  return { of: watched(environment(), watcher), calls };
}

it("the preview is the same for the same state, and another one for another", async () => {
  const first = await preview();
  expect((await preview()).tag).toBe(first.tag);
  await askJson("/api/v1/me", { headers: (await newSession(alice.username)).headers });
  expect((await preview()).tag).not.toBe(first.tag);
});
