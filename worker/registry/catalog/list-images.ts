import { and, desc, eq, type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { blobs, images, tags } from "../../storage/db/schema/catalog.ts";
import { inspections } from "../../storage/db/schema/inspection.ts";
import { authorize, mayOnCollection } from "../authorize.ts";
import { limits } from "../limits.ts";
import type { ContainerPath } from "../names.ts";
import { PAGE_ROWS, type Page, pageOf, readCursor, writeCursor } from "../page.ts";
import { goodBlob, verification } from "../pull/resolve.ts";
import { containerIdAt, containerQuery } from "./containers.ts";
import { type ImageState, imageState } from "./image-state.ts";
import type { InspectionState } from "./listing.ts";

/** Which images: those that can be pulled, those of them without a tag, or those whose bytes are still to come. */
export type ImageFilter = "all" | "untagged" | "pending";

/** What is known of the content is null until it was published. */
export interface ListedImage {
  digest: string;
  description: string;
  arch: string | null;
  sizeBytes: number | null;
  signed: boolean | null;
  encrypted: boolean | null;
  frozen: boolean;
  createdAt: number;
  publishedAt: number | null;
  /** The first of them, in natural order; `tagCount` counts all. */
  tags: string[];
  tagCount: number;
  /** What became of reading it, and for who may push why that failed. */
  inspection: { state: InspectionState["state"]; reason: string | null };
  /** For who may push; null for others. */
  state: ImageState | null;
}

/**
 * A page of a container's images, the newest first. One call of the database.
 * @throws `not-found`, `query-invalid`, and what the policy refuses: images to come are for who may push
 */
export async function listImages(
  ctx: Context,
  actor: Actor,
  path: ContainerPath,
  { filter, after }: { filter: ImageFilter; after: string | null },
): Promise<Page<ListedImage>> {
  const [found, rows] = await ctx.db.batch([
    containerQuery(ctx, actor, path),
    imagePageQuery(ctx, containerIdAt(path), { filter, after, rows: PAGE_ROWS }),
  ]);
  const { facts } = authorize(
    ctx,
    actor,
    filter === "pending" ? "collection.push" : "collection.see",
    found[0] ?? null,
  );
  const seesState = mayOnCollection(ctx, actor, "collection.push", facts);
  const { items, next } = pageOf(rows, (row) => {
    return writeCursor([(filter === "pending" ? row.createdAt : row.publishedAt) ?? 0, row.id]);
  });
  return { items: items.map((row) => toListedImage(row, seesState)), next };
}

/** Written out, as the indexes have them: a parameter would not use those. */
const conditions: Record<ImageFilter, SQL> = {
  all: sql`${images}.state = 'published'`,
  untagged: sql`${images}.state = 'published' AND ${images}.tag_count = 0`,
  pending: sql`${images}.state = 'registered'`,
};

/** The query for some of a container's images; `toListedImage` reads its rows. */
export function imagePageQuery(
  ctx: Context,
  containerId: string | SQL,
  { filter, after, rows }: { filter: ImageFilter; after: string | null; rows: number },
) {
  const at = filter === "pending" ? images.createdAt : images.publishedAt;
  const [time, id] = after === null ? [] : readCursor(after, ["number", "string"]);
  return ctx.db
    .select(imageListColumns)
    .from(images)
    .leftJoin(blobs, goodBlob)
    .leftJoin(inspections, eq(inspections.imageId, images.id))
    .where(
      and(
        eq(images.containerId, containerId),
        conditions[filter],
        id === undefined ? undefined : sql`(${at}, ${images.id}) < (${time}, ${id})`,
      ),
    )
    .orderBy(desc(at), desc(images.id))
    .limit(rows);
}

export const imageListColumns = {
  id: sql<string>`${images.id}`.as("image_id"),
  digest: sql<string>`${images.digest}`.as("image_digest"),
  description: images.description,
  arch: images.arch,
  sizeBytes: sql<number | null>`${images.sizeBytes}`.as("image_size"),
  signed: images.signed,
  encrypted: images.encrypted,
  frozen: images.frozen,
  createdAt: sql<number>`${images.createdAt}`.as("registered_at"),
  publishedAt: images.publishedAt,
  tagCount: images.tagCount,
  refusedReason: images.refusedReason,
  imageState: sql<"registered" | "published">`${images.state}`.as("image_state"),
  objectKey: sql<string | null>`${blobs.objectKey}`.as("object_key"),
  verification,
  inspectionState: sql<"done" | "failed" | null>`${inspections.state}`.as("inspection_state"),
  inspectionError: sql<string | null>`${inspections.error}`.as("inspection_error"),
  tags: sql<string>`(
    SELECT json_group_array(name) FROM (
      SELECT named.name FROM ${tags} AS named WHERE named.image_id = ${images.id}
      ORDER BY named.sort_key, named.name LIMIT ${limits.tagsOfListedImage}))`.as("tag_names"),
};

export type ImageListRow = Awaited<ReturnType<typeof imagePageQuery>>[number];

/** @param seesState whether it is for somebody who may push */
export function toListedImage(row: ImageListRow, seesState: boolean): ListedImage {
  const { id: _, imageState: state, objectKey, refusedReason, verification: progress, ...rest } = row;
  const { inspectionState: read, inspectionError, tags: names, ...image } = rest;
  return {
    ...image,
    tags: JSON.parse(names) as string[],
    inspection: { state: read ?? "pending", reason: seesState ? inspectionError : null },
    state: seesState ? imageState({ state, objectKey, refusedReason, progress }) : null,
  };
}
