import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setMember } from "../../worker/registry/catalog/manage.ts";
import { addPublisher, addShare, addUpload, filled, type Place } from "../support/worker/filled.ts";
import { outcome } from "../support/worker/lab.ts";
import {
  type Ask,
  ask,
  newPerson,
  newTokenFor,
  type Person,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";
import { askAsShown, askPreview } from "../support/worker/shown.ts";
import { bring, invite, newRobotOf, newTeam, teamOf } from "../support/worker/teams.ts";

/*
 * What a preview counts is what the act then takes away.
 */

let bob: Person;
let admin: Person;

beforeAll(async () => {
  [bob, admin] = [await newPerson("bob"), await newPerson("admin", { role: "admin" })];
});

/** How many rows there are of what a preview counts. */
async function rows(): Promise<Record<string, number>> {
  const now = Date.now();
  const counted: Record<string, string> = {
    images: "images WHERE state = 'published'",
    tags: "tags",
    shares: `shares WHERE expires_at > ${now} AND (max_downloads IS NULL OR downloads < max_downloads)`,
    publishers: "publishers",
    uploads: `uploads WHERE state = 'open' AND expires_at > ${now} AND image_id IS NOT NULL AND user_id IS NOT NULL`,
    tokens: "tokens",
    sessions: "sessions",
    members: "team_members",
    invitations: "invitations",
    offers: "hand_overs",
    stars: "stars",
    people: "collection_members",
    entities: "entities",
    collections: "collections",
    containers: "containers",
    accounts: "users",
  };
  const names = Object.keys(counted);
  const found = await env.DB.batch<{ n: number }>(
    names.map((name) => env.DB.prepare(`SELECT count(*) AS n FROM ${counted[name]}`)),
  );
  return Object.fromEntries(names.map((name, at) => [name, found[at]?.results[0]?.n ?? 0]));
}

/** Carries out an act as it is shown. @returns what was shown, and how many rows went */
async function carriedOut(
  url: string,
  how: Ask,
): Promise<{ shown: Record<string, unknown>; gone: Record<string, number> }> {
  const { answer, etag } = await askPreview(url, how);
  const shown = await answer.json<Record<string, unknown>>();
  expect(answer.status, JSON.stringify(shown)).toBe(200);
  const before = await rows();
  const headers = { ...how.headers, "If-Match": etag };
  expect(await outcome(url, { ...how, headers })).toMatch(/^20[14]$/);
  const after = await rows();
  const gone = Object.entries(before).map(([name, count]) => [name, count - (after[name] ?? 0)]);
  return { shown, gone: Object.fromEntries(gone.filter(([, count]) => count !== 0)) };
}

async function offer({ path }: Place, by: Person, to: string): Promise<void> {
  const how = { method: "POST", token: by.token, body: { entity: to } };
  expect((await askAsShown(`/api/v1/collections/${path}/hand-over`, how)).status).toBe(201);
}

describe("what was shown is what goes:", () => {
  const role = (place: Place, username: string, as: "reader" | "contributor" | "owner", kind?: "user" | "team") =>
    setMember(testContext(), operator, { entity: place.entity, name: place.collection }, username, as, kind);

  it("with a collection", async () => {
    const alice = await newPerson("alice");
    const place = await filled(alice);
    await role(place, bob.username, "reader");
    await teamOf("both", { owners: [alice.username], members: [bob.username] });
    await offer(place, alice, bob.username);
    const { shown, gone } = await carriedOut(`/api/v1/collections/${place.path}`, {
      method: "DELETE",
      token: alice.token,
    });
    const counts = { containers: 1, images: 2, tags: 3, shares: 1, publishers: 1, people: 1, uploads: 1, offers: 1 };
    expect(shown).toMatchObject({ ...counts, breaks: [`${place.path}/app`], obstacles: [] });
    expect(gone).toEqual({ collections: 1, ...counts });
  });

  it("with a container, an image, and a tag", async () => {
    const alice = await newPerson("alice");
    const place = await filled(alice);
    const how = { method: "DELETE", token: alice.token };
    const url = `/api/v1/containers/${place.path}/app`;
    const tag = await carriedOut(`${url}/tags/v2`, how);
    expect(tag.shown).toMatchObject({ images: 1, tags: 1, shares: 0, uploads: 0 });
    expect(tag.gone).toEqual({ images: 1, tags: 1 });
    const second = await filled(alice);
    const image = await carriedOut(`/api/v1/containers/${second.path}/app/images/${second.digest}`, how);
    expect(image.shown).toMatchObject({ images: 1, tags: 2, tagNames: ["latest", "v1"], shares: 1, uploads: 0 });
    expect(image.gone).toEqual({ images: 1, tags: 2, shares: 1 });
    const container = await carriedOut(url, how);
    expect(container.shown).toMatchObject({ images: 1, tags: 2, shares: 1, uploads: 1 });
    expect(container.gone).toEqual({ containers: 1, images: 1, tags: 2, shares: 1, uploads: 1 });
  });

  it("with an account: its own, wherever it is, and what is others' in what it owns", async () => {
    const alice = await newPerson("alice");
    const [own, elsewhere] = [await filled(alice), await filled(bob)];
    const team = await teamOf("shared", { owners: [bob.username, alice.username] });
    await role(elsewhere, alice.username, "owner");
    await role(own, bob.username, "owner");
    const doomed = await filled(alice);
    await addShare(bob, elsewhere);
    await addShare(alice, elsewhere);
    await addPublisher(alice, elsewhere);
    await addUpload(alice, elsewhere);
    await invite(alice, team);
    await offer(doomed, alice, bob.username);
    await ask(`/api/v1/collections/${elsewhere.path}/star`, { method: "PUT", token: alice.token });
    await ask(`/api/v1/collections/${doomed.path}/star`, { method: "PUT", token: alice.token });
    const { headers } = await newSession(alice.username);
    const { shown, gone } = await carriedOut("/api/v1/me", { method: "DELETE", headers });
    const { deletes, handsOver } = shown as { deletes: Record<string, unknown>; handsOver: unknown[] };
    // The collection that bob owns too goes to him with the entity, without what she made for it.
    expect(handsOver).toEqual([{ what: `${alice.username}, with ${own.path}`, to: bob.username }]);
    expect(deletes).toMatchObject({
      entities: [],
      collections: [doomed.path],
      images: 2,
      tags: 3,
      memberships: 1,
      teams: 1,
    });
    expect(deletes).toMatchObject({
      shares: 3,
      publishers: 3,
      uploads: 3,
      invitations: 1,
      offers: 1,
      stars: 2,
      tokens: 1,
    });
    // Her role in his collection, and his own in what is all his now.
    expect(gone).toMatchObject({ collections: 1, images: 2, tags: 3, members: 1, people: 2, accounts: 1 });
    expect(gone).toMatchObject({ publishers: 3, uploads: 3, invitations: 1, offers: 1, stars: 2, tokens: 1 });
    expect([gone.shares, gone.sessions]).toEqual([3, deletes.sessions]);
  });

  it("with a user whom an administrator deletes", async () => {
    const carol = await newPerson("carol");
    const place = await filled(bob);
    await role(place, carol.username, "owner");
    await addShare(carol, place);
    await addPublisher(carol, place);
    await addUpload(carol, place);
    await ask(`/api/v1/collections/${place.path}/star`, { method: "PUT", token: carol.token });
    const team = await teamOf("shared", { owners: [bob.username, carol.username] });
    await invite(carol, team);
    const url = `/api/v1/users/${carol.username}`;
    const { shown, gone } = await carriedOut(url, { method: "DELETE", token: admin.token });
    const counts = { images: 0, bytes: 0, shares: 1, publishers: 1, uploads: 1, stars: 1, invitations: 1, tokens: 1 };
    const { deletes } = shown as { deletes: { sessions: number } };
    expect(deletes).toMatchObject({ ...counts, entities: [carol.username], collections: [], memberships: 1, teams: 1 });
    const rest = { entities: 1, accounts: 1, members: 1, people: 1, sessions: deletes.sessions };
    expect(gone).toEqual({ ...rest, shares: 1, publishers: 1, uploads: 1, stars: 1, invitations: 1, tokens: 1 });
  });

  it("with a robot", async () => {
    const robot = await newRobotOf(admin.username);
    const token = await newTokenFor(robot);
    const place = await filled(bob);
    await role(place, robot, "owner");
    await addShare({ username: robot, token }, place);
    await addUpload({ username: robot, token }, place);
    const url = `/api/v1/robots/${robot}`;
    const { shown, gone } = await carriedOut(url, { method: "DELETE", token: admin.token });
    const counts = { shares: 1, uploads: 1, tokens: 1 };
    expect(shown).toMatchObject({
      deletes: { ...counts, memberships: 1, entities: [], collections: [] },
      obstacles: [],
    });
    expect(gone).toEqual({ ...counts, people: 1, accounts: 1 });
  });

  it("with a team, and its robots", async () => {
    const alice = await newPerson("alice");
    const { name } = await newTeam(alice);
    const [own, elsewhere] = [await filled(alice, name), await filled(bob)];
    const robot = await newRobotOf(name);
    const token = await newTokenFor(robot);
    for (const [to, kind] of [
      [name, "team"],
      [robot, "user"],
    ] as const)
      await role(elsewhere, to, "owner", kind);
    await addShare({ username: robot, token }, elsewhere);
    await addUpload({ username: robot, token }, elsewhere);
    await role(own, robot, "contributor");
    await invite(alice, name);
    await teamOf("both", { owners: [alice.username], members: [bob.username] });
    await offer(own, alice, bob.username);
    const empty = uniqueName("empty");
    await env.DB.prepare(
      "INSERT INTO entities (id, name, owner_user_id, created_at) SELECT ?, ?, id, 1 FROM users WHERE username = ?",
    )
      .bind(crypto.randomUUID(), empty, name)
      .run();
    const { shown, gone } = await carriedOut(`/api/v1/teams/${name}`, { method: "DELETE", token: alice.token });
    const counts = {
      images: 2,
      tags: 3,
      shares: 2,
      publishers: 1,
      uploads: 2,
      tokens: 1,
      members: 1,
      invitations: 1,
      offers: 1,
    };
    expect(shown).toMatchObject({
      deletes: { ...counts, entities: [empty, name].sort(), collections: [own.path], robots: [robot], grants: 2 },
      obstacles: [],
    });
    // The robot's role in the team's own collection goes with that.
    expect(gone).toEqual({ ...counts, entities: 2, collections: 1, containers: 1, accounts: 2, people: 3 });
  });

  it("with a team: what its people made where it alone let them", async () => {
    const [alice, carol] = [await newPerson("alice"), await newPerson("carol")];
    const { name } = await newTeam(alice);
    await bring(alice, name, [carol]);
    const [owned, pushed] = [await filled(bob), await filled(bob)];
    await role(owned, name, "owner", "team");
    await role(owned, carol.username, "owner");
    await role(pushed, name, "contributor", "team");
    const [ending, staying] = [await addShare(alice, owned), await addShare(carol, owned)];
    await addPublisher(alice, owned);
    await addPublisher(carol, owned);
    const { shown } = await carriedOut(`/api/v1/teams/${name}`, { method: "DELETE", token: alice.token });
    expect(shown).toMatchObject({ deletes: { shares: 1, publishers: 1, grants: 2 } });
    expect([(await ask(ending.link)).status, (await ask(staying.link)).status]).toEqual([410, 303]);
  });

  it("when a collection or an entity gets another owner: what is its makers' no more", async () => {
    const alice = await newPerson("alice");
    const place = await filled(alice);
    const carol = await newPerson("carol");
    await role(place, carol.username, "owner");
    const carols = await addShare(carol, place);
    await addPublisher(carol, place);
    const hers = await addShare(alice, place);
    const preview = async (url: string, how: Ask) =>
      (await askPreview(url, how)).answer.json<Record<string, unknown>>();
    await teamOf("both", { owners: [alice.username], members: [bob.username] });
    const handing = { method: "POST", token: alice.token, body: { entity: bob.username } };
    const ending = { shares: 2, publishers: 1 };
    expect(await preview(`/api/v1/collections/${place.path}/hand-over`, handing)).toMatchObject(ending);
    const giving = (to: string) => ({ method: "PUT", token: admin.token, body: { user: to } });
    const owner = `/api/v1/entities/${alice.username}/owner`;
    expect(await preview(owner, giving(bob.username))).toMatchObject(ending);
    // An administrator's go on: they may do everywhere what owners may.
    const chief = await newPerson("chief", { role: "admin" });
    await filled(chief);
    const chiefs = `/api/v1/entities/${chief.username}/owner`;
    expect(await preview(chiefs, giving(bob.username))).toMatchObject({ shares: 0, publishers: 0 });
    // To a team whose members push to what it owns, and whose owners own it.
    const team = await teamOf("heirs", { members: [alice.username] });
    const toTeam = { method: "PUT", token: admin.token, body: { team } };
    expect(await preview(owner, toTeam)).toMatchObject({ shares: 2, publishers: 0 });
    // Also to one that owned it before, by a role: that is lost to it, and its members only push now.
    const dave = await newPerson("dave");
    const owning = await teamOf("owning", { members: [dave.username] });
    await role(place, owning, "owner", "team");
    await addShare(dave, place);
    expect(await preview(owner, { ...toTeam, body: { team: owning } })).toMatchObject({ shares: 3, publishers: 1 });
    expect((await askAsShown(owner, giving(bob.username))).status).toBe(204);
    expect([(await ask(hers.link)).status, (await ask(carols.link)).status]).toEqual([410, 303]);
  });
});
