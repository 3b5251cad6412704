import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { operations } from "../../worker/protocols/web/api.ts";
import { setMember } from "../../worker/registry/catalog/manage.ts";
import { interrupted } from "../support/worker/calls.ts";
import { addPublisher, addShare, addUpload, filled, type Place, swapImage } from "../support/worker/filled.ts";
import { outcome, outcomeOf } from "../support/worker/lab.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  newPerson,
  type Person,
  testContext,
} from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";
import { askAsShown, tagOfPreview } from "../support/worker/shown.ts";
import { newTeam, teamOf } from "../support/worker/teams.ts";

/*
 * What destroys is shown first, and what came after it was shown goes not. That it counts right: preview-counts.test.ts.
 */

let bob: Person;
let admin: Person;

beforeAll(async () => {
  [bob, admin] = [await newPerson("bob"), await newPerson("admin", { role: "admin" })];
});

/** An act with a preview, and somebody who may, in a place that has everything. */
interface Scene {
  owner: Person;
  place: Place;
  url: string;
  how: Ask;
}

type Arrange = () => Promise<Scene>;

async function sceneOf(
  at: (place: Place) => string,
  how: (scene: { owner: Person; place: Place }) => Ask | Promise<Ask>,
) {
  const owner = await newPerson("alice");
  const place = await filled(owner);
  return { owner, place, url: `/api/v1/${at(place)}`, how: { token: owner.token, ...(await how({ owner, place })) } };
}

const deleting = () => ({ method: "DELETE" });

const onContents: Record<string, Arrange> = {
  "deleting a collection": () => sceneOf(({ path }) => `collections/${path}`, deleting),
  "deleting a container": () => sceneOf(({ path }) => `containers/${path}/app`, deleting),
  "deleting one's account": () =>
    sceneOf(
      () => "me",
      async ({ owner }) => ({ method: "DELETE", token: null, headers: (await newSession(owner.username)).headers }),
    ),
  "deleting a team": async () => {
    const owner = await newPerson("alice");
    const { name } = await newTeam(owner);
    const place = await filled(owner, name);
    return { owner, place, url: `/api/v1/teams/${name}`, how: { method: "DELETE", token: owner.token } };
  },
};

const onPeople: Record<string, Arrange> = {
  "deleting a user": async () => {
    const [owner, place] = [await newPerson("carol"), await filled(bob)];
    await setMember(testContext(), operator, { entity: place.entity, name: place.collection }, owner.username, "owner");
    return { owner, place, url: `/api/v1/users/${owner.username}`, how: { method: "DELETE", token: admin.token } };
  },
};

const onOneImage: Record<string, Arrange> = {
  "deleting an image": () => sceneOf(({ path, digest }) => `containers/${path}/app/images/${digest}`, deleting),
  "deleting a tag": () => sceneOf(({ path }) => `containers/${path}/app/tags/v2`, deleting),
};

const onOwners: Record<string, Arrange> = {
  "handing a collection over": () =>
    sceneOf(
      ({ path }) => `collections/${path}/hand-over`,
      async ({ owner }) => {
        await teamOf("both", { owners: [owner.username], members: [bob.username] });
        return { method: "POST", body: { entity: bob.username } };
      },
    ),
  "giving an entity to somebody": () =>
    sceneOf(
      ({ entity }) => `entities/${entity}/owner`,
      () => ({ method: "PUT", token: admin.token, body: { user: bob.username } }),
    ),
};

/** What may come in between, and goes along. */
const additions: Record<string, (scene: Scene) => Promise<unknown>> = {
  "a share link": ({ owner, place }) => addShare(owner, place),
  "a publisher": ({ owner, place }) => addPublisher(owner, place),
  "an upload": ({ owner, place }) => addUpload(owner, place),
  "another share link, in place of one": (scene) => inPlaceOf("shares", () => addShare(scene.owner, scene.place)),
  "another publisher, in place of one": (scene) =>
    inPlaceOf("publishers", () => addPublisher(scene.owner, scene.place)),
  "another upload, in place of one": (scene) => inPlaceOf("uploads", () => addUpload(scene.owner, scene.place)),
  "a tag": ({ owner, place: { path, digest } }) =>
    ask(`/api/v1/containers/${path}/app/tags/late`, { method: "PUT", token: owner.token, body: { digest } }),
  "another image of the same size, in place of one": ({ owner, place }) => swapImage(owner, place),
  "somebody's role": ({ place: { entity, collection } }) =>
    setMember(testContext(), operator, { entity, name: collection }, bob.username, "reader"),
};

/** There are as many then as before, and the new one has the place in the table that the old one had. */
async function inPlaceOf(table: "shares" | "publishers" | "uploads", add: () => Promise<unknown>): Promise<void> {
  await env.DB.prepare(`DELETE FROM ${table} WHERE rowid = (SELECT max(rowid) FROM ${table})`).run();
  await add();
}

const rights = Object.keys(additions).filter((name) => /share link|publisher/.test(name));
const contents = Object.keys(additions).filter((name) => name !== "somebody's role");
const cases: [string, Arrange, string[]][] = [
  ...Object.entries(onContents).map(([act, arrange]): [string, Arrange, string[]] => [act, arrange, comingTo(act)]),
  ...Object.entries(onOneImage).map(([act, arrange]): [string, Arrange, string[]] => [
    act,
    arrange,
    ["a share link", "a tag"],
  ]),
  ...Object.entries(onOwners).map(([act, arrange]): [string, Arrange, string[]] => [act, arrange, rights]),
  ...Object.entries(onPeople).map(([act, arrange]): [string, Arrange, string[]] => [
    act,
    arrange,
    [...rights, "an upload", "another upload, in place of one"],
  ]),
];

function comingTo(act: string): string[] {
  if (act === "deleting a container") return contents.filter((name) => !name.includes("publisher"));
  return act === "deleting a collection" ? Object.keys(additions) : contents;
}

async function isThere({ place: { path } }: Scene): Promise<boolean> {
  return (await ask(`/api/v1/collections/${path}`, { token: admin.token })).status === 200;
}

const seen = ({ how }: Scene, etag: string): Ask => ({ ...how, headers: { ...how.headers, "If-Match": etag } });

describe("an act that was shown before", () => {
  it.each(cases)(
    "%s: does nothing when something else came, before it or in that very moment",
    async (_, arrange, names) => {
      const scene = await arrange();
      for (const name of names) {
        const happens = async () => await additions[name]?.(scene);
        const before = await tagOfPreview(scene.url, scene.how);
        expect(before).toMatch(/^"[0-9a-f]{32}"$/);
        await happens();
        expect(await outcome(scene.url, seen(scene, before)), `${name}, before`).toBe("412 precondition-failed");
        // What can be there once is there now.
        if (["a tag", "somebody's role"].includes(name)) continue;
        const etag = await tagOfPreview(scene.url, scene.how);
        const between = { ...seen(scene, etag), env: interrupted(environment(), isActing, happens) };
        expect(await outcome(scene.url, between), `${name}, in that moment`).toBe("412 precondition-failed");
      }
      expect(await isThere(scene)).toBe(true);
      expect(await outcomeOf(await askAsShown(scene.url, scene.how))).toMatch(/^20[14]$/);
    },
  );

  it.each(cases)("%s: has the same tag in the same state, which helps nobody who may not", async (_, arrange) => {
    const scene = await arrange();
    const etag = await tagOfPreview(scene.url, scene.how);
    expect(await tagOfPreview(scene.url, scene.how)).toBe(etag);
    const by = { ...scene.how, token: bob.token, headers: { "If-Match": etag } };
    expect(await outcome(scene.url, by)).toMatch(/^40[34] /);
    expect(await isThere(scene)).toBe(true);
  });
});

it("the tag of what was shown of one thing is no good for another that looks the same", async () => {
  const { token, username } = await newPerson("alice");
  const team = await teamOf("own", { owners: [username] });
  const made = async (url: string, body: Record<string, unknown>) =>
    await askJson<{ collection: string }>(url, { method: "POST", token, body });
  const tags: string[] = [];
  const [one, two] = ["one", "two"].map((name) => `${username}/${name}`);
  for (const path of [one, two]) {
    const [entity, name] = path?.split("/") ?? [];
    await made("/api/v1/collections", { entity, name });
    const collection = `/api/v1/collections/${path}`;
    tags.push(await tagOfPreview(collection, { method: "DELETE", token }));
    tags.push(await tagOfPreview(`${collection}/hand-over`, { method: "POST", token, body: { entity: team } }));
    await made(`/api/v1/containers/${path}`, { name: "app" });
    tags.push(await tagOfPreview(`/api/v1/containers/${path}/app`, { method: "DELETE", token }));
  }
  expect(tags.every((tag) => /^"[0-9a-f]{32}"$/.test(tag))).toBe(true);
  expect(new Set(tags).size).toBe(6);
});

function isActing({ name, sql }: { name: string; sql: string[] }): boolean {
  return name === "batch" && sql.some((text) => /insert into "?audit/i.test(text));
}

it.each(operations.map(({ description }) => description).filter(({ preview }) => preview !== undefined))(
  "$id: is not done by `*`, nor without having looked",
  async ({ method, path, actor }) => {
    const url = path.replaceAll(/\{\w+\}/g, "anything");
    const body = method === "delete" ? null : path.endsWith("/owner") ? { user: "carol" } : { entity: "carol" };
    const { headers } = await newSession(bob.username);
    const by: Ask = actor === "session" ? { headers } : { token: admin.token };
    for (const ifMatch of [
      {},
      { "If-Match": "" },
      { "If-Match": "*" },
      { "If-Match": ' "*" ' },
      { "If-Match": 'W/"*"' },
    ]) {
      const asked = { ...by, method: method.toUpperCase(), body, headers: { ...by.headers, ...ifMatch } };
      expect(await outcome(url, asked), JSON.stringify(ifMatch)).toBe("428 precondition-required");
    }
  },
);
