import { and, eq, sql } from "drizzle-orm";
import { type Actor, anonymous, type UserActor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { collections, entities } from "../../storage/db/schema/catalog.ts";
import { handOvers } from "../../storage/db/schema/sharing.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnEntity } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import { guardStillGood } from "../people/still-good.ts";
import { asUser } from "../people/user-actor.ts";
import { auditRow } from "../upkeep/audit.ts";
import type { CollectionPath, FoundCollection } from "./collections.ts";
import { pathOf } from "./edit-collection.ts";
import { factsFor } from "./facts.ts";
import { moveTo, type Target } from "./hand-over.ts";
import { owns } from "./owns.ts";

/** A collection that somebody would give the actor. Times are milliseconds. */
export interface Offer {
  entity: string;
  collection: string;
  description: string;
  images: number;
  sizeBytes: number;
  offeredBy: string;
  /** The actor's entity it would go to, their own or a team's. */
  to: string;
  expiresAt: number;
}

/** A page of what is offered to the actor and to teams they own, by path. One query. @throws `unauthenticated` */
export async function listOffers(ctx: Context, actor: Actor, after: string | null): Promise<Page<Offer>> {
  const me = asUser(actor);
  if (me.credential.collectionId !== null) throw new RegistryError("insufficient-scope");
  const rows = await ctx.db.all<Offer>(sql`
    SELECT source.name AS entity, c.name AS collection, c.description, c.image_count AS images, c.size_bytes AS sizeBytes,
      giver.username AS offeredBy, target.name AS "to", offer.expires_at AS expiresAt
    FROM (SELECT value AS id FROM json_each(${ownedAccounts(me)})) AS account
    CROSS JOIN hand_overs AS offer ON offer.to_user_id = account.id
    INNER JOIN collections AS c ON c.id = offer.collection_id
    INNER JOIN entities AS source ON source.id = c.entity_id
    INNER JOIN entities AS target ON target.id = offer.to_entity_id
    INNER JOIN users AS giver ON giver.id = offer.offered_by
    WHERE ${isGood(ctx)} AND ${after === null ? sql`1` : sql`source.name || '/' || c.name > ${after}`}
    ORDER BY source.name || '/' || c.name LIMIT ${PAGE_ROWS}`);
  return pageOf(rows, ({ entity, collection }) => `${entity}/${collection}`);
}

/**
 * Takes a collection that was offered: it moves as in `handOver`.
 * @throws `not-found` where nothing is offered (any more), `name-taken`, `collection-limit`, `quota-exceeded`, `conflict`, and
 *   what the policy refuses
 */
export async function acceptHandOver(ctx: Context, actor: Actor, path: CollectionPath): Promise<Target> {
  const { found, target } = await findOffer(ctx, actor, path);
  const isStill = sql`EXISTS (
    SELECT 1 FROM hand_overs AS offer
    INNER JOIN collections AS c ON c.id = offer.collection_id
    INNER JOIN entities AS source ON source.id = c.entity_id
    INNER JOIN entities AS target ON target.id = offer.to_entity_id
    INNER JOIN users AS giver ON giver.id = offer.offered_by
    WHERE c.id = ${found.collection.id} AND target.id = ${target.id} AND ${isGood(ctx)}
      AND ${owns(sql`target.owner_user_id`, asUser(actor).userId)})`;
  const isNone = guardAgainst(ctx.db, "not-found", sql`NOT ${isStill}`);
  await moveTo(ctx, actor, { found, target, guards: [isNone, ...guardStillGood(ctx, actor)] });
  return target;
}

/** Does without it. @throws `not-found`, and what the policy refuses */
export async function declineHandOver(ctx: Context, actor: Actor, path: CollectionPath): Promise<void> {
  const { found, target } = await findOffer(ctx, actor, path);
  await writeTogether(ctx.db, [
    // Another one may have been made to somebody else meanwhile.
    ctx.db
      .delete(handOvers)
      .where(and(eq(handOvers.collectionId, found.collection.id), eq(handOvers.toEntityId, target.id))),
    guardChanged(ctx.db, "not-found"),
    auditRow(ctx, actor, "collection.decline-offer", pathOf(found), { in: found.collection.id }),
  ]);
}

/** An offer that may be taken: in time, of one who may still give, to who still owns the entity it is to go to. */
function isGood(ctx: Context) {
  return sql`offer.expires_at > ${ctx.now()} AND giver.disabled_at IS NULL AND target.owner_user_id = offer.to_user_id
    AND ${owns(sql`source.owner_user_id`, sql`giver.id`)}`;
}

function ownedAccounts(me: UserActor): string {
  return JSON.stringify([me.userId, ...me.teams.filter(({ role }) => role === "owner").map(({ id }) => id)]);
}

/** What is offered to somebody else looks absent. */
async function findOffer(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
): Promise<{ found: FoundCollection; target: Target }> {
  const me = asUser(actor);
  const [row] = await ctx.db
    .select({
      collection: columnsOf(collections),
      entity: columnsOf(entities),
      facts: factsFor(anonymous),
      targetId: sql<string>`target.id`.as("target_id"),
      targetName: sql<string>`target.name`.as("target_name"),
      targetOwnerId: sql<string>`target.owner_user_id`.as("target_owner_id"),
    })
    .from(collections)
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .innerJoin(sql`hand_overs AS offer`, sql`offer.collection_id = ${collections.id}`)
    .innerJoin(sql`entities AS target`, sql`target.id = offer.to_entity_id`)
    .where(sql`${entities.name} = ${path.entity.toLowerCase()} AND ${collections.name} = ${path.name.toLowerCase()}
      AND offer.to_user_id IN (SELECT value FROM json_each(${ownedAccounts(me)}))`);
  const facts = row === undefined ? null : { entityOwnerId: row.targetOwnerId, hasVisibleCollection: false };
  authorizeOnEntity(ctx, actor, "entity.edit", facts === null ? null : { facts });
  if (row === undefined) throw new RegistryError("not-found");
  return { found: row, target: { id: row.targetId, name: row.targetName, ownerUserId: row.targetOwnerId } };
}
