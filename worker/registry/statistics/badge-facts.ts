import { sql } from "drizzle-orm";
import { anonymous } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { collections, containers, entities, images, tags } from "../../storage/db/schema/catalog.ts";
import { mayOnCollection } from "../authorize.ts";
import { collectionIs } from "../catalog/collections.ts";
import { factsFor } from "../catalog/facts.ts";
import type { StatisticsPath } from "./pull-statistics.ts";

/** What badges of a collection or a container say. */
export interface BadgeFacts {
  pulls: number;
  stars: number;
  /** The newest image with a tag; null where there is none, and for a collection. */
  newest: { tag: string; bytes: number } | null;
}

/** Null for what not everybody may see, and for what is not there. Whoever reads a page with a badge is nobody to us. */
export async function findBadgeFacts(ctx: Context, path: StatisticsPath): Promise<BadgeFacts | null> {
  const isContainer = path.container !== null;
  // Of an image's tags one that says more than `latest`.
  const newest = sql<string | null>`(
    SELECT json_object('tag', ${tags.name}, 'bytes', ${images.sizeBytes})
    FROM ${images} CROSS JOIN ${tags} ON ${tags.imageId} = ${images.id}
    WHERE ${images.containerId} = ${containers.id} AND ${images.state} = 'published'
    ORDER BY ${images.publishedAt} DESC, ${tags.name} = 'latest', ${tags.sortKey} DESC LIMIT 1)`;
  const name = path.container?.toLowerCase() ?? null;
  const inIt = sql`${containers.collectionId} = ${collections.id} AND ${containers.name} = ${name}`;
  const row = await ctx.db
    .select({
      facts: factsFor(anonymous),
      containerId: sql<string | null>`${containers.id}`.as("container_id"),
      pulls: sql<number>`${isContainer ? containers.pullCount : collections.pullCount}`.as("pulls"),
      stars: sql<number>`${collections.starCount}`.as("stars"),
      newest: newest.as("newest"),
    })
    .from(collections)
    .innerJoin(entities, sql`${entities.id} = ${collections.entityId}`)
    .leftJoin(containers, inIt)
    .where(collectionIs(path))
    .get();
  if (row === undefined || (isContainer && row.containerId === null)) return null;
  if (!mayOnCollection(ctx, anonymous, "collection.see", row.facts)) return null;
  const { pulls, stars } = row;
  return { pulls, stars, newest: row.newest === null ? null : (JSON.parse(row.newest) as BadgeFacts["newest"]) };
}
