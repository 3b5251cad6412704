import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import { images, tags } from "../../storage/db/schema/catalog.ts";
import { limits } from "../limits.ts";
import { type Mark, markOf } from "../shown.ts";
import type { FoundContainer } from "./containers.ts";
import { isLiveShare } from "./image-details.ts";
import { isUnderWay } from "./under-way.ts";

/** What deleting a container, or something in it, would take along. */
export interface ContentDeletion {
  images: number;
  /** Of the first of them. */
  digests: string[];
  /** How many references by tag break, one for each architecture. */
  tags: number;
  /** The first of them, in natural order. */
  tagNames: string[];
  /** By how much the collection gets smaller. Whether the bytes are freed depends on who else has the same content. */
  bytes: number;
  /** Share links that work, and end. */
  shares: number;
  /** Bytes that are on their way to what goes. */
  uploads: number;
  /** What must be settled first, in sentences. */
  obstacles: string[];
}

/** What would go: conditions over `images` and `tags`. Frozen images that only lose a tag are in the way as well. */
export interface Doomed {
  /** Published ones, and one that is named. */
  images: SQL | undefined;
  /** Those too whose bytes are still to come. */
  all: SQL | undefined;
  tags: SQL | undefined;
  touched: SQL | undefined;
}

/** What the database says of it. The container's version counts what changes in it, but for what has a mark. */
export interface ContentFacts {
  version: number | null;
  readOnly: 0 | 1 | null;
  images: number;
  bytes: number;
  digests: string[];
  tags: number;
  tagNames: string[];
  frozenTags: number;
  frozenImages: number;
  shares: number;
  uploads: Mark;
}

/** An expression for what a deletion would take along, as one JSON text. */
export function contentFactsOf(ctx: Context, { container, collection }: FoundContainer, doomed: Doomed): SQL {
  const now = ctx.now();
  // A digest stands in a container once, so that another image with it is in another container, and stays.
  const isElsewhere = sql`EXISTS (
    SELECT 1 FROM images AS other INNER JOIN containers AS place ON place.id = other.container_id
    WHERE other.blob_digest = ${images.blobDigest} AND other.id <> ${images.id} AND place.collection_id = ${collection.id})`;
  const theirs = (where: SQL | undefined) => sql`SELECT ${images.id} FROM ${images} WHERE ${where}`;
  return sql`json_object(
    'version', (SELECT c.version FROM containers AS c WHERE c.id = ${container.id}),
    'readOnly', (SELECT c.read_only FROM containers AS c WHERE c.id = ${container.id}),
    'images', (SELECT count(*) FROM ${images} WHERE ${doomed.images}),
    'bytes', (SELECT coalesce(sum(CASE WHEN ${isElsewhere} THEN 0 ELSE ${images.sizeBytes} END), 0) FROM ${images} WHERE ${doomed.images}),
    'digests', json((SELECT json_group_array(digest) FROM (
      SELECT ${images.digest} AS digest FROM ${images} WHERE ${doomed.images} ORDER BY ${images.digest} LIMIT ${limits.previewNames}))),
    'tags', (SELECT count(*) FROM ${tags} WHERE ${doomed.tags}),
    'tagNames', json((SELECT json_group_array(name) FROM (
      SELECT DISTINCT ${tags.name} AS name, ${tags.sortKey} FROM ${tags} WHERE ${doomed.tags}
      ORDER BY ${tags.sortKey}, ${tags.name} LIMIT ${limits.previewNames}))),
    'frozenTags', (SELECT count(*) FROM ${tags} WHERE ${and(doomed.tags, eq(tags.frozen, true))}),
    'frozenImages', (SELECT count(*) FROM ${images} WHERE ${and(doomed.touched, eq(images.frozen, true))}),
    'shares', (SELECT count(*) FROM shares WHERE image_id IN (${theirs(doomed.all)}) AND ${isLiveShare(now)}),
    'uploads', json(${markOf(sql`uploads`, sql`id`, sql`image_id IN (${theirs(doomed.all)}) AND ${isUnderWay(now)}`)}))`;
}

/** What these facts come to. */
export function describeContentDeletion(facts: ContentFacts): ContentDeletion {
  const { version: _, readOnly, frozenImages, frozenTags, uploads, ...shown } = facts;
  return {
    ...shown,
    uploads: uploads.count,
    obstacles: [
      ...(readOnly === 1 ? ["The container is read-only."] : []),
      ...(frozenImages > 0 ? [`Frozen images: ${frozenImages}. Thaw them first.`] : []),
      ...(frozenTags > 0 ? [`Frozen tags: ${frozenTags}. Thaw them first.`] : []),
    ],
  };
}
