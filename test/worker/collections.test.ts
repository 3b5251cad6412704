import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { giveShortName, setFrozen, setMember, setVisibility } from "../../worker/registry/catalog/manage.ts";
import { parseImageReference } from "../../worker/registry/names.ts";
import { setDisabled } from "../../worker/registry/people/users.ts";
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
  pull,
  push,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";
import { askPreview } from "../support/worker/shown.ts";
import { bring, leaveTeam, teamOf } from "../support/worker/teams.ts";

let alice: Person;
let bob: Person;
let admin: Person;

beforeAll(async () => {
  [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
  admin = await newPerson("admin", { role: "admin" });
});

interface Item {
  entity: string;
  collection: string;
  stars: number;
  isStarred: boolean;
}

interface Listed {
  items: Item[];
  next: string | null;
}

/** The status and the problem's code. */
async function refused(path: string, options: Ask): Promise<[number, string]> {
  const answer = await ask(path, options);
  return [answer.status, ((await answer.json()) as { code: string }).code];
}

async function made(by: Person, body: Record<string, unknown> = {}): Promise<string> {
  const name = uniqueName("made");
  await askJson("/api/v1/collections", {
    method: "POST",
    token: by.token,
    body: { entity: by.username, name, visibility: "private", ...body },
  });
  return `/api/v1/collections/${by.username}/${name}`;
}

const ifMatch = (etag: string | null) => ({ "If-Match": etag ?? "" });

async function etagOf(url: string, token: string): Promise<string> {
  return (await ask(url, { token })).headers.get("ETag") ?? "";
}

describe("a collection", () => {
  it("is made in an entity of one's own, and says what one is in it and why", async () => {
    const body = { entity: alice.username, name: "Tools", description: "# Tools", visibility: "internal" };
    const answer = await ask("/api/v1/collections", { method: "POST", token: alice.token, body });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("ETag")).toMatch(/^"\d+"$/);
    expect(await answer.json()).toEqual({
      entity: alice.username,
      collection: "tools",
      shortName: "tools",
      description: "# Tools",
      visibility: "internal",
      owner: { name: alice.username, kind: "user" },
      role: "owner",
      reason: "owner of the entity",
      may: ["push", "delete-image", "manage", "see-people", "star", "hand-over"],
      isStarred: false,
      stars: 0,
      pulls: 0,
      images: 0,
      sizeBytes: 0,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
      offered: null,
    });
    const again = await refused("/api/v1/collections", { method: "POST", token: alice.token, body });
    expect(again).toEqual([409, "name-taken"]);
  });

  it("is made by those alone who own its entity, in a team's by its owners", async () => {
    const team = await teamOf("makers", { owners: [alice.username], members: [bob.username] });
    const body = { entity: team, name: "shared", visibility: "private" };
    expect(await refused("/api/v1/collections", { method: "POST", token: bob.token, body })).toEqual([
      403,
      "forbidden",
    ]);
    expect((await ask("/api/v1/collections", { method: "POST", token: alice.token, body })).status).toBe(201);
    const url = `/api/v1/collections/${team}/shared`;
    expect(await askJson(url, { token: alice.token })).toMatchObject({
      owner: { name: team, kind: "team" },
      role: "owner",
      reason: `owner through team ${team}`,
    });
    expect(await askJson(url, { token: bob.token })).toMatchObject({
      role: "contributor",
      reason: `contributor through team ${team}`,
      may: ["push", "see-people", "star"],
    });
    const elsewhere = { entity: bob.username, name: "x" };
    expect((await refused("/api/v1/collections", { method: "POST", token: alice.token, body: elsewhere }))[0]).toBe(
      404,
    );
  });

  it("says through which team one has a role in it, and shows visitors no more than what it is", async () => {
    const url = await made(alice);
    const team = await teamOf("imaging", { members: [bob.username] });
    const [, , , , entity = "", name = ""] = url.split("/");
    await setMember(testContext(), operator, { entity, name }, team, "contributor", "team");
    expect(await askJson(url, { token: bob.token })).toMatchObject({
      role: "contributor",
      reason: `contributor through team ${team}`,
    });
    await setVisibility(testContext(), operator, { entity, name }, "public");
    expect(await askJson(url)).toMatchObject({ owner: null, role: null, reason: null, may: [], offered: null });
    expect(await askJson(url, { env: environment({ PRIVATE_ONLY: "true" }), token: bob.token })).toMatchObject({
      visibility: "private",
    });
  });

  it("looks absent to whoever may not see it", async () => {
    const url = await made(alice);
    const absent = `/api/v1/collections/${alice.username}/absent`;
    for (const token of [null, bob.token]) {
      for (const suffix of ["", "/people", "/activity", "/references"]) {
        const [hidden, nothing] = [await ask(`${url}${suffix}`, { token }), await ask(`${absent}${suffix}`, { token })];
        expect(hidden.status, suffix).toBe(nothing.status);
        expect(hidden.headers.get("ETag")).toBeNull();
        const bodies = [await hidden.json(), await nothing.json()] as { requestId?: string }[];
        for (const body of bodies) delete body.requestId;
        expect(bodies[0], suffix).toEqual(bodies[1]);
      }
    }
  });

  it("cannot be public where the registry is private, and has the visibility that new ones have", async () => {
    const body = { entity: alice.username, name: uniqueName("p"), visibility: "public" };
    const of = { method: "POST", token: alice.token, body, env: environment({ PRIVATE_ONLY: "true" }) };
    expect(await refused("/api/v1/collections", of)).toEqual([403, "private-only"]);
    const url = await made(alice);
    for (const visibility of ["public", "internal"]) {
      const edit = { ...of, method: "PATCH", body: { visibility }, headers: ifMatch("*") };
      expect(await refused(url, edit)).toEqual([403, "private-only"]);
    }
    const unsaid = { ...of, body: { entity: alice.username, name: uniqueName("p") } };
    const answer = await askJson("/api/v1/collections", { ...unsaid, env: environment({ DEFAULT_PRIVATE: "true" }) });
    expect(answer).toMatchObject({ visibility: "private" });
  });
});

describe("editing a collection", () => {
  it("changes what is said, in the state that was seen alone", async () => {
    const url = await made(alice);
    const seen = await etagOf(url, alice.token);
    const edit = { method: "PATCH", token: alice.token, body: { description: "new", visibility: "public" } };
    expect(await refused(url, edit)).toEqual([428, "precondition-required"]);
    const done = await ask(url, { ...edit, headers: ifMatch(seen) });
    expect(await done.json()).toMatchObject({ description: "new", visibility: "public" });
    expect(done.headers.get("ETag")).toBe(await etagOf(url, alice.token));
    expect(await refused(url, { ...edit, headers: ifMatch(seen) })).toEqual([412, "precondition-failed"]);
    expect(await refused(url, { ...edit, headers: ifMatch('"x"') })).toEqual([412, "precondition-failed"]);
  });

  it("renames it: references by the old name break, the short name goes on, and nobody gets the old name", async () => {
    const path = `${alice.username}/${uniqueName("renamed")}`;
    const bytes = makeSif({ salt: path });
    await push(alice.token, `${path}/app:v1`, bytes);
    const url = `/api/v1/collections/${path}`;
    const shortName = path.split("/")[1];
    const told = await ask(`${url}/references`, { token: alice.token });
    expect(await told.json()).toEqual({ breaks: [`${path}/app`], shortName });
    const name = uniqueName("newer");
    const edit = { method: "PATCH", token: alice.token, body: { name: name.toUpperCase() } };
    const done = await askJson(url, { ...edit, headers: ifMatch(told.headers.get("ETag")) });
    expect(done).toMatchObject({ collection: name, shortName });
    expect(await pull(`${path}/app:v1`)).toBe(404);
    expect(await pull(`${alice.username}/${name}/app:v1`)).toEqual(bytes);
    expect(await pull(`${shortName}/app:v1`)).toEqual(bytes);
    const body = { entity: alice.username, name: shortName };
    expect(await refused("/api/v1/collections", { method: "POST", token: alice.token, body })).toEqual([
      409,
      "name-taken",
    ]);
    const other = await made(alice);
    const headers = ifMatch(await etagOf(other, alice.token));
    expect(await refused(other, { ...edit, body: { name: shortName }, headers })).toEqual([409, "name-taken"]);
    expect(await refused(other, { ...edit, body: { name }, headers })).toEqual([409, "name-taken"]);
    expect(await refused(other, { ...edit, body: { name: "a b" }, headers })).toEqual([400, "name-invalid"]);
    // A new name breaks references: nobody gives it without having looked.
    for (const none of [ifMatch("*"), {}]) {
      const blind = { ...edit, body: { name: uniqueName("blind") }, headers: none };
      expect(await refused(other, blind)).toEqual([428, "precondition-required"]);
    }
  });

  it("lets one of two win that take the same name at once, and of two new names of one", async () => {
    const [one, two] = [await made(alice), await made(alice)];
    const name = uniqueName("wanted");
    const rename = async (url: string, to: string) =>
      ask(url, {
        method: "PATCH",
        token: alice.token,
        headers: ifMatch(await etagOf(url, alice.token)),
        body: { name: to },
      });
    const answers = await Promise.all([one, two].map((url) => rename(url, name)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const left = answers[0]?.status === 200 ? two : one;
    const names = [uniqueName("first"), uniqueName("second")];
    const both = await Promise.all(names.map((to) => rename(left, to)));
    expect(both.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(both.filter(({ status }) => [404, 409, 412].includes(status))).toHaveLength(1);
    const now = await Promise.all(
      names.map((to) => ask(`/api/v1/collections/${alice.username}/${to}`, { token: alice.token })),
    );
    expect(now.map(({ status }) => status).sort()).toEqual([200, 404]);
  });

  it("is for its owners: who contributes may not, and a token only with that right", async () => {
    const url = await made(alice);
    const [, , , , entity = "", name = ""] = url.split("/");
    await setMember(testContext(), operator, { entity, name }, bob.username, "contributor");
    const edit = { method: "PATCH", body: { description: "x" }, headers: ifMatch("*") };
    expect(await refused(url, { ...edit, token: bob.token })).toEqual([403, "forbidden"]);
    const pushOnly = await newTokenFor(alice.username, { scopes: ["push"] });
    expect(await refused(url, { ...edit, token: pushOnly })).toEqual([403, "insufficient-scope"]);
    expect((await ask(url, { ...edit, token: admin.token })).status).toBe(200);
  });
});

describe("deleting a collection", () => {
  const deletion = { method: "DELETE" };

  it("does what was shown and no more, and keeps its name", async () => {
    const path = `${alice.username}/${uniqueName("doomed")}`;
    const shared = makeSif({ salt: "shared by two" });
    const alone = makeSif({ salt: path });
    await push(alice.token, `${alice.username}/${uniqueName("kept")}/app:v1`, shared);
    await push(alice.token, `${path}/app:v1`, shared);
    await push(alice.token, `${path}/app:v2,v3`, alone);
    await setMember(
      testContext(),
      operator,
      { entity: alice.username, name: path.split("/")[1] ?? "" },
      bob.username,
      "reader",
    );
    const url = `/api/v1/collections/${path}`;
    const shown = await ask(`${url}?preview=1`, { ...deletion, token: alice.token });
    expect(await shown.json()).toEqual({
      containers: 1,
      images: 2,
      tags: 3,
      bytes: alone.length,
      shares: 0,
      publishers: 0,
      people: 1,
      uploads: 0,
      offers: 0,
      breaks: [`${path}/app`],
      obstacles: [],
    });
    const seen = ifMatch(shown.headers.get("ETag"));
    await push(alice.token, `${path}/app:v4`, alone);
    expect(await refused(url, { ...deletion, token: alice.token, headers: seen })).toEqual([
      412,
      "precondition-failed",
    ]);
    for (const none of [ifMatch("*"), {}]) {
      const blind = { ...deletion, token: alice.token, headers: none };
      expect(await refused(url, blind)).toEqual([428, "precondition-required"]);
    }
    const again = await ask(`${url}?preview=1`, { ...deletion, token: alice.token });
    const done = { ...deletion, token: alice.token, headers: ifMatch(again.headers.get("ETag")) };
    const answers = await Promise.all([ask(url, done), ask(url, done)]);
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    expect(await pull(`${path}/app:v2`)).toBe(404);
    const body = { entity: alice.username, name: path.split("/")[1] };
    expect((await ask("/api/v1/collections", { method: "POST", token: alice.token, body })).status).toBe(409);
  });

  it("tells nobody by its bytes whether somebody else hides the same content", async () => {
    const [mine, theirs] = [uniqueName("mine"), uniqueName("theirs")];
    const bytes = makeSif({ salt: mine });
    await push(alice.token, `${alice.username}/${mine}/app:v1`, bytes);
    await push(bob.token, `${bob.username}/${theirs}/app:v1`, bytes, { private: true });
    const freed = async () =>
      (await askJson(`/api/v1/collections/${alice.username}/${mine}?preview=1`, { ...deletion, token: alice.token }))
        .bytes;
    expect(await freed()).toBe(bytes.length);
    await setMember(testContext(), operator, { entity: bob.username, name: theirs }, alice.username, "reader");
    expect(await freed()).toBe(0);
  });

  it("does nothing for an owner who is taken out of the team that owns it in that moment", async () => {
    const team = await teamOf("owning", { owners: [alice.username, bob.username] });
    const name = uniqueName("theirs");
    await push(alice.token, `${team}/${name}/app:v1`, makeSif({ salt: name }));
    const url = `/api/v1/collections/${team}/${name}`;
    const isActing = ({ sql }: { sql: readonly string[] }) =>
      sql.some((text) => /^(?:update|delete from) "collections"/i.test(text));
    const { etag } = await askPreview(url, { ...deletion, token: bob.token });
    const edit = { method: "PATCH", body: { visibility: "internal" }, headers: ifMatch("*") };
    for (const act of [{ ...deletion, headers: ifMatch(etag) }, edit]) {
      const late = { env: interrupted(environment(), isActing, () => leaveTeam(team, bob.username)) };
      expect(await refused(url, { ...act, ...late, token: bob.token })).toEqual([409, "conflict"]);
      await bring(alice, team, [bob], "owner");
    }
    expect(await askJson(url, { token: alice.token })).toMatchObject({ visibility: "public" });
  });

  it("says what is frozen, and is refused while anything is", async () => {
    const path = `${alice.username}/${uniqueName("frozen")}`;
    await push(alice.token, `${path}/app:v1`, makeSif({ salt: path }));
    await setFrozen(testContext(), operator, parseImageReference(`${path}/app:v1`), null, true);
    const url = `/api/v1/collections/${path}`;
    const { answer, etag } = await askPreview(url, { ...deletion, token: alice.token });
    expect(await answer.json()).toMatchObject({ obstacles: [`Something in ${path}/app is frozen. Thaw it first.`] });
    expect(await refused(url, { ...deletion, token: alice.token, headers: ifMatch(etag) })).toEqual([409, "frozen"]);
  });
});

describe("the list of collections", () => {
  it("goes by name, by the latest change, by stars and by pulls, page by page, each once", async () => {
    const owner = await newPerson("lister");
    const rows = Array.from({ length: 130 }, (_, index) =>
      env.DB.prepare(
        `INSERT INTO collections (id, entity_id, name, visibility, created_at, updated_at, star_count, pull_count)
         SELECT ?, id, ?, ?, 1, ?, ?, ? FROM entities WHERE name = ?`,
      ).bind(
        crypto.randomUUID(),
        `l${String(index).padStart(3, "0")}`,
        ["public", "internal", "private"][index % 3] ?? "",
        index % 7,
        index % 5,
        index % 11,
        owner.username,
      ),
    );
    await env.DB.batch(rows);
    const keys = { name: "collection", updated: "updatedAt", stars: "stars", pulls: "pulls" } as const;
    for (const [sort, key] of Object.entries(keys)) {
      for (const scope of [`&entity=${owner.username}`, "&mine=1", ""]) {
        const found: Record<string, unknown>[] = [];
        let after = "";
        for (let page = 0; page < 20; page++) {
          const url = `/api/v1/collections?sort=${sort}${scope}${after}`;
          const { items, next } = await askJson<{ items: Record<string, unknown>[]; next: string | null }>(url, {
            token: owner.token,
          });
          found.push(...items);
          if (next === null) break;
          after = `&after=${next}`;
        }
        const own = found.filter(({ entity }) => entity === owner.username);
        expect(new Set(own.map(({ collection }) => collection)).size, `${sort}${scope}`).toBe(130);
        expect(own).toHaveLength(130);
        const values = found.map((item) => item[key] as string | number);
        const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        expect(values, `${sort}${scope}`).toEqual(sort === "name" ? sorted : sorted.reverse());
      }
    }
    const toAll = await askJson<Listed>(`/api/v1/collections?entity=${owner.username}`);
    expect(toAll.items).toHaveLength(44);
  });

  it("of one's own has what one owns and contributes to, oneself or through a team", async () => {
    const carol = await newPerson("carol");
    const team = await teamOf("her-team", { members: [carol.username] });
    const own = await made(carol);
    const [read, written, byTeam] = [await made(alice), await made(alice), await made(alice)];
    const member = async (url: string, name: string, role: "reader" | "contributor", kind: "user" | "team") => {
      const [, , , , entity = "", collection = ""] = url.split("/");
      await setMember(testContext(), operator, { entity, name: collection }, name, role, kind);
    };
    await member(read, carol.username, "reader", "user");
    await member(written, carol.username, "contributor", "user");
    await member(byTeam, team, "contributor", "team");
    const { items } = await askJson<Listed>("/api/v1/collections?mine=1", { token: carol.token });
    const urls = items.map(({ entity, collection }) => `/api/v1/collections/${entity}/${collection}`);
    expect(urls.sort()).toEqual([own, written, byTeam].sort());
    expect(await refused("/api/v1/collections?mine=1", {})).toEqual([401, "unauthenticated"]);
  });

  it("of those whose owners are gone is for administrators", async () => {
    const gone = await newPerson("gone");
    const url = await made(gone);
    const heir = await made(gone);
    const [, , , , entity = "", name = ""] = heir.split("/");
    await setMember(testContext(), operator, { entity, name }, alice.username, "owner");
    const team = await teamOf("ownerless", { members: [alice.username] });
    const left = await askJson<Item>("/api/v1/collections", {
      method: "POST",
      token: admin.token,
      body: { entity: team, name: "left", visibility: "private" },
    });
    const list = async () => {
      const { items } = await askJson<Listed>("/api/v1/collections?orphaned=1", { token: admin.token });
      return items.map((item) => `/api/v1/collections/${item.entity}/${item.collection}`);
    };
    expect(await list()).toEqual([`/api/v1/collections/${left.entity}/left`]);
    await setDisabled(testContext(), operator, gone.username, true);
    expect((await list()).sort()).toEqual([url, `/api/v1/collections/${left.entity}/left`].sort());
    expect(await refused("/api/v1/collections?orphaned=1", { token: alice.token })).toEqual([403, "forbidden"]);
  });

  it("refuses what no page of it wrote, and two lists at once", async () => {
    for (const query of ["after=x", "after=W10", "sort=size", "mine=1&starred=1", `mine=1&entity=${alice.username}`]) {
      const answer = await refused(`/api/v1/collections?${query}`, { token: alice.token });
      expect(answer, query).toEqual([400, "query-invalid"]);
    }
    const byName = Buffer.from(JSON.stringify(["a", "b"])).toString("base64url");
    expect((await refused(`/api/v1/collections?sort=stars&after=${byName}`, {}))[0]).toBe(400);
  });
});

describe("stars", () => {
  it("are set and taken once each, counted, and listed while one sees what they are on", async () => {
    const url = await made(alice, { visibility: "public" });
    const star = { token: bob.token, method: "PUT" };
    for (let time = 0; time < 2; time++) expect((await ask(`${url}/star`, star)).status).toBe(204);
    expect(await askJson(url, { token: bob.token })).toMatchObject({ stars: 1, isStarred: true });
    expect(await askJson(url, { token: alice.token })).toMatchObject({ stars: 1, isStarred: false });
    const mine = async () => (await askJson<Listed>("/api/v1/me/stars", { token: bob.token })).items;
    const listed = async () => (await askJson<Listed>("/api/v1/collections?starred=1", { token: bob.token })).items;
    const [, , , , entity = "", name = ""] = url.split("/");
    expect(await mine()).toEqual([expect.objectContaining({ entity, collection: name, stars: 1 })]);
    expect(await listed()).toEqual([expect.objectContaining({ collection: name, isStarred: true })]);
    const [first] = (await askJson<Listed>("/api/v1/collections?sort=stars")).items;
    expect(first?.stars).toBeGreaterThanOrEqual(1);
    await setVisibility(testContext(), operator, { entity, name }, "private");
    expect([await mine(), await listed()]).toEqual([[], []]);
    expect((await refused(`${url}/star`, { ...star, method: "DELETE" }))[0]).toBe(404);
    await setVisibility(testContext(), operator, { entity, name }, "public");
    for (let time = 0; time < 2; time++) {
      expect((await ask(`${url}/star`, { ...star, method: "DELETE" })).status).toBe(204);
    }
    expect(await askJson(url)).toMatchObject({ stars: 0 });
  });

  it("count one where they are set twice at once", async () => {
    const url = await made(alice, { visibility: "public" });
    const star = () => ask(`${url}/star`, { token: bob.token, method: "PUT" });
    expect((await Promise.all([star(), star(), star()])).map(({ status }) => status)).toEqual([204, 204, 204]);
    expect(await askJson(url)).toMatchObject({ stars: 1 });
  });
});

describe("the activity of a collection", () => {
  it("tells its people what was done in it, the newest first, and nothing of how", async () => {
    const path = `${alice.username}/${uniqueName("busy")}`;
    await push(alice.token, `${path}/app:v1`, makeSif({ salt: path }), { private: true });
    const url = `/api/v1/collections/${path}`;
    await ask(url, { method: "PATCH", token: alice.token, body: { visibility: "public" }, headers: ifMatch("*") });
    await setMember(
      testContext(),
      operator,
      { entity: alice.username, name: path.split("/")[1] ?? "" },
      bob.username,
      "reader",
    );
    await ask(`/api/v1/containers/${path}/app/topics/mri`, { method: "PUT", token: alice.token });
    await ask(`/v1/images/${path}/app:v1?arch=amd64`, { method: "DELETE", token: alice.token });
    type Act = { action: string; actor: string; detail: Record<string, unknown> | null };
    const { items } = await askJson<{ items: Act[] }>(`${url}/activity`, { token: bob.token });
    expect(items.map(({ action }) => action)).toEqual([
      "image.delete",
      "topic.add",
      "collection.member",
      "collection.visibility",
      "tag.set",
      "image.publish",
      "container.create",
      "short-name.claim",
      "collection.create",
    ]);
    expect(items[2]).toEqual({
      at: expect.any(String),
      actor: "operator",
      action: "collection.member",
      target: path,
      detail: { username: bob.username, role: "reader" },
    });
    const [stranger, nobody] = [await newPerson("stranger"), null];
    expect(await refused(`${url}/activity`, { token: stranger.token })).toEqual([403, "forbidden"]);
    expect(await refused(`${url}/activity`, { token: nobody })).toEqual([401, "unauthenticated"]);
  });
});

it("a short name given to a collection is what its page says", async () => {
  const url = await made(alice);
  const [, , , , entity = "", name = ""] = url.split("/");
  const shortName = uniqueName("given");
  await giveShortName(testContext(), operator, { entity, name }, shortName);
  expect(await askJson(url, { token: alice.token })).toMatchObject({ shortName });
});
