import { type SQL, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { guardAgainst } from "../../storage/db/guard.ts";
import type { Doer } from "../upkeep/audit.ts";
import { actsFor, isGranted } from "./owns.ts";

/**
 * Whether somebody may push to a collection now, in SQL: what the policy says of `collection.push`, for what was begun
 * in their name and ends without them. A test holds the two against each other. As with share links, new terms do not
 * matter, nor the credential it was begun with; and when pushes are turned off, what has arrived goes on.
 * @param userId null for a deleted user, who may not
 */
export function mayPush(ctx: Pick<Context, "now">, userId: SQL | string, collectionId: SQL | string): SQL {
  return sql`EXISTS (
    SELECT 1 FROM users AS pusher
    INNER JOIN collections AS goal ON goal.id = ${collectionId} INNER JOIN entities AS around ON around.id = goal.entity_id
    WHERE pusher.id = ${userId} AND pusher.disabled_at IS NULL AND pusher.is_team = 0 AND (
      pusher.is_superuser = 1 OR pusher.is_admin = 1 OR coalesce(pusher.claimed_admin_until, 0) > ${ctx.now()}
      OR ${actsFor(sql`around.owner_user_id`, sql`pusher.id`)} OR ${isGranted("contributor", sql`goal.id`, sql`pusher.id`)}))`;
}

/**
 * Refuses who lost their right to push between being asked for it and this. A job publishes what was completed: the
 * right counted then.
 */
export function guardPusher(ctx: Context, by: Doer, collectionId: string): Statement[] {
  if (by.kind !== "user") return [];
  return [guardAgainst(ctx.db, "conflict", sql`NOT ${mayPush(ctx, by.userId, collectionId)}`)];
}
