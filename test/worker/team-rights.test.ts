import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { makeSif } from "../support/make-sif.ts";
import { ask, askJson, indexed, newTokenFor, type Person, pull, push, uniqueName } from "../support/worker/registry.ts";
import { newSession, type TestSession } from "../support/worker/session.ts";
import { askToPush, newSigner, type SregistryUser, sregistryPull, sregistryPush } from "../support/worker/sregistry.ts";
import { bring, newTeam } from "../support/worker/teams.ts";
import { begin } from "../support/worker/uploads.ts";

/*
 * What being in a team brings, whichever way somebody comes in with it, and that it ends at once.
 */

let alice: SregistryUser;
let bob: SregistryUser;
let session: TestSession;
let team: string;
let image: string;
let bytes: Uint8Array<ArrayBuffer>;

beforeEach(async () => {
  [alice, bob] = [await newSigner("alice"), await newSigner("bob")];
  session = await newSession(bob.username);
  team = (await newTeam(alice)).name;
  image = `${team}/${uniqueName("tools")}/app`;
  bytes = makeSif({ salt: image });
  await push(alice.token, `${image}:v1`, bytes, { private: true });
});

const label = () => image.split("/").slice(0, 2).join("/");

/** Whether somebody gets the team's private image, by every protocol and credential. */
async function reaches(): Promise<Record<string, boolean>> {
  const search = async (options: object) =>
    (await (await ask(`/api/v1/search?q=${team}`, options)).text()).includes(label());
  return {
    library: (await pull(`${image}:v1`, bob.token)) instanceof Uint8Array,
    shub: (await sregistryPull(`${image}:v1`, bob)) instanceof Uint8Array,
    tags: (await ask(`/v1/containers/${image}`, { token: bob.token })).status === 200,
    search: await search({ headers: session.headers }),
    searchByToken: await search({ token: bob.token }),
  };
}

const everywhere = (is: boolean) => ({ library: is, shub: is, tags: is, search: is, searchByToken: is });

/** The status of a push by each of the two clients. */
async function pushes(by: SregistryUser | (Person & { key: string })): Promise<[boolean, number]> {
  const salt = `${image} ${uniqueName("push")}`;
  const byLibrary = await push(by.token, `${image}:${uniqueName("v")}`, makeSif({ salt })).then(
    () => true,
    () => false,
  );
  const bySregistry = await sregistryPush(by, `${label()}/app:${uniqueName("v")}`, makeSif({ salt: `${salt} s` })).then(
    ({ status }) => status,
    () => 0,
  );
  return [byLibrary, bySregistry];
}

describe("a member of a team", () => {
  it("sees, pulls and pushes what is the team's from the next request on, and not from the one after they were taken out", async () => {
    await indexed();
    expect(await reaches()).toEqual(everywhere(false));
    await bring(alice, team, [bob]);
    expect(await reaches()).toEqual(everywhere(true));
    expect(await pushes(bob)).toEqual([true, 200]);
    const url = `/api/v1/teams/${team}/members/${bob.username}`;
    expect((await ask(url, { method: "DELETE", token: alice.token })).status).toBe(204);
    expect(await reaches()).toEqual(everywhere(false));
    expect(await pushes(bob)).toEqual([false, 0]);
  });

  it("deletes nothing there and decides nothing; an owner of the team does, and no more once they are a member", async () => {
    await bring(alice, team, [bob]);
    const remove = async (tag: string) =>
      (await ask(`/v1/images/${image}:${tag}?arch=amd64`, { method: "DELETE", token: bob.token })).status;
    expect(await remove("v1")).toBe(403);
    const url = `/api/v1/teams/${team}/members/${bob.username}`;
    const become = async (role: string) => await ask(url, { method: "PUT", token: alice.token, body: { role } });
    await become("owner");
    await push(bob.token, `${image}:v2`, makeSif({ salt: `${image} 2` }));
    expect(await remove("v2")).toBe(200);
    await become("member");
    expect(await remove("v1")).toBe(403);
  });

  it("who may pull alone by their token pulls alone", async () => {
    await bring(alice, team, [bob]);
    const token = await newTokenFor(bob.username, { scopes: ["pull"] });
    expect(await pull(`${image}:v1`, token)).toEqual(bytes);
    await expect(push(token, `${image}:v3`, makeSif({ salt: `${image} 3` }))).rejects.toThrow(/403/);
  });

  it("loses what the team was given in a collection of others with their place in it", async () => {
    await bring(alice, team, [bob]);
    const carol = await newSigner("carol");
    const elsewhere = `${carol.username}/${uniqueName("shared")}/app`;
    await push(carol.token, `${elsewhere}:v1`, makeSif({ salt: elsewhere }), { private: true });
    await env.DB.prepare(
      `INSERT INTO collection_members (collection_id, user_id, role, created_at)
       SELECT collections.id, users.id, 'reader', 0 FROM collections INNER JOIN entities ON entities.id = entity_id, users
       WHERE entities.name = ? AND users.username = ?`,
    )
      .bind(carol.username, team)
      .run();
    expect(await pull(`${elsewhere}:v1`, bob.token)).toBeInstanceOf(Uint8Array);
    const url = `/api/v1/teams/${team}/members/${bob.username}`;
    expect((await ask(url, { method: "DELETE", headers: session.headers })).status).toBe(204);
    expect(await pull(`${elsewhere}:v1`, bob.token)).toBe(404);
  });

  it("reads why their first push to a new collection is refused, by whichever client; nobody else learns of the team", async () => {
    await bring(alice, team, [bob]);
    const carol = await newSigner("carol");
    const why = `Only owners of the team ${team} make collections in ${team}. Ask one of them to make it, then push again.`;
    const usual = "You are not allowed to do this.";
    // The entity is seen by everybody once something in it is.
    await push(alice.token, `${team}/open/app:v1`, makeSif({ salt: `${team} open` }));
    for (const [by, told] of [
      [bob, why],
      [carol, usual],
    ] as const) {
      const { data } = await askJson<{ data: { id: string } }>(`/v1/entities/${team}`, by);
      const body = { name: "fresh", entity: data.id, description: "", private: false };
      const library = await ask("/v1/collections", { method: "POST", token: by.token, body });
      expect([library.status, await library.json()]).toEqual([403, { error: { code: 403, message: told } }]);
      const cli = await askToPush(by, `${team}/fresh/app:v1`);
      expect([cli.status, await cli.json()]).toEqual([403, { detail: told, message: told }]);
      const browser = await begin({ token: by.token }, `${team}/fresh/app`, makeSif());
      expect([browser.status, await browser.json()]).toEqual([403, expect.objectContaining({ detail: told })]);
    }
  });
});
