import { eq, type SQL, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { guardAgainst } from "../../storage/db/guard.ts";
import { collections, containers, entities, images, tags, wantedTags } from "../../storage/db/schema/catalog.ts";
import { noteUnreferenced } from "./delete-image.ts";
import { buryAll } from "./tombstones.ts";

/**
 * Statements that delete collections and all in them, whatever their number. Their names and short names stay taken
 * until an administrator frees them.
 * @throws (the batch) `frozen` when anything in them is
 */
export function collectionsDeletion(ctx: Context, ids: readonly string[]): [Statement, ...Statement[]] {
  const isOne = sql`${collections.id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;
  const inThem = sql`
    SELECT ${containers.id} FROM ${containers} INNER JOIN ${collections} ON ${eq(collections.id, containers.collectionId)}
    WHERE ${isOne}`;
  const imagesInThem = sql`SELECT ${images.id} FROM ${images} WHERE ${images.containerId} IN (${inThem})`;
  return [
    guardAgainst(ctx.db, "frozen", sql`EXISTS (${frozenThings(inThem)})`),
    buryAll(ctx, "collection", {
      name: sql`${entities.name} || '/' || ${collections.name}`,
      from: sql`${collections} INNER JOIN ${entities} ON ${eq(entities.id, collections.entityId)} WHERE ${isOne}`,
    }),
    buryAll(ctx, "short-name", {
      name: sql`${collections.shortName}`,
      from: sql`${collections} WHERE ${isOne} AND ${collections.shortName} IS NOT NULL`,
    }),
    ctx.db.delete(tags).where(sql`${tags.containerId} IN (${inThem})`),
    ctx.db.delete(wantedTags).where(sql`${wantedTags.imageId} IN (${imagesInThem})`),
    ctx.db.delete(images).where(sql`${images.containerId} IN (${inThem})`),
    ctx.db.delete(collections).where(isOne),
    noteUnreferenced(ctx, null),
  ];
}

/** A query for whatever is frozen in these containers. */
function frozenThings(inThem: SQL): SQL {
  return sql`
    SELECT 1 FROM ${images} WHERE ${images.containerId} IN (${inThem}) AND ${images.frozen} = 1
    UNION ALL
    SELECT 1 FROM ${tags} WHERE ${tags.containerId} IN (${inThem}) AND ${tags.frozen} = 1`;
}
