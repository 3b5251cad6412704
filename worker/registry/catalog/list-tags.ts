import { and, asc, desc, eq, type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { images, tags } from "../../storage/db/schema/catalog.ts";
import { authorize, versionFor } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import type { ContainerPath } from "../names.ts";
import { PAGE_ROWS, type Page, pageOf, readCursor, writeCursor } from "../page.ts";
import { containerIdAt, containerQuery, getContainer } from "./containers.ts";

/*
 * Tags as people look at them: one for each name, whatever the number of architectures that it stands for. Who pulls
 * names a tag, and the client chooses the architecture; two lines for one name would ask them to.
 */

export interface TagOfArch {
  arch: string;
  digest: string;
  sizeBytes: number;
  /** The tag for this architecture. */
  frozen: boolean;
  /** The image it is on. */
  imageFrozen: boolean;
  updatedAt: number;
}

export interface NamedTag {
  name: string;
  /** When it was set last, for whichever architecture. */
  updatedAt: number;
  architectures: TagOfArch[];
}

export const tagOrders = ["natural", "name", "updated"] as const;
export type TagOrder = (typeof tagOrders)[number];
export type Direction = "asc" | "desc";

export interface TagListQuery {
  sort: TagOrder;
  /** Null for the usual one: names forwards, times backwards. */
  direction: Direction | null;
  after: string | null;
}

/**
 * A page of a container's tags: in natural order (v1.10 behind v1.9), by code points, or by when they were set last.
 * One call of the database.
 * @throws `not-found`, `query-invalid`, and what the policy refuses
 */
export async function listNamedTags(
  ctx: Context,
  actor: Actor,
  path: ContainerPath,
  query: TagListQuery,
): Promise<Page<NamedTag>> {
  const [found, rows] = await ctx.db.batch([
    containerQuery(ctx, actor, path),
    tagPageQuery(ctx, containerIdAt(path), query),
  ]);
  authorize(ctx, actor, "collection.see", found[0] ?? null);
  return tagPage(rows, query);
}

/** A tag, and the container it is in. @throws `not-found`, and what the policy refuses */
export async function getNamedTag(
  ctx: Context,
  actor: Actor,
  path: ContainerPath,
  name: string,
): Promise<{ version: number | null; tag: NamedTag }> {
  const found = await getContainer(ctx, actor, path);
  const rows = await tagQuery(ctx, and(eq(tags.containerId, found.container.id), eq(tags.name, name), isFirst)).limit(
    1,
  );
  const [row] = rows;
  if (row === undefined) throw new RegistryError("not-found");
  return { version: versionFor(actor, found.facts, found.container.version), tag: toNamedTag(row) };
}

/** The query for a page; `tagPage` makes its rows one. */
export function tagPageQuery(ctx: Context, containerId: string | SQL, { sort, direction, after }: TagListQuery) {
  const isDown = (direction ?? (sort === "updated" ? "desc" : "asc")) === "desc";
  const { columns, kinds, isRow } = orders[sort];
  const cursor = after === null ? null : readCursor(after, kinds);
  const values = sql.join(
    (cursor ?? []).map((value) => sql`${value}`),
    sql`, `,
  );
  const place = sql.join([...columns], sql`, `);
  const behind = cursor === null ? undefined : sql`(${place}) ${sql.raw(isDown ? "<" : ">")} (${values})`;
  return tagQuery(ctx, and(eq(tags.containerId, containerId), isRow, behind))
    .orderBy(...columns.map((column) => (isDown ? desc(column) : asc(column))))
    .limit(PAGE_ROWS);
}

export function tagPage(rows: TagListRow[], { sort }: Pick<TagListQuery, "sort">): Page<NamedTag> {
  const { items, next } = pageOf(rows, (row) => writeCursor(orders[sort].cursorOf(row)));
  return { items: items.map(toNamedTag), next };
}

/** Of a name's rows, one for each architecture, the one that stands for the name in an order by names. */
const isFirst = sql`NOT EXISTS (
  SELECT 1 FROM ${tags} AS other
  WHERE other.container_id = ${tags.containerId} AND other.name = ${tags.name} AND other.arch < ${tags.arch})`;

/**
 * And in an order by time: the one that was set last. The plus keeps SQLite from an index by time, in which it would
 * look at every tag that was set since.
 */
const isLast = sql`NOT EXISTS (
  SELECT 1 FROM ${tags} AS other
  WHERE other.container_id = ${tags.containerId} AND other.name = ${tags.name}
    AND (+other.updated_at, +other.arch) > (${tags.updatedAt}, ${tags.arch}))`;

/** Each is an index's order. */
const orders = {
  natural: {
    columns: [tags.sortKey, tags.name],
    kinds: ["string", "string"],
    isRow: isFirst,
    cursorOf: (row: TagListRow) => [row.sortKey, row.name],
  },
  name: {
    columns: [tags.name],
    kinds: ["string"],
    isRow: isFirst,
    cursorOf: (row: TagListRow) => [row.name],
  },
  updated: {
    columns: [tags.updatedAt, tags.name],
    kinds: ["number", "string"],
    isRow: isLast,
    cursorOf: (row: TagListRow) => [row.updatedAt, row.name],
  },
} as const;

export interface TagListRow {
  name: string;
  sortKey: string;
  updatedAt: number;
  architectures: string;
}

function tagQuery(ctx: Context, where: SQL | undefined) {
  return ctx.db
    .select({
      name: tags.name,
      sortKey: tags.sortKey,
      updatedAt: tags.updatedAt,
      // Drizzle leaves out a column's table where a query has one alone.
      architectures: sql<string>`(
        SELECT json_group_array(json_object('arch', each.arch, 'digest', image.digest, 'sizeBytes', image.size_bytes,
          'frozen', each.frozen, 'imageFrozen', image.frozen, 'updatedAt', each.updated_at))
        FROM ${tags} AS each INNER JOIN ${images} AS image ON image.id = each.image_id
        WHERE each.container_id = ${tags}.container_id AND each.name = ${tags}.name)`.as("architectures"),
    })
    .from(tags)
    .where(where)
    .$dynamic();
}

function toNamedTag({ name, architectures }: TagListRow): NamedTag {
  const rows = JSON.parse(architectures) as (Omit<TagOfArch, "frozen" | "imageFrozen"> & {
    frozen: number;
    imageFrozen: number;
  })[];
  const found = rows
    .map((row) => ({ ...row, frozen: row.frozen === 1, imageFrozen: row.imageFrozen === 1 }))
    .sort((one, other) => (one.arch < other.arch ? -1 : 1));
  return { name, updatedAt: Math.max(...found.map(({ updatedAt }) => updatedAt)), architectures: found };
}
