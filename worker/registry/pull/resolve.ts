import { and, desc, eq, type SQL, sql } from "drizzle-orm";
import type { Action } from "../../access/policy.ts";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import {
  blobs,
  collectionMembers,
  collections,
  containers,
  entities,
  images,
  tags,
} from "../../storage/db/schema/catalog.ts";
import { authorize, mayOnCollection } from "../authorize.ts";
import { collectionAt, type FoundContainer } from "../catalog/containers.ts";
import { factColumns, ownMembership } from "../catalog/facts.ts";
import type { Digest } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import type { ImageReference } from "../names.ts";

export type Image = typeof images.$inferSelect;

export type FoundImage = FoundContainer & {
  image: Image;
  /** Where its bytes are; null until it is published. */
  objectKey: string | null;
  tags: string[];
};

/** A found image whose bytes are verified. */
export type PublishedImage = FoundImage & {
  image: { state: "published"; arch: string; sizeBytes: number; digest: Digest; publishedAt: number };
  objectKey: string;
};

/** Tags of the image at hand, as a JSON array in one column. */
export const tagNames = sql<string>`(
  SELECT json_group_array(DISTINCT ${tags.name}) FROM ${tags} WHERE ${tags.imageId} = ${images.id})`.as("tag_names");

const imageColumns = {
  collection: columnsOf(collections),
  entity: columnsOf(entities),
  container: columnsOf(containers),
  image: columnsOf(images),
  objectKey: sql<string | null>`${blobs.objectKey}`.as("object_key"),
  tags: tagNames,
  facts: factColumns,
};

/**
 * The published image a reference names, by one query. A tag is looked up for the architecture asked
 * for; where none is (old clients) amd64 comes first. A digest is found whatever the architecture.
 * @throws `not-found`, also for what the actor may not see; `insufficient-scope`
 */
export async function resolveImage(
  ctx: Context,
  actor: Actor,
  action: Extract<Action, "collection.see" | "collection.pull" | "collection.delete-image" | "collection.manage">,
  reference: ImageReference,
  arch: string | null,
): Promise<PublishedImage> {
  const found = authorize(ctx, actor, action, await findImage(ctx, actor, reference, arch));
  if (!isPublished(found)) throw new RegistryError("not-found");
  return found;
}

/** The same for whoever may be pushing it: an image of theirs is found while its bytes are still to come. */
export async function resolveImageForPush(
  ctx: Context,
  actor: Actor,
  reference: ImageReference,
  arch: string | null,
): Promise<FoundImage> {
  const found = authorize(ctx, actor, "collection.see", await findImage(ctx, actor, reference, arch));
  if (!isPublished(found) && !mayOnCollection(ctx, actor, "collection.push", found.facts)) {
    throw new RegistryError("not-found");
  }
  return found;
}

/** The query for one image whatever its state; `toFoundImage` reads its row. Nothing is decided yet. */
export function imageQuery(ctx: Context, actor: Actor, where: SQL | undefined) {
  return ctx.db
    .select(imageColumns)
    .from(images)
    .innerJoin(containers, eq(containers.id, images.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .leftJoin(collectionMembers, ownMembership(actor))
    .leftJoin(blobs, eq(blobs.digest, images.blobDigest))
    .where(where)
    .limit(1);
}

/** By its own id, for the steps of a push. Null where there is none; nothing is decided yet. */
export async function findImageById(ctx: Context, actor: Actor, id: string): Promise<FoundImage | null> {
  return toFoundImage(await imageQuery(ctx, actor, eq(images.id, id)));
}

export function toFoundImage(rows: (Omit<FoundImage, "tags"> & { tags: string })[]): FoundImage | null {
  const [row] = rows;
  return row === undefined ? null : { ...row, tags: JSON.parse(row.tags) as string[] };
}

export function isPublished(found: FoundImage): found is PublishedImage {
  return found.image.state === "published" && found.objectKey !== null;
}

async function findImage(
  ctx: Context,
  actor: Actor,
  reference: ImageReference,
  arch: string | null,
): Promise<FoundImage | null> {
  const { path, selector } = reference;
  const query = ctx.db
    .select(imageColumns)
    .from(containers)
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .leftJoin(collectionMembers, ownMembership(actor))
    .$dynamic();
  const inPath = and(collectionAt(path), eq(containers.name, path.container));
  return toFoundImage(
    selector.kind === "digest"
      ? await query
          .innerJoin(images, and(eq(images.containerId, containers.id), eq(images.digest, selector.digest)))
          .leftJoin(blobs, eq(blobs.digest, images.blobDigest))
          .where(inPath)
      : await query
          .innerJoin(tags, tagIs(selector.tag, arch))
          .innerJoin(images, eq(images.id, tags.imageId))
          .leftJoin(blobs, eq(blobs.digest, images.blobDigest))
          .where(inPath)
          .orderBy(desc(sql`${tags.arch} = 'amd64'`), desc(tags.updatedAt))
          .limit(1),
  );
}

function tagIs(tag: string, arch: string | null): SQL | undefined {
  return and(eq(tags.containerId, containers.id), eq(tags.name, tag), arch === null ? undefined : eq(tags.arch, arch));
}
