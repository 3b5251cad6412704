import { and, eq, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { guardAgainst } from "../../storage/db/guard.ts";
import { stars } from "../../storage/db/schema/sharing.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize } from "../authorize.ts";
import { limits } from "../limits.ts";
import { PAGE_ROWS, type Page, pageOf, readCursor, writeCursor } from "../page.ts";
import { asUser } from "../people/user-actor.ts";
import { type CollectionPath, findCollection } from "./collections.ts";
import { isWithin, visibleTo } from "./facts.ts";

/*
 * Collections that people marked. They change nothing for anybody else but a number, so that the audit log does not have them:
 * nobody is told who starred what.
 */

/** A starred collection. `starredAt` is in milliseconds. */
export interface Star {
  entity: string;
  collection: string;
  description: string;
  stars: number;
  starredAt: number;
}

/** Stars a collection; one that is starred stays so. @throws `not-found`, `limit-reached`, and what the policy refuses */
export async function star(ctx: Context, actor: Actor, path: CollectionPath): Promise<void> {
  const { collection } = authorize(ctx, actor, "collection.star", await findCollection(ctx, actor, path));
  const { userId } = asUser(actor);
  const others = sql`(
    SELECT count(*) FROM ${stars} WHERE ${stars.userId} = ${userId} AND ${stars.collectionId} <> ${collection.id})`;
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "limit-reached", sql`${others} >= ${limits.starsPerUser}`),
    ctx.db.insert(stars).values({ userId, collectionId: collection.id, createdAt: ctx.now() }).onConflictDoNothing(),
  ]);
}

/** Takes the star away, if there is one. @throws `not-found`, and what the policy refuses */
export async function unstar(ctx: Context, actor: Actor, path: CollectionPath): Promise<void> {
  const { collection } = authorize(ctx, actor, "collection.star", await findCollection(ctx, actor, path));
  await ctx.db.delete(stars).where(and(eq(stars.userId, asUser(actor).userId), eq(stars.collectionId, collection.id)));
}

/**
 * A page of what the actor has starred, the newest first. What they see no more is left out, and tells nothing.
 * @throws `unauthenticated`
 */
export async function listStars(ctx: Context, actor: Actor, after: string | null): Promise<Page<Star>> {
  const { userId } = asUser(actor);
  const cursor = after === null ? null : readCursor(after, ["number", "string"]);
  const behind = cursor === null ? sql`1` : sql`(star.created_at, star.collection_id) < (${cursor[0]}, ${cursor[1]})`;
  const rows = await ctx.db.all<Star & { id: string }>(sql`
    SELECT collections.id AS id, entities.name AS entity, collections.name AS collection, collections.description,
      collections.star_count AS stars, star.created_at AS starredAt
    FROM stars AS star
    CROSS JOIN collections ON collections.id = star.collection_id
    CROSS JOIN entities ON entities.id = collections.entity_id
    WHERE star.user_id = ${userId} AND ${behind} AND ${visibleTo(actor, ctx.settings)}
      AND ${isWithin(actor, sql`star.collection_id`)}
    ORDER BY star.created_at DESC, star.collection_id DESC LIMIT ${PAGE_ROWS}`);
  const { items, next } = pageOf(rows, ({ starredAt, id }) => writeCursor([starredAt, id]));
  return { items: items.map(({ id: _, ...item }) => item), next };
}
