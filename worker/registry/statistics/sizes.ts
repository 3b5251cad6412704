import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { statement } from "../../storage/db/client.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { collections, entities } from "../../storage/db/schema/catalog.ts";
import { authorize, authorizeList } from "../authorize.ts";
import type { CollectionPath } from "../catalog/collections.ts";
import { collectionIs } from "../catalog/collections.ts";
import { factsFor } from "../catalog/facts.ts";
import { visibleBranches, withEntity } from "../catalog/visible-branches.ts";
import { PAGE_ROWS, type Page, pageOf, readCursor, writeCursor } from "../page.ts";

/** How much space something takes, for a map of the whole. */
export interface Size {
  /** `entity/collection`, or `entity/collection/container`. */
  name: string;
  /** In a collection each content counts once, so that it may be less than its containers together. */
  bytes: number;
  images: number;
  /** Of a collection; null of a container. */
  containers: number | null;
}

/** `id`: what those of one size are ordered by. */
type Row = Size & { id: string };

/** A page of the collections that the actor may see, the largest first. @throws `unauthenticated`, `query-invalid` */
export async function collectionSizes(ctx: Context, actor: Actor, after: string | null): Promise<Page<Size>> {
  authorizeList(ctx, actor);
  const behind = isBehind(sql`collections.size_bytes, collections.id`, after);
  const parts = visibleBranches(actor, ctx.settings, null).map(
    ({ from, where }) => sql`
      SELECT * FROM (
        SELECT collections.id AS id, entities.name || '/' || collections.name AS name, collections.size_bytes AS bytes,
          collections.image_count AS images, collections.container_count AS containers
        FROM ${withEntity(from)} WHERE ${where} ${behind} ORDER BY collections.size_bytes DESC, collections.id DESC LIMIT ${PAGE_ROWS})`,
  );
  if (parts.length === 0) return { items: [], next: null };
  const rows = await ctx.db.all<Row>(sql`
    ${sql.join(parts, sql` UNION ALL `)} ORDER BY bytes DESC, id DESC LIMIT ${PAGE_ROWS}`);
  return page(rows);
}

/** The same of the containers in one collection. @throws `not-found`, `query-invalid` */
export async function containerSizes(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  after: string | null,
): Promise<Page<Size>> {
  const { db } = ctx;
  const behind = isBehind(sql`containers.size_bytes, containers.name`, after);
  const results = await db.batch([
    db
      .select({ facts: factsFor(actor), collection: columnsOf(collections) })
      .from(collections)
      .innerJoin(entities, sql`${entities.id} = ${collections.entityId}`)
      .where(collectionIs(path)),
    statement(
      db,
      sql`
      SELECT containers.name AS id, entities.name || '/' || collections.name || '/' || containers.name AS name,
        containers.size_bytes AS bytes, containers.image_count AS images, NULL AS containers
      FROM entities
      CROSS JOIN collections ON collections.entity_id = entities.id AND collections.name = ${path.name.toLowerCase()}
      CROSS JOIN containers ON containers.collection_id = collections.id
      WHERE entities.name = ${path.entity.toLowerCase()} ${behind}
      ORDER BY containers.size_bytes DESC, containers.name DESC LIMIT ${PAGE_ROWS}`,
    ),
  ]);
  const [found, { results: rows }] = results as unknown as [(typeof results)[0], { results: Row[] }];
  authorize(ctx, actor, "collection.see", found[0] ?? null);
  return page(rows);
}

function isBehind(place: SQL, after: string | null): SQL {
  if (after === null) return sql``;
  const [bytes, id] = readCursor(after, ["number", "string"]);
  return sql`AND (${place}) < (${bytes}, ${id})`;
}

function page(rows: Row[]): Page<Size> {
  const { items, next } = pageOf(rows, ({ bytes, id }) => writeCursor([bytes, id]));
  return { items: items.map(({ id: _, ...size }) => size), next };
}
