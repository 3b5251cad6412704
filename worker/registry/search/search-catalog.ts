import { and, eq, inArray, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { collections, containers, entities, images, tags } from "../../storage/db/schema/catalog.ts";
import { authorizeList } from "../authorize.ts";
import { visibleTo } from "../catalog/facts.ts";
import { limits } from "../limits.ts";
import { tagNames } from "../pull/resolve.ts";
import { findCandidates } from "./candidates.ts";
import { archFact, signedFact } from "./facts.ts";
import { isOneOf } from "./load-documents.ts";
import { anyFact, matchOf, searchText } from "./match.ts";

export interface SearchQuery {
  text: string;
  /** Only images for these; empty for all. */
  architectures: string[];
  signedOnly: boolean;
}

/**
 * Finds entities, collections, containers and images among what the actor may see: by any part of their names, by
 * words of descriptions and topics, images by their labels and definition files too. The best come first.
 * The index only proposes; the main database decides who sees what, and tells all that is shown.
 * @throws `body-invalid` for a text that is too short or too long, `unavailable`
 */
export async function search(ctx: Context, actor: Actor, query: SearchQuery) {
  authorizeList(ctx, actor);
  const match = matchOf(searchText(query.text));
  if (match === null) return { entities: [], collections: [], containers: [], images: [] };
  const asked = [
    query.architectures.length === 0 ? null : anyFact(query.architectures.map(archFact)),
    query.signedOnly ? anyFact([signedFact(true)]) : null,
  ];
  const { searchCandidates: most } = limits;
  const [entityIds = [], collectionIds = [], containerIds = [], imageIds = []] = await findCandidates(
    ctx,
    actor,
    match,
    [
      { kind: "entity", limit: most.entity },
      { kind: "collection", limit: most.collection },
      { kind: "container", limit: most.container },
      { kind: "image", also: asked, limit: most.image },
    ],
  );
  const [entityRows, collectionRows, containerRows, imageRows] = await ctx.db.batch([
    entitiesQuery(ctx, actor, entityIds),
    collectionsQuery(ctx, actor, collectionIds),
    containersQuery(ctx, actor, containerIds),
    imagesQuery(ctx, actor, imageIds, query),
  ]);
  return {
    entities: inOrder(entityRows, entityIds, (row) => row.entity.id).map((row) => row.entity),
    collections: inOrder(collectionRows, collectionIds, (row) => row.collection.id),
    containers: inOrder(containerRows, containerIds, (row) => row.container.id),
    images: inOrder(imageRows, imageIds, (row) => row.image.id).map((row) => ({
      ...row,
      tags: JSON.parse(row.tags) as string[],
    })),
  };
}

/** What the main database tells, in the order of the candidates. */
export function inOrder<Row>(rows: readonly Row[], ids: readonly string[], idOf: (row: Row) => string): Row[] {
  const byId = new Map(rows.map((row) => [idOf(row), row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

function entitiesQuery({ db, settings }: Context, actor: Actor, ids: readonly string[]) {
  return db
    .selectDistinct({ entity: columnsOf(entities) })
    .from(entities)
    .innerJoin(collections, eq(collections.entityId, entities.id))
    .where(and(isOneOf(entities.id, ids), visibleTo(actor, settings)));
}

function collectionsQuery({ db, settings }: Context, actor: Actor, ids: readonly string[]) {
  return db
    .select({ collection: columnsOf(collections), entity: columnsOf(entities) })
    .from(collections)
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(and(isOneOf(collections.id, ids), visibleTo(actor, settings)));
}

function containersQuery({ db, settings }: Context, actor: Actor, ids: readonly string[]) {
  return db
    .select({ container: columnsOf(containers), collection: columnsOf(collections), entity: columnsOf(entities) })
    .from(containers)
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(and(isOneOf(containers.id, ids), visibleTo(actor, settings)));
}

function imagesQuery({ db, settings }: Context, actor: Actor, ids: readonly string[], query: SearchQuery) {
  return db
    .select({
      image: columnsOf(images),
      container: columnsOf(containers),
      collection: columnsOf(collections),
      entity: columnsOf(entities),
      tags: tagNames,
    })
    .from(images)
    .innerJoin(containers, eq(containers.id, images.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(
      and(
        isOneOf(images.id, ids),
        visibleTo(actor, settings),
        isFindable,
        query.architectures.length === 0 ? undefined : inArray(images.arch, query.architectures),
        query.signedOnly ? eq(images.signed, true) : undefined,
      ),
    );
}

/**
 * Only what somebody named is found: an image whose tag was refused, or moved on, is still there by its
 * digest for whoever knows that.
 */
export const isFindable = sql`${images.state} = 'published'
  AND EXISTS (SELECT 1 FROM ${tags} WHERE ${eq(tags.imageId, images.id)})`;
