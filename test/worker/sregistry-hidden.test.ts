import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setMember, setReadOnly } from "../../worker/registry/catalog/manage.ts";
import { parseContainerPath } from "../../worker/registry/names.ts";
import { listKeys, revokeKey } from "../../worker/registry/people/sregistry-keys.ts";
import { setDisabled } from "../../worker/registry/people/users.ts";
import { makeSif } from "../support/make-sif.ts";
import { namesOf, type Signer, signed } from "../support/sregistry-client.ts";
import { type Call, interrupted } from "../support/worker/calls.ts";
import { ask, environment, newTokenFor, pull, push, testContext, uniqueName } from "../support/worker/registry.ts";
import {
  askToPush,
  cidOf,
  newSigner,
  type SregistryUser,
  sendForm,
  sregistryDelete,
  sregistryPull,
} from "../support/worker/sregistry.ts";

/*
 * What answers must not tell apart, and what must not have changed by the time a form is published.
 */

let alice: SregistryUser;
let bob: SregistryUser;

beforeAll(async () => {
  [alice, bob] = [await newSigner("alice"), await newSigner("bob")];
});

describe("a wrong signature", () => {
  it.each([
    ["a collection that cannot be one", "x!"],
    ["a forged answer", "eyJ..x.y.z"],
    ["a name", "none"],
  ])("on a form with %s does not tell whether its user has a key", async (_, cid) => {
    const told = async (username: string) => {
      const answer = await sendForm({ username, key: "wrong" }, "c/tool:1", makeSif({ salt: "x" }), { cid });
      return [answer.status, await answer.text()];
    };
    expect(await told(alice.username)).toEqual(await told("nobody-at-all"));
  });

  it("on what is no form does not either", async () => {
    const told = async (username: string) => {
      const headers = { Authorization: signed("upload", { username, key: "wrong" }, namesOf("c/tool:1")) };
      const answer = await ask("/upload", { method: "POST", body: "x", headers });
      return [answer.status, await answer.text()];
    };
    expect(await told(alice.username)).toEqual(await told("nobody-at-all"));
  });

  it("does not count as the last use of its user's key", async () => {
    const carol = await newSigner("carol");
    const lastUse = async () => {
      const { items } = await listKeys(testContext(), operator, null);
      return items.find(({ username }) => username === carol.username)?.lastUsedAt;
    };
    const use = async (by: Signer) => {
      const headers = { Authorization: signed("pull", by, namesOf("a/b:1")) };
      expect((await ask("/api/container/a/b:1", { headers })).status).toBe(by === carol ? 404 : 401);
    };
    await use({ ...carol, key: "wrong" });
    expect(await lastUse()).toBeNull();
    await use(carol);
    expect(await lastUse()).not.toBeNull();
  });
});

describe("a push to a collection that is hidden is answered as to one that is absent", () => {
  const told = async (answer: Response, name: string) => [answer.status, (await answer.text()).replaceAll(name, "IT")];

  it("in an entity that shows others", async () => {
    await push(alice.token, `${alice.username}/${uniqueName("shown")}/tool:1`, makeSif({ salt: "shown" }));
    const hidden = `${alice.username}/${uniqueName("hidden")}`;
    await push(alice.token, `${hidden}/tool:1`, makeSif({ salt: hidden }), { private: true });
    const absent = `${alice.username}/${uniqueName("absent")}`;
    const answers = [hidden, absent].map(async (path) => await told(await askToPush(bob, `${path}/tool:1`), path));
    const [one, other] = await Promise.all(answers);
    expect(one).toEqual(other);
  });

  it("by its short name, wherever none can be made", async () => {
    const [hidden, absent] = [uniqueName("hidden"), uniqueName("absent")];
    await push(alice.token, `${alice.username}/${hidden}/tool:1`, makeSif({ salt: hidden }), { private: true });
    const mayPull = `Bearer ${await newTokenFor(bob.username, { scopes: ["pull"] })}`;
    const bytes = makeSif({ salt: "sent" });
    const asking = (settings: Record<string, string>) => async (name: string) =>
      await askToPush(bob, `${name}/tool:1`, { env: environment(settings) });
    const acts: ((name: string) => Promise<Response>)[] = [
      asking({ USER_COLLECTIONS: "false" }),
      asking({ DISABLE_BUILDING: "1" }),
      asking({ USER_COLLECTION_LIMIT: "0" }),
      async (name) => await askToPush(bob, `${name}/tool:1`, { authorization: mayPull }),
      async (name) => await sendForm(bob, `${name}/tool:1`, bytes, { cid: name }),
      async (name) => await sendForm(bob, `${name}/tool:1`, bytes, { cid: name, authorization: mayPull }),
    ];
    for (const act of acts)
      expect(await told(await act(hidden), hidden)).toEqual(await told(await act(absent), absent));
  });
});

it("a signature for a short name is none for an entity's collection of that name", async () => {
  const collection = uniqueName("both");
  const paths = [bob, alice].map(({ username }) => `${username}/${collection}`);
  for (const [n, by] of [bob, alice].entries()) {
    await push(by.token, `${paths[n]}/tool:1`, makeSif({ salt: `${paths[n]}` }));
  }
  await setMember(testContext(), operator, { entity: bob.username, name: collection }, alice.username, "owner");
  const headers = { Authorization: signed("delete", alice, namesOf(`${collection}/tool:1`)) };
  const url = `/${alice.username}/api/container/${collection}/tool:1`;
  expect((await ask(url, { method: "DELETE", headers })).status).toBe(401);
  expect(typeof (await pull(`${alice.username}/${collection}/tool:1`))).toBe("object");
  expect((await sregistryDelete(`${collection}/tool:1`, alice)).status).toBe(204);
});

describe("a form is not published when, just before,", () => {
  const isPublishing = ({ name, sql }: Call) => name === "batch" && sql.some((text) => /into "containers"/i.test(text));
  const cases: [string, (by: SregistryUser, collection: string) => Promise<unknown>][] = [
    ["its user was disabled", async (by) => await setDisabled(testContext(), operator, by.username, true)],
    [
      "its key was revoked",
      async (by) => await revokeKey(testContext(), operator, { username: by.username, kind: "any" }),
    ],
    [
      "its container became read-only",
      async (by, collection) => {
        const path = parseContainerPath(`${by.username}/${collection}/tool`);
        if (path !== null) await setReadOnly(testContext(), operator, path, true);
      },
    ],
    [
      "its collection was deleted",
      async (_, collection) =>
        await env.DB.prepare("DELETE FROM collections WHERE short_name = ?").bind(collection).run(),
    ],
  ];

  it.each(cases)("%s", async (_, happens) => {
    const by = await newSigner("late");
    const collection = uniqueName("late");
    const old = makeSif({ salt: `${collection} old` });
    await push(by.token, `${by.username}/${collection}/tool:1`, old);
    const cid = await cidOf(await askToPush(by, `${collection}/tool:1`));
    const of = interrupted(environment(), isPublishing, async () => await happens(by, collection));
    const answer = await sendForm(by, `${collection}/tool:1`, makeSif({ salt: collection }), { cid, env: of });
    expect(answer.status).toBe(409);
    expect([old, 403]).toContainEqual(await sregistryPull(`${collection}/tool:1`));
    expect(await env.DB.prepare("SELECT count(*) AS n FROM uploads WHERE state = 'open'").first("n")).toBe(0);
  });
});
