import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { deleteCollection, setVisibility } from "../../worker/registry/catalog/manage.ts";
import { authenticate } from "../../worker/registry/people/authenticate.ts";
import { deleteUser } from "../../worker/registry/people/delete-user.ts";
import { indexAll, indexPending, resumeIndexing } from "../../worker/registry/search/index-pending.ts";
import { rebuildSearch } from "../../worker/registry/search/rebuild-search.ts";
import { runUpkeep } from "../../worker/registry/upkeep/run-upkeep.ts";
import { makeSif } from "../support/make-sif.ts";
import { interrupted, observed } from "../support/worker/calls.ts";
import {
  ask,
  askJson,
  environment,
  indexed,
  newPerson,
  type Person,
  push,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";

/** Which writes make something pending: a migration that makes one of these tables anew drops its triggers. */
const triggers = [
  "search_collection_changed",
  "search_collection_described",
  "search_collection_gone",
  "search_collection_new",
  "search_container_changed",
  "search_container_gone",
  "search_container_new",
  "search_entity_changed",
  "search_entity_gone",
  "search_entity_new",
  "search_image_changed",
  "search_image_gone",
  "search_inspection_changed",
  "search_inspection_new",
  "search_member_gone",
  "search_member_new",
  "search_tag_gone",
  "search_tag_moved",
  "search_tag_new",
  "search_topic_changed",
  "search_topic_gone",
  "search_topic_new",
];

let alice: Person;

beforeAll(async () => {
  alice = await newPerson("indexer");
});

async function found(value: string): Promise<string[]> {
  const { data } = await askJson<{ data: { image: { containerName: string; tags: string[] }[] } }>(
    `/v1/search?value=${encodeURIComponent(value)}`,
  );
  return data.image.map(({ containerName, tags }) => `${containerName}:${tags.sort().join()}`).sort();
}

async function pending(): Promise<string[]> {
  const { results } = await env.DB.prepare("SELECT kind FROM search_outbox ORDER BY kind").all<{ kind: string }>();
  return results.map(({ kind }) => kind);
}

async function documents(): Promise<string[]> {
  const { results } = await env.SEARCH_DB.prepare(
    "SELECT kind || ' ' || subject AS name FROM documents ORDER BY 1",
  ).all<{
    name: string;
  }>();
  return results.map(({ name }) => name);
}

async function write(sql: string, ...values: unknown[]): Promise<void> {
  await env.DB.prepare(sql)
    .bind(...values)
    .run();
}

async function newImage(stem: string) {
  const name = uniqueName(stem).replace("-", "");
  const path = `${alice.username}/${name}/app`;
  const pushed = await push(alice.token, `${path}:v1`, makeSif({ salt: name }));
  await indexed();
  return { name, path, ...pushed };
}

it("every change of what can be found is noted by the database itself", async () => {
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'search_*' ORDER BY name",
  ).all<{
    name: string;
  }>();
  expect(results.map(({ name }) => name)).toEqual(triggers);
});

describe("what is noted is exactly what changed", () => {
  it("by each kind of write", async () => {
    const { imageId, containerId, collectionId } = await newImage("noted");
    const bob = await newPerson("bob");
    await indexed();
    const { id: userId } = (await env.DB.prepare("SELECT id FROM users WHERE username = ?")
      .bind(bob.username)
      .first<{ id: string }>()) ?? { id: "" };
    const cases: [string, unknown[], string[]][] = [
      ["UPDATE images SET description = 'x' WHERE id = ?", [imageId], ["image"]],
      ["UPDATE images SET frozen = 0, refused_reason = NULL WHERE id = ?", [imageId], []],
      ["UPDATE tags SET name = 'v2' WHERE image_id = ?", [imageId], ["image"]],
      ["UPDATE tags SET updated_at = 5 WHERE image_id = ?", [imageId], []],
      ["UPDATE containers SET description = 'x' WHERE id = ?", [containerId], ["container", "in-container"]],
      ["UPDATE containers SET name = name WHERE id = ?", [containerId], []],
      ["UPDATE collections SET description = 'x' WHERE id = ?", [collectionId], ["collection"]],
      ["UPDATE collections SET updated_at = 5 WHERE id = ?", [collectionId], []],
      [
        "UPDATE collections SET visibility = 'private' WHERE id = ?",
        [collectionId],
        ["collection", "entity", "in-collection"],
      ],
      [
        "INSERT INTO collection_members (collection_id, user_id, role, created_at) VALUES (?, ?, 'reader', 1)",
        [collectionId, userId],
        ["collection", "entity", "in-collection"],
      ],
      [
        "DELETE FROM collection_members WHERE collection_id = ?",
        [collectionId],
        ["collection", "entity", "in-collection"],
      ],
      [
        "INSERT INTO topics (container_id, name, origin, changed_at) VALUES (?, 'ice', 'person', 1)",
        [containerId],
        ["container", "in-container"],
      ],
      ["UPDATE topics SET removed = 1 WHERE container_id = ?", [containerId], ["container", "in-container"]],
      ["UPDATE inspections SET definition = 'x' WHERE image_id = ?", [imageId], ["image"]],
      ["UPDATE entities SET description = 'x' WHERE name = ?", [bob.username], ["entity"]],
    ];
    for (const [sql, values, expected] of cases) {
      await write(sql, ...values);
      expect(await pending(), sql).toEqual(expected);
      await indexed();
    }
  });

  it("and by deleting a collection with all in it, and a user", async () => {
    const carol = await newPerson("carol");
    const path = { entity: carol.username, name: uniqueName("doomed") };
    await indexed();
    const before = await documents();
    await push(carol.token, `${path.entity}/${path.name}/app:v1`, makeSif({ salt: path.name }));
    await indexed();
    expect(await documents()).toHaveLength(before.length + 3);
    await deleteCollection(testContext(), operator, path);
    await indexed();
    expect(await documents()).toHaveLength(before.length);
    await deleteUser(testContext(), operator, carol.username, "any", null);
    await indexed();
    expect(await documents()).toHaveLength(before.length - 1);
  });
});

describe("what is found follows what is there", () => {
  it("when a tag moves, and when an image goes", async () => {
    const { name, path, digest } = await newImage("moving");
    expect(await found(name)).toEqual(["app:v1"]);
    await push(alice.token, `${path}:v1`, makeSif({ salt: `${name} again` }));
    await indexed();
    expect(await found(name)).toEqual(["app:v1"]);
    await push(alice.token, `${path}:v2`, makeSif({ salt: name }));
    await indexed();
    expect(await found(name)).toEqual(["app:v1", "app:v2"]);
    expect((await ask(`/v1/images/${path}:${digest}`, { method: "DELETE", token: alice.token })).status).toBe(200);
    expect(await found(name)).toEqual(["app:v1"]);
    await indexed();
    expect(await found(name)).toEqual(["app:v1"]);
  });

  it("whatever changes while it is indexed is indexed again", async () => {
    const { name, imageId } = await newImage("racing");
    await write("UPDATE images SET description = 'firstword' WHERE id = ?", imageId);
    // The change comes after its texts were read, and before they are written.
    const watched = interrupted(
      environment(),
      ({ isSearch, name: call }) => isSearch === true && call === "batch",
      () => write("UPDATE images SET description = 'secondword' WHERE id = ?", imageId),
    );
    await indexPending(testContext(watched));
    expect(await pending()).toEqual(["image"]);
    await indexed();
    expect(await found(`${name} secondword`)).toEqual(["app:v1"]);
    expect(await found(`${name} firstword`)).toEqual([]);
  });

  it("an end between the two databases only does the work twice", async () => {
    const { name, imageId } = await newImage("crashing");
    const before = await documents();
    await write("UPDATE images SET description = 'survivor' WHERE id = ?", imageId);
    const crashing = observed(environment(), ({ isSearch, name: call }) => {
      if (isSearch !== true && call === "batch" && hasWritten) throw new Error("crash");
      if (isSearch === true) hasWritten = true;
    });
    let hasWritten = false;
    await expect(indexPending(testContext(crashing))).rejects.toThrow();
    expect(await pending()).toEqual(["image"]);
    await indexed();
    expect(await found(`${name} survivor`)).toEqual(["app:v1"]);
    expect(await documents()).toHaveLength(before.length);
    const check = env.SEARCH_DB.prepare("INSERT INTO document_text (document_text) VALUES ('integrity-check')");
    expect((await check.run()).success).toBe(true);
  });

  it("more at once than one step takes is indexed all the same", async () => {
    const { name, containerId } = await newImage("plenty");
    await env.DB.batch(
      [
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 130)
         INSERT INTO containers (id, collection_id, name, created_at, updated_at)
         SELECT '${name}-' || i, collection_id, 'plenty-' || i, 1, 1 FROM n, containers WHERE id = '${containerId}'`,
      ].map((sql) => env.DB.prepare(sql)),
    );
    await indexed();
    expect((await documents()).filter((document) => document.startsWith(`container ${name}-`))).toHaveLength(130);
    await setVisibility(testContext(), operator, { entity: alice.username, name }, "private");
    await indexed();
    expect((await documents()).filter((document) => document.startsWith(`container ${name}-`))).toHaveLength(130);
  });
});

describe("the index made anew", () => {
  async function rebuild(steps = Number.POSITIVE_INFINITY): Promise<number> {
    let after: string | null = null;
    let documents = 0;
    for (let step = 0; step < steps; step++) {
      const done = await rebuildSearch(testContext(), operator, after);
      after = done.next;
      documents = done.documents;
      if (after === null) break;
    }
    return documents;
  }

  it("holds the same documents as before, also where it was interrupted, and none that are gone", async () => {
    const { name } = await newImage("rebuilt");
    const before = await documents();
    await env.SEARCH_DB.prepare("INSERT INTO documents (kind, subject) VALUES ('image', 'nobody-knows')").run();
    await rebuild(3);
    expect((await documents()).length).toBeLessThan(before.length);
    expect(await rebuild()).toBe(before.length);
    expect(await documents()).toEqual(before);
    expect(await found(name)).toEqual(["app:v1"]);
    await expect(rebuildSearch(testContext(), operator, "images:x")).rejects.toThrow();
  });

  it("is what administrators and the command line may ask for, and nobody else", async () => {
    const actor = await authenticate(testContext(), `Bearer ${alice.token}`);
    await expect(rebuildSearch(testContext(), actor, null)).rejects.toMatchObject({ code: "forbidden" });
  });
});

describe("when the index cannot be reached", () => {
  const broken = () =>
    observed(environment(), ({ isSearch }) => {
      if (isSearch) throw new Error("D1_ERROR: the search database is down");
    });

  it("a search says so, and everything else works", async () => {
    const { path, name } = await newImage("offline");
    for (const url of [`/v1/search?value=${name}`, `/api/v1/search?q=${name}`]) {
      const response = await ask(url, { env: broken() });
      expect(response.status).toBe(503);
      expect(await response.text()).not.toContain("D1_ERROR");
    }
    await push(alice.token, `${path}:v2`, makeSif({ salt: `${name} 2` }), { env: broken() });
    expect((await ask(`/v1/images/${path}:v2?arch=amd64`, { env: broken() })).status).toBe(200);
  });

  it("what is pending waits, and upkeep takes it up again", async () => {
    const { name, imageId } = await newImage("waiting");
    await write("UPDATE images SET description = 'patience' WHERE id = ?", imageId);
    expect(await indexAll(testContext(broken()))).toBeGreaterThan(0);
    expect(await pending()).toEqual(["image"]);
    const started: unknown[] = [];
    const watched = observed(environment(), ({ kind, args }) => {
      if (kind === "durable") started.push(...args);
    });
    await runUpkeep(testContext(watched));
    expect(started).toContain("index-search:outbox");
    await indexed();
    expect(await found(`${name} patience`)).toEqual(["app:v1"]);
    expect(await resumeIndexing(testContext())).toBe(0);
  });
});

it("a search asks the index for at most 200 candidates, and all of them are decided in the main database", async () => {
  const asked: number[] = [];
  const counting = { ...environment() };
  counting.SEARCH_DB = new Proxy(counting.SEARCH_DB, {
    get: (database, name) => {
      if (name !== "prepare") return Reflect.get(database, name).bind(database);
      return (text: string) =>
        new Proxy(database.prepare(text), {
          get: (statement, method) => {
            if (method !== "bind") return Reflect.get(statement, method);
            return (...values: unknown[]) => {
              asked.push(Number(values.at(-1)));
              return statement.bind(...values);
            };
          },
        });
    },
  });
  for (const url of [
    "/v1/search?value=anything",
    "/api/v1/search?q=anything",
    "/api/v1/search?q=anything&arch=amd64",
  ]) {
    asked.length = 0;
    expect((await ask(url, { env: counting })).status, url).toBe(200);
    expect(asked.length, url).toBeGreaterThan(0);
    expect(
      asked.reduce((sum, limit) => sum + limit, 0),
      url,
    ).toBe(200);
  }
});
