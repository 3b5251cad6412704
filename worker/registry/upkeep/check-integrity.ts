import { and, asc, gt, lte, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { blobs, uploads } from "../../storage/db/schema/catalog.ts";
import { discardedObjects } from "../../storage/db/schema/upkeep.ts";
import { OBJECT_PREFIX } from "../../storage/layout.ts";
import { authorizeOnSite } from "../authorize.ts";
import { limits } from "../limits.ts";

export interface Finding {
  kind:
    | "object-missing"
    | "object-size-differs"
    | "object-without-row"
    | "blob-unreferenced"
    | "blob-corrupt"
    | "object-discarded"
    | "job-failing"
    | "upload-open"
    | "image-without-blob"
    | "tag-on-unpublished-image"
    | "tag-architecture-differs"
    | "tag-in-other-container"
    | "container-count-differs"
    | "collection-count-differs"
    | "entity-size-differs"
    | "image-tags-differ"
    | "tag-order-missing";
  subject: string;
}

export interface IntegrityPage {
  findings: Finding[];
  /** How many objects in R2 this page looked at. */
  objects: number;
  /** Pass it back for the next page; null at the end. */
  next: string | null;
}

/**
 * Holds the database and the bucket against each other, one page of R2 keys a call: each object has a
 * blob or an upload, each blob its object of the right size. The first page also checks what SQL
 * alone can see. It reads only.
 */
export async function checkIntegrity(ctx: Context, actor: Actor, after: string | null): Promise<IntegrityPage> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const startAfter = after ?? OBJECT_PREFIX;
  const listed = await ctx.bucket.list({ prefix: OBJECT_PREFIX, startAfter, limit: limits.integrityPage });
  const next = listed.truncated ? (listed.objects.at(-1)?.key ?? null) : null;
  const stored = new Map(listed.objects.map((object) => [object.key, object.size]));
  const isInPage = (key: SQLiteColumn) => and(gt(key, startAfter), next === null ? undefined : lte(key, next));
  const [blobRows, uploadRows, discardedRows] = await ctx.db.batch([
    ctx.db.select().from(blobs).where(isInPage(blobs.objectKey)).orderBy(asc(blobs.objectKey)),
    ctx.db.select().from(uploads).where(isInPage(uploads.objectKey)),
    ctx.db.select().from(discardedObjects).where(isInPage(discardedObjects.objectKey)),
  ]);
  const findings: Finding[] = after === null ? await checkRows(ctx) : [];
  for (const blob of blobRows) {
    const size = stored.get(blob.objectKey);
    // Upkeep deletes the object first, then the row.
    if (blob.state === "deleting") stored.delete(blob.objectKey);
    else if (size === undefined) findings.push({ kind: "object-missing", subject: blob.digest });
    else if (size !== blob.sizeBytes) findings.push({ kind: "object-size-differs", subject: blob.digest });
    if (blob.state === "corrupt") findings.push({ kind: "blob-corrupt", subject: blob.digest });
    if (blob.unreferencedAt !== null) findings.push({ kind: "blob-unreferenced", subject: blob.digest });
    stored.delete(blob.objectKey);
  }
  for (const upload of uploadRows) {
    if (["open", "verifying", "aborted"].includes(upload.state))
      findings.push({ kind: "upload-open", subject: upload.id });
    stored.delete(upload.objectKey);
  }
  for (const { objectKey } of discardedRows) {
    findings.push({ kind: "object-discarded", subject: objectKey });
    stored.delete(objectKey);
  }
  for (const key of stored.keys()) findings.push({ kind: "object-without-row", subject: key });
  return { findings, objects: listed.objects.length, next };
}

/** What foreign keys and CHECKs cannot say. */
async function checkRows(ctx: Context): Promise<Finding[]> {
  const checks: Record<string, ReturnType<typeof sql>> = {
    "image-without-blob": sql`
      SELECT images.id AS subject FROM images LEFT JOIN blobs ON blobs.digest = images.blob_digest
      WHERE images.state = 'published' AND blobs.digest IS NULL`,
    "job-failing": sql`SELECT jobs.id AS subject FROM jobs WHERE jobs.error IS NOT NULL`,
    "tag-on-unpublished-image": sql`
      SELECT tags.image_id || ':' || tags.name AS subject FROM tags INNER JOIN images ON images.id = tags.image_id
      WHERE images.state <> 'published'`,
    "tag-architecture-differs": sql`
      SELECT tags.image_id || ':' || tags.name AS subject FROM tags INNER JOIN images ON images.id = tags.image_id
      WHERE images.arch IS NOT tags.arch`,
    "tag-in-other-container": sql`
      SELECT tags.image_id || ':' || tags.name AS subject FROM tags INNER JOIN images ON images.id = tags.image_id
      WHERE images.container_id <> tags.container_id`,
    ...counts,
  };
  const findings: Finding[] = [];
  for (const [kind, query] of Object.entries(checks)) {
    const rows = await ctx.db.all<{ subject: string }>(sql`${query} LIMIT ${limits.integrityPage}`);
    findings.push(...rows.map(({ subject }) => ({ kind: kind as Finding["kind"], subject })));
  }
  return findings;
}

/** What triggers count, against a count from the beginning: the subject says what stands there, and what should. */
const counts = {
  "container-count-differs": sql`
    SELECT id || ': ' || image_count || ' images, ' || size_bytes || ' bytes; should be ' || images || ', ' || bytes AS subject
    FROM (
      SELECT containers.id, containers.image_count, containers.size_bytes, count(images.id) AS images,
        coalesce(sum(images.size_bytes), 0) AS bytes
      FROM containers LEFT JOIN images ON images.container_id = containers.id AND images.state = 'published'
      GROUP BY containers.id)
    WHERE image_count <> images OR size_bytes <> bytes`,
  "collection-count-differs": sql`
    SELECT id || ': ' || image_count || ' images, ' || size_bytes || ' bytes; should be ' || images || ', ' || bytes AS subject
    FROM (
      SELECT collections.id, collections.image_count, collections.size_bytes, coalesce(sum(copies), 0) AS images,
        coalesce(sum(bytes), 0) AS bytes
      FROM collections LEFT JOIN (
        SELECT containers.collection_id, images.digest, count(*) AS copies, max(images.size_bytes) AS bytes
        FROM images INNER JOIN containers ON containers.id = images.container_id
        WHERE images.state = 'published' GROUP BY containers.collection_id, images.digest
      ) AS contents ON contents.collection_id = collections.id
      GROUP BY collections.id)
    WHERE image_count <> images OR size_bytes <> bytes`,
  "collection-containers-differ": sql`
    SELECT id || ': ' || container_count || ' containers; should be ' || found AS subject
    FROM (
      SELECT collections.id, collections.container_count, count(containers.id) AS found
      FROM collections LEFT JOIN containers ON containers.collection_id = collections.id GROUP BY collections.id)
    WHERE container_count <> found`,
  "entity-size-differs": sql`
    SELECT id || ': ' || size_bytes || ' bytes; should be ' || bytes AS subject
    FROM (
      SELECT entities.id, entities.size_bytes, coalesce(sum(collections.size_bytes), 0) AS bytes
      FROM entities LEFT JOIN collections ON collections.entity_id = entities.id GROUP BY entities.id)
    WHERE size_bytes <> bytes`,
  "image-tags-differ": sql`
    SELECT id || ': ' || tag_count || ' tags; should be ' || found AS subject
    FROM (
      SELECT images.id, images.tag_count, count(tags.name) AS found
      FROM images LEFT JOIN tags ON tags.image_id = images.id GROUP BY images.id)
    WHERE tag_count <> found`,
  "tag-order-missing": sql`
    SELECT tags.image_id || ':' || tags.name AS subject FROM tags WHERE tags.sort_key = ''`,
};
