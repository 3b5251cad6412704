import { type SQL, sql } from "drizzle-orm";
import { type Actor, isAdministrator } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { guardAgainst } from "../../storage/db/guard.ts";
import { guardStillGood } from "../people/still-good.ts";
import type { FoundCollection } from "./collections.ts";
import { isGranted, owns } from "./owns.ts";

/**
 * Refuses who owned the collection when they were asked, and does no more: by its entity, by a role in it, or through
 * a team. Of two owners that remove each other one stays. An administrator's role is guarded with their credential.
 * @throws (the batch) `conflict`
 */
export function guardOwner(ctx: Context, actor: Actor, { collection }: FoundCollection): [Statement, ...Statement[]] {
  const isByRole = actor.kind === "user" && !isAdministrator(actor);
  const isLost = isByRole ? sql`NOT ${isOwner(collection.id, actor.userId)}` : sql`0`;
  return [guardAgainst(ctx.db, "conflict", isLost), ...guardStillGood(ctx, actor)];
}

function isOwner(collectionId: string, userId: string): SQL {
  return sql`EXISTS (
    SELECT 1 FROM collections AS held INNER JOIN entities AS around ON around.id = held.entity_id
    WHERE held.id = ${collectionId} AND (${owns(sql`around.owner_user_id`, userId)}
      OR ${isGranted("owner", sql`held.id`, userId)}))`;
}
