import { applyD1Migrations, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

/*
 * What an update does to a database that is in use.
 */

const digest = `sha256.${"a".repeat(64)}`;

/** Rows as the first version of the tables has them. */
const rows = [
  "INSERT INTO users (id, username, created_at) VALUES ('u', 'alice', 1)",
  "INSERT INTO entities (id, name, owner_user_id, created_at) VALUES ('e', 'alice', 'u', 1)",
  `INSERT INTO collections (id, entity_id, name, short_name, visibility, created_at, updated_at)
   VALUES ('c', 'e', 'tools', 'tools', 'public', 1, 1)`,
  "INSERT INTO containers (id, collection_id, name, created_at, updated_at) VALUES ('n', 'c', 'app', 1, 1)",
  `INSERT INTO blobs (digest, object_key, size_bytes, created_at) VALUES ('${digest}', 'objects/b', 5, 1)`,
  `INSERT INTO images (id, container_id, digest, state, blob_digest, arch, size_bytes, created_at, published_at)
   VALUES ('i', 'n', '${digest}', 'published', '${digest}', 'amd64', 5, 1, 1)`,
  "INSERT INTO tags (container_id, arch, name, image_id, updated_at) VALUES ('n', 'amd64', 'v1', 'i', 1)",
  `INSERT INTO images (id, container_id, digest, state, created_at)
   VALUES ('j', 'n', 'sha256.${"b".repeat(64)}', 'registered', 1)`,
  "INSERT INTO wanted_tags (image_id, name, created_at) VALUES ('j', 'v2', 1)",
  `INSERT INTO uploads (id, image_id, user_id, object_key, digest, size_bytes, state, created_at, expires_at)
   VALUES ('b', 'i', 'u', 'objects/b', '${digest}', 5, 'published', 1, 2),
     ('o', 'j', 'u', 'objects/o', 'sha256.${"b".repeat(64)}', 6, 'open', 1, 2)`,
];

/** What the second version adds: uploads in parts, and jobs. */
const laterRows = [
  `INSERT INTO uploads (id, image_id, user_id, object_key, digest, size_bytes, state, created_at, expires_at, multipart_id, part_bytes)
   VALUES ('m', 'j', 'u', 'objects/m', 'sha256.${"b".repeat(64)}', 6, 'verifying', 1, 2, 'r2', 5)`,
  `INSERT INTO jobs (id, kind, subject, done_bytes, total_bytes, attempts, error, created_at, updated_at)
   VALUES ('verify-upload:m', 'verify-upload', 'm', 3, 6, 1, 'lost', 1, 2)`,
];
const tables = [
  "users",
  "entities",
  "collections",
  "containers",
  "blobs",
  "images",
  "tags",
  "wanted_tags",
  "uploads",
  "jobs",
];

async function everything(): Promise<Record<string, Record<string, unknown>[]>> {
  const found: Record<string, Record<string, unknown>[]> = {};
  for (const table of tables) {
    const isThere = env.DB.prepare("SELECT 1 AS one FROM sqlite_schema WHERE name = ?").bind(table);
    if ((await isThere.first("one")) === null) continue;
    const { results } = await env.DB.prepare(`SELECT * FROM ${table} ORDER BY 1`).all();
    found[table] = results;
  }
  return found;
}

it("an update keeps every row as it is, and adds to it", async () => {
  await reset();
  const versions = [rows, laterRows];
  for (const [index, added] of versions.entries()) {
    await applyD1Migrations(env.DB, env.TEST_MIGRATIONS.slice(0, index + 1));
    await env.DB.batch(added.map((row) => env.DB.prepare(row)));
    const before = await everything();
    const isLast = index === versions.length - 1;
    await applyD1Migrations(env.DB, env.TEST_MIGRATIONS.slice(0, isLast ? undefined : index + 2));
    const after = await everything();
    for (const [table, kept] of Object.entries(before)) {
      expect(after[table], table).toEqual(kept.map((row) => expect.objectContaining(row)));
    }
  }
  expect((await env.DB.prepare("PRAGMA foreign_key_check").all()).results).toEqual([]);
  // What is there already waits to be indexed.
  const outbox = await env.DB.prepare("SELECT kind || ' ' || subject AS row FROM search_outbox ORDER BY 1").all();
  expect(outbox.results.map(({ row }) => row)).toEqual(["collection c", "container n", "entity e", "image i"]);
  // The version before goes on writing until the new one is there.
  const [, , , , , , , , , upload = ""] = rows;
  const old = upload.replace("'b', 'i'", "'x', 'i'").replace("'objects/b'", "'objects/x'");
  await env.DB.prepare(old.replace("'o', 'j'", "'y', 'j'").replace("'objects/o'", "'objects/y'")).run();
  await expect(env.DB.prepare("UPDATE blobs SET state = 'lost'").run()).rejects.toThrow(/blobs_state/);
});
