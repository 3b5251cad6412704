import { and, asc, eq, inArray, or, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { effectiveVisibility } from "../../access/policy.ts";
import type { Actor, Visibility } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { collections, containers, entities, images, tags } from "../../storage/db/schema/catalog.ts";
import { inspections, labels } from "../../storage/db/schema/inspection.ts";
import { authorizeList } from "../authorize.ts";
import { limits } from "../limits.ts";
import { collectionIs } from "./collections.ts";
import { visibleTo } from "./facts.ts";

/*
 * Lists for protocols that know no architectures: one item for each tag of a container, whatever it is on.
 * Each is one call of the database, and holds only what the actor may see; absent and hidden answer alike.
 */

/** A piece of a list by offset; null for all of it, up to the registry's bound. */
export type Slice = { limit: number; offset: number } | null;

/** What a collection is asked for by: its short name, its entity and name, or its id. */
export type CollectionRef = { shortName: string } | { entity: string; name: string } | { id: string };

/** Which tags: all that is given must fit. Names and tags in any case, but in an id, which is exact. */
export interface TagFilter {
  id?: { containerId: string; tag: string };
  collection?: CollectionRef;
  container?: string;
  tag?: string;
}

/** Where a tag stands. */
export interface TagPlace {
  entity: string;
  collectionId: string;
  collection: string;
  shortName: string | null;
  containerId: string;
  container: string;
  tag: string;
}

/** What became of reading an image's metadata. */
export type InspectionState = { state: "pending" | "done" } | { state: "failed"; reason: string };

export interface TagItem extends TagPlace {
  arch: string;
  digest: string;
  /** Bytes. */
  size: number;
  signed: boolean;
  encrypted: boolean;
  /** The tag, or the image it is on. */
  frozen: boolean;
  /** When the tag was last set, in milliseconds since the epoch. */
  updatedAt: number;
  labels: Record<string, string>;
  inspection: InspectionState;
}

/** An item with all that was read of the image. Both are null while nothing was. */
export interface TagDetails extends TagItem {
  definition: string | null;
  /** JSON, as `inspections.metadata` holds it. */
  metadata: string | null;
}

export interface CollectionItem {
  id: string;
  entity: string;
  collection: string;
  shortName: string | null;
  visibility: Visibility;
  createdAt: number;
  updatedAt: number;
  tags: TagPlace[];
}

/** Selects a `TagPlace` from a query over tags and what they stand in. */
export const placeColumns = {
  entity: sql<string>`${entities.name}`.as("entity_name"),
  collectionId: sql<string>`${collections.id}`.as("collection_id"),
  collection: sql<string>`${collections.name}`.as("collection_name"),
  shortName: sql<string | null>`${collections.shortName}`.as("short_name"),
  containerId: sql<string>`${containers.id}`.as("container_id"),
  container: sql<string>`${containers.name}`.as("container_name"),
  tag: sql<string>`${tags.name}`.as("tag_name"),
};

const itemColumns = {
  ...placeColumns,
  arch: sql<string>`${tags.arch}`.as("tag_arch"),
  digest: sql<string>`${images.digest}`.as("digest"),
  size: sql<number>`${images.sizeBytes}`.as("size_bytes"),
  signed: sql<boolean>`coalesce(${images.signed}, 0)`.mapWith(Boolean).as("signed"),
  encrypted: sql<boolean>`coalesce(${images.encrypted}, 0)`.mapWith(Boolean).as("encrypted"),
  frozen: sql<boolean>`(${tags.frozen} OR ${images.frozen})`.mapWith(Boolean).as("frozen"),
  updatedAt: sql<number>`${tags.updatedAt}`.as("updated_at"),
  state: sql<"done" | "failed" | null>`${inspections.state}`.as("inspection_state"),
  error: sql<string | null>`${inspections.error}`.as("inspection_error"),
};

/**
 * The labels of the image at hand as a JSON object, in the order of their keys, as far as they have so many characters:
 * somebody's image may have a megabyte of them, and any number of tags.
 */
export function labelObject(maxLength: number): SQL<string> {
  return sql<string>`(
    SELECT json_group_object(key, value) FROM (
      SELECT ${labels.key} AS key, ${labels.value} AS value,
        sum(length(${labels.key}) + length(${labels.value})) OVER (ORDER BY ${labels.key}) AS up_to
      FROM ${labels} WHERE ${labels.imageId} = ${images.id})
    WHERE up_to <= ${maxLength})`;
}

const preferred = alias(tags, "preferred");

/** Where a tag's name stands for several architectures it means amd64's image, else the newest. */
const isPreferred = sql`NOT EXISTS (
  SELECT 1 FROM ${tags} AS preferred
  WHERE ${preferred.containerId} = ${tags.containerId} AND ${preferred.name} = ${tags.name}
    AND (${preferred.arch} = 'amd64', ${preferred.updatedAt}, ${preferred.arch})
      > (${tags.arch} = 'amd64', ${tags.updatedAt}, ${tags.arch}))`;

/** The tags that the actor may see and that fit the filter. @throws `unauthenticated` */
export async function listTagItems(
  ctx: Context,
  actor: Actor,
  filter: TagFilter,
  slice: Slice,
): Promise<{ count: number; items: TagItem[] }> {
  authorizeList(ctx, actor);
  const all = rowsOf(sql`${visibleTo(actor, ctx.settings)} AND ${isPreferred}`, fits(filter));
  const inOrder = sql`${entities.name}, ${collections.name}, ${containers.name}, ${tags.name}`;
  // First which, then all about them: otherwise SQLite reads the labels of every one before it takes the page.
  const page = sql`${all} ORDER BY ${inOrder} LIMIT ${slice?.limit ?? limits.listedItems} OFFSET ${slice?.offset ?? 0}`;
  const [counts, rows] = await ctx.db.batch([
    ctx.db.select({ count: sql<number>`count(*)`.as("count") }).from(sql`(${all})`),
    itemQuery(ctx, { withTexts: false }).where(sql`${tags}.rowid IN (${page})`).orderBy(inOrder),
  ]);
  return { count: counts[0]?.count ?? 0, items: rows.map(toItem) };
}

/** The same with all that was read of the images: for what names one tag, as these texts are long. */
export async function listTagDetails(ctx: Context, actor: Actor, filter: TagFilter): Promise<TagDetails[]> {
  authorizeList(ctx, actor);
  const rows = await itemQuery(ctx, { withTexts: true })
    .where(and(visibleTo(actor, ctx.settings), isPreferred, fits(filter)))
    .orderBy(asc(containers.name), asc(tags.name))
    .limit(limits.listedDetails)
    .all();
  return rows.map(toItem);
}

/**
 * Collections the actor may see, oldest first, each with its tags.
 * @param query.matching a part of the short name or of `entity/name`, in any case
 * @throws `unauthenticated`
 */
export async function listCollectionItems(
  ctx: Context,
  actor: Actor,
  query: { is?: CollectionRef; matching?: string },
  slice: Slice,
): Promise<{ count: number; items: CollectionItem[] }> {
  authorizeList(ctx, actor);
  const { db } = ctx;
  const where = and(
    visibleTo(actor, ctx.settings),
    query.is === undefined ? undefined : collectionIs(query.is),
    query.matching === undefined ? undefined : matches(query.matching),
  );
  const page = db
    .select({ id: collections.id })
    .from(collections)
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(where)
    .orderBy(asc(collections.createdAt), asc(collections.id))
    .limit(slice?.limit ?? limits.listedCollections)
    .offset(slice?.offset ?? 0);
  const [counts, rows, tagRows] = await db.batch([
    db
      .select({ count: sql<number>`count(*)`.as("count") })
      .from(collections)
      .innerJoin(entities, eq(entities.id, collections.entityId))
      .where(where),
    db
      .select(collectionColumns)
      .from(collections)
      .innerJoin(entities, eq(entities.id, collections.entityId))
      .where(inArray(collections.id, page))
      .orderBy(asc(collections.createdAt), asc(collections.id)),
    placeQuery(ctx)
      .where(and(inArray(collections.id, page), isPreferred))
      .orderBy(asc(containers.name), asc(tags.name))
      .limit(limits.listedTags),
  ]);
  const byCollection = Map.groupBy(tagRows, ({ collectionId }) => collectionId);
  const items = rows.map((row) => ({
    ...row,
    visibility: effectiveVisibility(row.visibility, ctx.settings),
    tags: byCollection.get(row.id) ?? [],
  }));
  return { count: counts[0]?.count ?? 0, items };
}

const collectionColumns = {
  id: sql<string>`${collections.id}`.as("collection_id"),
  entity: placeColumns.entity,
  collection: placeColumns.collection,
  shortName: placeColumns.shortName,
  visibility: sql<Visibility>`${collections.visibility}`.as("visibility"),
  createdAt: sql<number>`${collections.createdAt}`.as("created_at"),
  updatedAt: sql<number>`${collections.updatedAt}`.as("updated_at"),
};

const isOn = and(eq(images.id, tags.imageId), eq(images.state, "published"));

function placeQuery(ctx: Context) {
  return ctx.db
    .select(placeColumns)
    .from(tags)
    .innerJoin(images, isOn)
    .innerJoin(containers, eq(containers.id, tags.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId));
}

/**
 * The row numbers of tags. Without a filter the tables are joined in the order of the list, each by an index in that
 * order, so that nothing is sorted for a page of it; with one, SQLite begins where the filter leads.
 */
function rowsOf(where: SQL, filter: SQL | undefined): SQL {
  const join = sql.raw(filter === undefined ? "CROSS JOIN" : "INNER JOIN");
  return sql`
    SELECT ${tags}.rowid FROM ${entities}
    ${join} ${collections} ON ${collections.entityId} = ${entities.id}
    ${join} ${containers} ON ${containers.collectionId} = ${collections.id}
    ${join} ${tags} ON ${tags.containerId} = ${containers.id}
    ${join} ${images} ON ${isOn}
    WHERE ${where} AND ${filter ?? sql`1`}`;
}

function itemQuery(ctx: Context, { withTexts }: { withTexts: boolean }) {
  const text = (column: SQLWrapper) => sql<string | null>`${withTexts ? column : sql`NULL`}`;
  const { definition, metadata } = inspections;
  const labelTexts = labelObject(withTexts ? limits.sifInspectionBytes : limits.listedLabelsLength).as("labels");
  return ctx.db
    .select({
      ...itemColumns,
      labels: labelTexts,
      definition: text(definition).as("definition"),
      metadata: text(metadata).as("metadata"),
    })
    .from(tags)
    .innerJoin(images, isOn)
    .innerJoin(containers, eq(containers.id, tags.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .leftJoin(inspections, eq(inspections.imageId, images.id));
}

function fits({ id, collection, container, tag }: TagFilter): SQL | undefined {
  return and(
    id === undefined ? undefined : and(eq(tags.containerId, id.containerId), eq(tags.name, id.tag)),
    collection === undefined ? undefined : collectionIs(collection),
    container === undefined ? undefined : eq(containers.name, container.toLowerCase()),
    tag === undefined ? undefined : sql`${tags.name} COLLATE NOCASE = ${tag}`,
  );
}

function matches(text: string): SQL | undefined {
  return or(
    contains(sql`${entities.name} || '/' || ${collections.name}`, text),
    contains(sql`coalesce(${collections.shortName}, '')`, text),
  );
}

/** instr, not LIKE: D1 refuses patterns above 50 bytes, and nothing needs escaping. */
function contains(value: SQLWrapper, text: string): SQL {
  return sql`instr(${value}, ${text.toLowerCase()}) > 0`;
}

type ItemRow = Omit<TagDetails, "labels" | "inspection"> & {
  labels: string;
  state: "done" | "failed" | null;
  error: string | null;
};

function toItem({ labels: text, state, error, ...row }: ItemRow): TagDetails {
  return { ...row, labels: JSON.parse(text) as Record<string, string>, inspection: inspectionState(state, error) };
}

/** From the columns of `inspections`; null where there is no row. */
export function inspectionState(state: "done" | "failed" | null, error: string | null): InspectionState {
  return state === "failed" ? { state, reason: error ?? "unknown" } : { state: state ?? "pending" };
}
