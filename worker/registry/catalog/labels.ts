import { and, asc, eq, gt, type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { collections, containers, entities, images, tags } from "../../storage/db/schema/catalog.ts";
import { labels } from "../../storage/db/schema/inspection.ts";
import { authorizeList } from "../authorize.ts";
import { limits } from "../limits.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import { tagNames } from "../pull/resolve.ts";
import { visibleTo } from "./facts.ts";
import { placeColumns, type TagPlace } from "./listing.ts";

/*
 * Labels of images that have a tag and that the actor may see; nothing else is listed, and nothing else counted.
 * Keys and values are found in any case of their letters, and keep their own.
 */

// As the indexes have them: another form would not use them.
const key = sql`${labels.key} COLLATE NOCASE`;
const value = sql`${labels.value} COLLATE NOCASE`;

const isLabelled = and(eq(images.id, labels.imageId), eq(images.state, "published"));

const isTagged = sql`EXISTS (SELECT 1 FROM ${tags} WHERE ${eq(tags.imageId, images.id)})`;

export interface LabelKey {
  key: string;
  /** How many different values it has. */
  values: number;
  images: number;
}

/** A page of all keys, in the order of the alphabet. @throws `unauthenticated` */
export async function listLabelKeys(ctx: Context, actor: Actor, after: string | null): Promise<Page<LabelKey>> {
  const rows = await ctx.db
    .select({
      key: sql<string>`min(${labels.key})`.as("label_key"),
      values: sql<number>`count(DISTINCT ${value})`.as("label_values"),
      images: sql<number>`count(DISTINCT ${images.id})`.as("label_images"),
    })
    .from(labels)
    .innerJoin(images, isLabelled)
    .innerJoin(containers, eq(containers.id, images.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(labelIs(ctx, actor, after === null ? undefined : gt(key, after)))
    .groupBy(key)
    .orderBy(key)
    .limit(PAGE_ROWS)
    .all();
  return pageOf(rows, (row) => row.key);
}

export interface LabelValue {
  value: string;
  images: number;
}

/** A page of the values of a key, each with how many images have it. @throws `unauthenticated` */
export async function listLabelValues(
  ctx: Context,
  actor: Actor,
  input: { key: string; after: string | null },
): Promise<Page<LabelValue>> {
  const rows = await ctx.db
    .select({
      value: sql<string>`min(${labels.value})`.as("label_value"),
      images: sql<number>`count(DISTINCT ${images.id})`.as("label_images"),
    })
    .from(labels)
    .innerJoin(images, isLabelled)
    .innerJoin(containers, eq(containers.id, images.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(labelIs(ctx, actor, sql`${key} = ${input.key}`, input.after === null ? undefined : gt(value, input.after)))
    .groupBy(value)
    .orderBy(value)
    .limit(PAGE_ROWS)
    .all();
  return pageOf(rows, (row) => row.value);
}

export interface LabelledImage {
  id: string;
  entity: string;
  collection: string;
  container: string;
  tags: string[];
  digest: string;
  arch: string;
}

/** A page of the images with a label. `after` is the last page's `next`. @throws `unauthenticated` */
export async function listLabelledImages(
  ctx: Context,
  actor: Actor,
  input: { key: string; value: string; after: string | null },
): Promise<Page<LabelledImage>> {
  const rows = await ctx.db
    .select({
      id: sql<string>`${images.id}`.as("image_id"),
      entity: sql<string>`${entities.name}`.as("entity_name"),
      collection: sql<string>`${collections.name}`.as("collection_name"),
      container: sql<string>`${containers.name}`.as("container_name"),
      digest: sql<string>`${images.digest}`.as("digest"),
      arch: sql<string>`${images.arch}`.as("arch"),
      tags: tagNames,
    })
    .from(labels)
    .innerJoin(images, isLabelled)
    .innerJoin(containers, eq(containers.id, images.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(
      labelIs(
        ctx,
        actor,
        sql`${key} = ${input.key}`,
        sql`${value} = ${input.value}`,
        input.after === null ? undefined : gt(images.id, input.after),
      ),
    )
    // Two keys that differ in case alone are two rows of one image.
    .groupBy(images.id)
    .orderBy(asc(images.id))
    .limit(PAGE_ROWS)
    .all();
  return pageOf(
    rows.map((row) => ({ ...row, tags: JSON.parse(row.tags) as string[] })),
    (row) => row.id,
  );
}

export interface FoundLabel {
  key: string;
  value: string;
  /** The tags of images that have it. */
  places: TagPlace[];
}

/**
 * Labels by key, by value, by both or all, as sregistry lists them. Long values are found by their value alone.
 * @throws `unauthenticated`
 */
export async function findLabels(
  ctx: Context,
  actor: Actor,
  query: { key: string | null; value: string | null },
): Promise<FoundLabel[]> {
  const rows = await ctx.db
    .select({
      key: sql<string>`${labels.key}`.as("label_key"),
      value: sql<string>`${labels.value}`.as("label_value"),
      ...placeColumns,
    })
    .from(labels)
    .innerJoin(images, isLabelled)
    .innerJoin(containers, eq(containers.id, images.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .innerJoin(tags, eq(tags.imageId, images.id))
    .where(
      labelIs(
        ctx,
        actor,
        query.key === null ? undefined : sql`${key} = ${query.key}`,
        query.value === null
          ? sql`length(${labels.value}) <= ${limits.foundLabelLength}`
          : sql`${value} = ${query.value}`,
      ),
    )
    // An image of each architecture may bear the tag, and the label.
    .groupBy(labels.key, labels.value, containers.id, tags.name)
    .orderBy(asc(labels.key), asc(labels.value), asc(entities.name), asc(collections.name), asc(containers.name))
    .limit(limits.listedTags)
    .all();
  const found = new Map<string, FoundLabel>();
  for (const { key: labelKey, value: labelValue, ...place } of rows) {
    const id = JSON.stringify([labelKey, labelValue]);
    const label = found.get(id) ?? { key: labelKey, value: labelValue, places: [] };
    label.places.push(place);
    found.set(id, label);
  }
  return [...found.values()];
}

function labelIs(ctx: Context, actor: Actor, ...conditions: (SQL | undefined)[]): SQL | undefined {
  authorizeList(ctx, actor);
  return and(visibleTo(actor, ctx.settings), isTagged, ...conditions);
}
