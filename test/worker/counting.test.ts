import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { deleteCollection } from "../../worker/registry/catalog/manage.ts";
import { checkIntegrity } from "../../worker/registry/upkeep/check-integrity.ts";
import { makeSif } from "../support/make-sif.ts";
import { ask, newPerson, type Person, push, testContext, uniqueName } from "../support/worker/registry.ts";

/*
 * What the database counts by itself: sizes, numbers of images, stars, versions, the natural order of tags and their
 * history. A migration that makes one of these tables anew drops its triggers: hence their names.
 */
const triggers = [
  "history_tag_gone",
  "history_tag_moved",
  "history_tag_new",
  "natural_order",
  "open_collection_changed",
  "open_collection_gone",
  "open_collection_new",
  "size_collection_changed",
  "size_collection_gone",
  "size_container_gone",
  "size_image_gone",
  "size_image_new",
  "size_image_published",
  "star_gone",
  "star_new",
  "tagged_gone",
  "tagged_moved",
  "tagged_new",
  "version_collection_changed",
  "version_container_changed",
  "version_container_counted",
  "version_container_gone",
  "version_container_new",
  "version_image_changed",
  "version_image_gone",
  "version_image_new",
  "version_member_changed",
  "version_member_gone",
  "version_member_new",
  "version_share_gone",
  "version_share_new",
  "version_tag_changed",
  "version_tag_gone",
  "version_tag_new",
];

const run = async (sql: string, ...values: unknown[]) =>
  await env.DB.prepare(sql)
    .bind(...values)
    .run();

const first = async <T>(sql: string, ...values: unknown[]): Promise<T> => {
  const row = await env.DB.prepare(sql)
    .bind(...values)
    .first<T>();
  if (row === null) throw new Error(sql);
  return row;
};

/** What the integrity check finds amiss among what is counted. */
async function miscounts(): Promise<{ kind: string; subject: string }[]> {
  const { findings } = await checkIntegrity(testContext(), operator, null);
  return findings.filter(({ kind }) => /differ|order/.test(kind));
}

let alice: Person;
let collection: string;

beforeEach(async () => {
  alice = await newPerson("counting");
  collection = uniqueName("counted");
});

const bytesOf = (salt: string) => makeSif({ salt: `${collection} ${salt}` });
const pushTo = (container: string, tag: string, salt = tag) =>
  push(alice.token, `${alice.username}/${collection}/${container}:${tag}`, bytesOf(salt));

async function counts() {
  const where = "WHERE entities.name = ? AND collections.name = ?";
  const row = await first<{ size: number; images: number; entity: number }>(
    `SELECT collections.size_bytes AS size, collections.image_count AS images, entities.size_bytes AS entity
     FROM collections INNER JOIN entities ON entities.id = collections.entity_id ${where}`,
    alice.username,
    collection,
  );
  return row;
}

const remove = async (reference: string) => {
  const url = `/v1/images/${alice.username}/${collection}/${reference}?arch=amd64`;
  expect((await ask(url, { method: "DELETE", token: alice.token })).status).toBe(200);
};

it("counts by these triggers, and no others", async () => {
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name NOT GLOB 'search_*' ORDER BY name",
  ).all<{ name: string }>();
  expect(results.map(({ name }) => name)).toEqual(triggers);
});

describe("sizes", () => {
  it("have each content of a collection once, however many containers hold it, until the last one goes", async () => {
    const { length } = bytesOf("twice");
    await pushTo("one", "v1", "twice");
    expect(await counts()).toEqual({ size: length, images: 1, entity: length });
    await pushTo("two", "v1", "twice");
    expect(await counts()).toEqual({ size: length, images: 2, entity: length });
    await pushTo("two", "v2", "other");
    expect(await counts()).toEqual({ size: 2 * length, images: 3, entity: 2 * length });
    await remove("one:v1");
    expect(await counts()).toEqual({ size: 2 * length, images: 2, entity: 2 * length });
    await remove("two:v1");
    expect(await counts()).toEqual({ size: length, images: 1, entity: length });
    expect(await miscounts()).toEqual([]);
  });

  it("do not change with an image that is only registered, nor with a tag, nor while bytes are damaged", async () => {
    const { digest, containerId, imageId } = await pushTo("one", "v1");
    const before = await counts();
    await run(
      "INSERT INTO images (id, container_id, digest, state, created_at) VALUES (?, ?, ?, 'registered', 1)",
      crypto.randomUUID(),
      containerId,
      `sha256.${"d".repeat(64)}`,
    );
    await pushTo("one", "v2", "v1");
    await run("UPDATE blobs SET state = 'corrupt' WHERE digest = ?", digest);
    expect(await counts()).toEqual(before);
    await pushTo("one", "v3", "v1");
    expect(await counts()).toEqual(before);
    await run("UPDATE images SET frozen = 1, description = 'x' WHERE id = ?", imageId);
    expect(await counts()).toEqual(before);
    expect(await miscounts()).toEqual([]);
  });

  it("follow a container that goes with all in it, and a collection, by whichever statement", async () => {
    const { containerId, collectionId } = await pushTo("one", "v1");
    await pushTo("one", "v2");
    await pushTo("two", "v1");
    const { length } = bytesOf("v1");
    await run("DELETE FROM containers WHERE id = ?", containerId);
    // The second container has the first image's content too.
    expect(await counts()).toEqual({ size: length, images: 1, entity: length });
    expect(await miscounts()).toEqual([]);
    await run("DELETE FROM collections WHERE id = ?", collectionId);
    expect(await first("SELECT size_bytes AS size FROM entities WHERE name = ?", alice.username)).toEqual({ size: 0 });
    expect(await miscounts()).toEqual([]);
  });

  it("follow a deleted collection", async () => {
    await pushTo("one", "v1");
    await deleteCollection(testContext(), operator, { entity: alice.username, name: collection });
    expect(await first("SELECT size_bytes AS size FROM entities WHERE name = ?", alice.username)).toEqual({ size: 0 });
  });

  it("go with a collection to its new entity", async () => {
    const { collectionId } = await pushTo("one", "v1");
    const bob = await newPerson("bob");
    await run(
      "UPDATE collections SET entity_id = (SELECT id FROM entities WHERE name = ?) WHERE id = ?",
      bob.username,
      collectionId,
    );
    const sizes = "SELECT size_bytes AS size FROM entities WHERE name = ?";
    expect(await first(sizes, alice.username)).toEqual({ size: 0 });
    expect(await first(sizes, bob.username)).toEqual({ size: bytesOf("v1").length });
    expect(await miscounts()).toEqual([]);
  });

  it("that are wrong are found, each with what it should be", async () => {
    const { containerId, collectionId, imageId } = await pushTo("one", "v1");
    const { length } = bytesOf("v1");
    await run("UPDATE containers SET size_bytes = 1 WHERE id = ?", containerId);
    await run("UPDATE collections SET image_count = 7, container_count = 5 WHERE id = ?", collectionId);
    await run("UPDATE entities SET size_bytes = 2 WHERE name = ?", alice.username);
    await run("UPDATE images SET tag_count = 3 WHERE id = ?", imageId);
    await run("UPDATE tags SET sort_key = '' WHERE image_id = ?", imageId);
    const { id } = await first<{ id: string }>("SELECT id FROM entities WHERE name = ?", alice.username);
    expect(await miscounts()).toEqual([
      { kind: "container-count-differs", subject: `${containerId}: 1 images, 1 bytes; should be 1, ${length}` },
      {
        kind: "collection-count-differs",
        subject: `${collectionId}: 7 images, ${length} bytes; should be 1, ${length}`,
      },
      { kind: "collection-containers-differ", subject: `${collectionId}: 5 containers; should be 1` },
      { kind: "entity-size-differs", subject: `${id}: 2 bytes; should be ${length}` },
      { kind: "image-tags-differ", subject: `${imageId}: 3 tags; should be 1` },
      { kind: "tag-order-missing", subject: `${imageId}:v1` },
    ]);
    await run("DELETE FROM collections WHERE id = ?", collectionId);
    await run("UPDATE entities SET size_bytes = 0 WHERE name = ?", alice.username);
  });

  it("agree with a recount after any pushes, tags and deletions", async () => {
    const acts = fc.array(
      fc.record({
        container: fc.constantFrom("one", "two", "three"),
        tag: fc.constantFrom("a", "b", "c"),
        content: fc.constantFrom("x", "y"),
        act: fc.constantFrom("push", "push", "delete", "drop"),
      }),
      { minLength: 5, maxLength: 15 },
    );
    await fc.assert(
      fc.asyncProperty(acts, async (steps) => {
        for (const { container, tag, content, act } of steps) {
          if (act === "push") await pushTo(container, tag, content);
          const url = `/v1/images/${alice.username}/${collection}/${container}:${tag}?arch=amd64`;
          if (act === "delete") await ask(url, { method: "DELETE", token: alice.token });
          if (act === "drop") await run("DELETE FROM containers WHERE name = ? AND created_by IS NOT NULL", container);
        }
        expect(await miscounts()).toEqual([]);
      }),
      { numRuns: 5 },
    );
  });
});

describe("the natural order of tags", () => {
  const keysOf = async (names: string[]): Promise<Map<string, string>> => {
    const { containerId, imageId } = await pushTo("ordered", "start");
    await run("DELETE FROM tags WHERE container_id = ?", containerId);
    await run(
      `INSERT INTO tags (container_id, arch, name, image_id, updated_at)
       SELECT ?, 'amd64', value, ?, 1 FROM json_each(?)`,
      containerId,
      imageId,
      JSON.stringify(names),
    );
    const { results } = await env.DB.prepare(
      "SELECT name, sort_key FROM tags WHERE container_id = ? ORDER BY sort_key, name",
    )
      .bind(containerId)
      .all<{ name: string; sort_key: string }>();
    await run("DELETE FROM tags WHERE container_id = ?", containerId);
    return new Map(results.map((row) => [row.name, row.sort_key]));
  };

  it("has numbers by what they are worth, in any case of the letters", async () => {
    const ordered = [
      "0.9",
      "1.0",
      "1.0-rc9",
      "1.0-rc10",
      "1.2",
      "1.10",
      "2",
      "10",
      "007b",
      "latest",
      "RC1",
      "v1.2",
      "V1.2",
      "v1.10",
      "v01.11",
    ];
    const sorted = [...(await keysOf(ordered)).keys()];
    const comesFirst = (one: string, other: string) =>
      expect(sorted.indexOf(one), `${one} ${other}`).toBeLessThan(sorted.indexOf(other));
    comesFirst("v1.2", "v1.10");
    comesFirst("1.0-rc9", "1.0-rc10");
    comesFirst("v1.10", "v01.11");
    comesFirst("2", "10");
    comesFirst("2", "007b");
    comesFirst("007b", "10");
    comesFirst("latest", "RC1");
    comesFirst("RC1", "v1.2");
    comesFirst("V1.2", "v1.10");
    comesFirst("1.0", "1.0-rc9");
  });

  it("is what a plain reading of it says, for all tags there may be", async () => {
    const start = fc.constantFrom(..."abzABZ0129_");
    const rest = fc.string({ unit: fc.constantFrom(..."aZz019._-"), maxLength: 127 });
    const zeros = fc.integer({ min: 1, max: 120 }).map((count) => `v${"0".repeat(count)}1`);
    const nines = fc.integer({ min: 1, max: 127 }).map((count) => `v${"9".repeat(count)}`);
    const tag = fc.oneof(
      fc.tuple(start, rest).map((parts) => parts.join("")),
      zeros,
      nines,
    );
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(tag, { minLength: 20, maxLength: 60 }), async (names) => {
        const expected = [...names].sort(byNature);
        expect([...(await keysOf(names)).keys()]).toEqual(expected);
      }),
      { numRuns: 10 },
    );
  });
});

/** Letters in any case, numbers by what they are worth, and what is equal so far by its characters. */
function byNature(one: string, other: string): number {
  const [left, right] = [one, other].map((name) => name.toLowerCase().match(/\d+|\D/g) ?? []);
  for (let index = 0; ; index++) {
    const [a, b] = [left?.[index], right?.[index]];
    if (a === undefined && b === undefined) return one < other ? -1 : 1;
    if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
    const bothNumbers = /\d/.test(a) && /\d/.test(b);
    if (bothNumbers && BigInt(a) !== BigInt(b)) return BigInt(a) < BigInt(b) ? -1 : 1;
    // A number against a letter or sign goes by its first digit, and all digits lie on one side of every other sign.
    if (!bothNumbers && a !== b) return a < b ? -1 : 1;
  }
}

describe("the history of a tag", () => {
  const historyOf = async (containerId: string) => {
    const { results } = await env.DB.prepare(
      "SELECT name, arch, digest, set_by IS NOT NULL AS known FROM tag_history WHERE container_id = ? ORDER BY id",
    )
      .bind(containerId)
      .all();
    return results;
  };

  it("has each setting and deletion once, and nothing for a tag that is set where it is", async () => {
    const one = await pushTo("told", "v1", "one");
    await pushTo("told", "v1", "one");
    const two = await pushTo("told", "v1", "two");
    await remove("told:v1");
    const entry = { name: "v1", arch: "amd64", known: 1 };
    expect(await historyOf(one.containerId)).toEqual([
      { ...entry, digest: one.digest },
      { ...entry, digest: two.digest },
      { ...entry, digest: null, known: 0 },
    ]);
  });

  it("goes with its container", async () => {
    const { containerId } = await pushTo("told", "v1");
    await run("DELETE FROM containers WHERE id = ?", containerId);
    expect(await historyOf(containerId)).toEqual([]);
  });
});

describe("versions", () => {
  it("count up with whatever changes, and not with numbers", async () => {
    const { containerId, collectionId, imageId } = await pushTo("versioned", "v1");
    const { id: userId } = await first<{ id: string }>("SELECT id FROM users WHERE username = ?", alice.username);
    const versions = async () => {
      const { version } = await first<{ version: number }>("SELECT version FROM containers WHERE id = ?", containerId);
      return [
        version,
        (await first<{ version: number }>("SELECT version FROM collections WHERE id = ?", collectionId)).version,
      ];
    };
    const share = `INSERT INTO shares (id, hash, image_id, note, created_by, created_at, expires_at)
      VALUES ('${crypto.randomUUID()}', '${"e".repeat(64)}', ?, '', '${userId}', 1, 2)`;
    const image =
      "INSERT INTO images (id, container_id, digest, state, created_at) VALUES ('new', ?, 'sha256.n', 'registered', 1)";
    /** Each with whether the container's version counts up, and the collection's. */
    const cases: [string, string, boolean, boolean][] = [
      ["UPDATE containers SET pull_count = 5, updated_at = 9 WHERE id = ?", containerId, false, false],
      ["UPDATE containers SET name = name, description = description WHERE id = ?", containerId, false, false],
      ["UPDATE containers SET description = 'x' WHERE id = ?", containerId, true, true],
      ["UPDATE containers SET read_only = 1 WHERE id = ?", containerId, true, true],
      ["UPDATE images SET refused_reason = 'x' WHERE id = ?", imageId, false, false],
      ["UPDATE images SET frozen = 1 WHERE id = ?", imageId, true, true],
      ["UPDATE tags SET frozen = 1 WHERE image_id = ?", imageId, true, true],
      [share, imageId, true, true],
      ["UPDATE shares SET downloads = 1 WHERE image_id = ?", imageId, false, false],
      ["DELETE FROM shares WHERE image_id = ?", imageId, true, true],
      [image, containerId, true, true],
      ["DELETE FROM images WHERE id = ?", "new", true, true],
      ["DELETE FROM tags WHERE image_id = ?", imageId, true, true],
      ["UPDATE collections SET description = 'x' WHERE id = ?", collectionId, false, true],
      ["UPDATE collections SET star_count = 3, updated_at = 9 WHERE id = ?", collectionId, false, false],
      [
        `INSERT INTO collection_members (collection_id, user_id, role, created_at) VALUES (?, '${userId}', 'reader', 1)`,
        collectionId,
        false,
        true,
      ],
      ["UPDATE collection_members SET role = 'owner' WHERE collection_id = ?", collectionId, false, true],
      ["DELETE FROM collection_members WHERE collection_id = ?", collectionId, false, true],
      [`INSERT INTO stars (user_id, collection_id, created_at) VALUES ('${userId}', ?, 1)`, collectionId, false, false],
      ["DELETE FROM stars WHERE collection_id = ?", collectionId, false, false],
    ];
    for (const [sql, value, container, whole] of cases) {
      const [before = 0, outer = 0] = await versions();
      await run(sql, value);
      const [after = 0, outerAfter = 0] = await versions();
      expect([after > before, outerAfter > outer], sql).toEqual([container, whole]);
    }
  });

  it("count stars", async () => {
    const { collectionId } = await pushTo("starred", "v1");
    const stars = async () =>
      (await first<{ n: number }>("SELECT star_count AS n FROM collections WHERE id = ?", collectionId)).n;
    for (const name of [alice.username, (await newPerson("fan")).username]) {
      await run(
        "INSERT INTO stars (user_id, collection_id, created_at) SELECT id, ?, 1 FROM users WHERE username = ?",
        collectionId,
        name,
      );
    }
    expect(await stars()).toBe(2);
    await run(
      "DELETE FROM stars WHERE collection_id = ? AND user_id = (SELECT id FROM users WHERE username = ?)",
      collectionId,
      alice.username,
    );
    expect(await stars()).toBe(1);
  });
});
