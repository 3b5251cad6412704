import { and, eq, type SQL, sql } from "drizzle-orm";
import { decide } from "../../access/policy.ts";
import { type Actor, actorUserId, isAdministrator, ownsAccount } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { collectionMembers, collections } from "../../storage/db/schema/catalog.ts";
import { handOvers } from "../../storage/db/schema/sharing.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { guardStillGood } from "../people/still-good.ts";
import { inQuotaWords, moveGuard } from "../quota.ts";
import { searchSoon } from "../search/search-soon.ts";
import { guardAsShown, loadShown } from "../shown.ts";
import { auditRow } from "../upkeep/audit.ts";
import { isCandidate } from "./candidates.ts";
import type { CollectionPath } from "./collections.ts";
import { type FoundCollection, findCollection, limitGuard } from "./collections.ts";
import { type Broken, brokenBy, guardName, isWhereItWas, pathOf } from "./edit-collection.ts";
import { type EndingRights, endingRightsOf } from "./ending-rights.ts";
import { type Entity, findEntity } from "./entities.ts";
import { owns } from "./owns.ts";
import { bury } from "./tombstones.ts";

/** Where a collection goes. */
export type Target = Pick<Entity, "id" | "name" | "ownerUserId">;

/** What became of a hand-over. Times are milliseconds. */
export type HandOver =
  | { state: "moved"; entity: string; collection: string; expiresAt: null }
  | { state: "offered"; entity: string; collection: string; expiresAt: number };

/**
 * Moves a collection to another entity: at once where that is the actor's too; else its owner is asked. References by
 * the old path break and its name stays taken; the short name, tokens, roles and stars go along, and shares of those who own it then.
 * @param seen the tag of the preview that was shown
 * @throws `not-found`, `already-so`, `name-taken`, `collection-limit`, `quota-exceeded`, `precondition-failed`, `conflict`,
 *   and what the policy refuses
 */
export async function handOver(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  entity: string,
  seen: string,
): Promise<HandOver> {
  const { found, target, isOwn } = await findBoth(ctx, actor, path, entity);
  const place = { entity: target.name, collection: found.collection.name };
  const isAsShown = await guardAsShown(ctx, moveFactsOf(ctx, found, target), seen, aboutMove(found, isOwn));
  if (isOwn) {
    const guards = [...guardGiver(ctx, actor, found), ...guardReceiver(ctx, actor, target)];
    await moveTo(ctx, actor, { found, target, guards: [...isAsShown, ...guards] });
    return { state: "moved", ...place, expiresAt: null };
  }
  const expiresAt = ctx.now() + limits.handOverSeconds * 1000;
  const offer = {
    toEntityId: target.id,
    toUserId: target.ownerUserId,
    offeredBy: actorUserId(actor),
    createdAt: ctx.now(),
    expiresAt,
  };
  await writeTogether(ctx.db, [
    ...isAsShown,
    ...guardGiver(ctx, actor, found),
    ctx.db
      .insert(handOvers)
      .values({ collectionId: found.collection.id, ...offer })
      .onConflictDoUpdate({ target: handOvers.collectionId, set: offer }),
    auditRow(ctx, actor, "collection.offer", pathOf(found), { detail: { to: target.name }, in: found.collection.id }),
  ]);
  return { state: "offered", ...place, expiresAt };
}

/** What a hand-over would do. */
export interface ShownHandOver {
  /** Whether it would move now. */
  isAtOnce: boolean;
  /** Share links and pipelines that would end when it moves. */
  shares: number;
  publishers: number;
  broken: Broken;
}

/** Says what it would do. @returns `tag` names the state that was looked at @throws as `handOver` does */
export async function previewHandOver(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  entity: string,
): Promise<{ shown: ShownHandOver; tag: string }> {
  const { found, target, isOwn } = await findBoth(ctx, actor, path, entity);
  const { facts, tag } = await loadShown<MoveFacts>(ctx, moveFactsOf(ctx, found, target), aboutMove(found, isOwn));
  // The version counts new and renamed containers: what breaks needs no part in the tag.
  const broken = await brokenBy(ctx, found);
  const { shares, publishers } = facts.ending;
  return { shown: { isAtOnce: isOwn, shares: shares.count, publishers: publishers.count, broken }, tag };
}

/** What the database says of it: all that a move would end or break. */
interface MoveFacts {
  version: number | null;
  ending: EndingRights;
}

function moveFactsOf(ctx: Context, { collection }: FoundCollection, target: Target): SQL {
  const isIt = sql`SELECT ${collection.id}`;
  return sql`json_object('version', (SELECT c.version FROM collections AS c WHERE c.id = ${collection.id}),
    'to', (SELECT json_array(e.id, e.owner_user_id) FROM entities AS e WHERE e.id = ${target.id}),
    'offer', (SELECT json_array(to_entity_id, expires_at) FROM hand_overs WHERE collection_id = ${collection.id}),
    'ending', json(${endingRightsOf(isIt, target.ownerUserId, ctx.now())}))`;
}

/** What was decided of it, and goes into the preview's tag. */
function aboutMove({ collection }: FoundCollection, isOwn: boolean): string {
  return `${collection.id} ${isOwn ? "at once" : "offered"}`;
}

/** Takes an offer back. @throws `not-found`, also where there is none, and what the policy refuses */
export async function withdrawHandOver(ctx: Context, actor: Actor, path: CollectionPath): Promise<void> {
  const found = authorize(ctx, actor, "collection.hand-over", await findCollection(ctx, actor, path));
  await writeTogether(ctx.db, [
    ctx.db.delete(handOvers).where(eq(handOvers.collectionId, found.collection.id)),
    guardChanged(ctx.db, "not-found"),
    auditRow(ctx, actor, "collection.withdraw-offer", pathOf(found), { in: found.collection.id }),
  ]);
}

/**
 * Moves a collection that was found to another entity, where there is room for it.
 * @throws `name-taken`, `collection-limit`, `quota-exceeded`, `conflict`, and what the guards throw
 */
export async function moveTo(
  ctx: Context,
  actor: Actor,
  { found, target, guards }: { found: FoundCollection; target: Target; guards: [Statement, ...Statement[]] },
): Promise<void> {
  const addition = { account: target.ownerUserId, sizeBytes: found.collection.sizeBytes };
  await inQuotaWords(ctx, addition, () => writeTogether(ctx.db, [...guards, ...movement(ctx, actor, found, target)]));
  searchSoon(ctx);
}

function movement(ctx: Context, actor: Actor, found: FoundCollection, target: Target): Statement[] {
  const { collection, entity } = found;
  const isSameOwner = entity.ownerUserId === target.ownerUserId;
  return [
    ...guardName(ctx, target, collection.name),
    ...(isSameOwner ? [] : limitGuard(ctx, actor, target.ownerUserId, sql`0`)),
    ...(isSameOwner || isAdministrator(actor) ? [] : [moveGuard(ctx, collection.id, target.ownerUserId)]),
    ctx.db
      .update(collections)
      .set({ entityId: target.id, updatedAt: ctx.now() })
      .where(and(isWhereItWas(found), isOwnedBy(target))),
    guardChanged(ctx.db, "conflict"),
    bury(ctx, "collection", pathOf(found)),
    // Whoever owns it needs no right in it.
    ctx.db
      .delete(collectionMembers)
      .where(and(eq(collectionMembers.collectionId, collection.id), eq(collectionMembers.userId, target.ownerUserId))),
    ctx.db.delete(handOvers).where(eq(handOvers.collectionId, collection.id)),
    auditRow(ctx, actor, "collection.hand-over", pathOf(found), {
      detail: { to: `${target.name}/${collection.name}` },
      in: collection.id,
    }),
  ];
}

function isOwnedBy(target: Target): SQL {
  return sql`EXISTS (SELECT 1 FROM entities AS e WHERE e.id = ${target.id} AND e.owner_user_id = ${target.ownerUserId})`;
}

/** The collection and where it is to go, where the actor may know of both. */
async function findBoth(ctx: Context, actor: Actor, path: CollectionPath, name: string) {
  const found = authorize(ctx, actor, "collection.hand-over", await findCollection(ctx, actor, path));
  const target = await findEntity(ctx, actor, { name });
  const isKnown = target !== null && (await mayKnow(ctx, actor, found, target));
  if (target === null || !isKnown) throw new RegistryError("not-found", "There is no such entity.");
  if (target.entity.id === found.entity.id) throw new RegistryError("already-so");
  const isOwn = decide(actor, "entity.edit", target.facts, ctx.settings).allowed;
  return { found, target: target.entity, isOwn };
}

/** An entity that one sees, or whose owner one could give a role in the collection. */
async function mayKnow(
  ctx: Context,
  actor: Actor,
  found: FoundCollection,
  { entity, facts }: NonNullable<Awaited<ReturnType<typeof findEntity>>>,
): Promise<boolean> {
  if (decide(actor, "entity.see", facts, ctx.settings).allowed) return true;
  const [row] = await ctx.db.all<{ may: 0 | 1 }>(
    sql`SELECT ${isCandidate(ctx, actor, found)} AS may FROM users AS u WHERE u.id = ${entity.ownerUserId}`,
  );
  return row?.may === 1;
}

/** Refuses who was the entity's owner when they were asked, and is it no more. */
function guardGiver(ctx: Context, actor: Actor, { entity }: FoundCollection): Statement[] {
  if (!ownsAccount(actor, entity.ownerUserId)) return guardStillGood(ctx, actor);
  const isStill = sql`EXISTS (SELECT 1 FROM entities AS e WHERE e.id = ${entity.id} AND ${owns(sql`e.owner_user_id`, actorUserId(actor))})`;
  return [...guardStillGood(ctx, actor), guardAgainst(ctx.db, "conflict", sql`NOT ${isStill}`)];
}

/** The same of the entity it goes to at once. An administrator's role is guarded with their credential. */
function guardReceiver(ctx: Context, actor: Actor, { ownerUserId }: Target): Statement[] {
  if (!ownsAccount(actor, ownerUserId)) return [];
  return [guardAgainst(ctx.db, "conflict", sql`NOT ${owns(sql`${ownerUserId}`, actorUserId(actor))}`)];
}
