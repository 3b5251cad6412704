import { eq, sql } from "drizzle-orm";
import { type Actor, ownAccount, type UserActor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { guardChanged } from "../../storage/db/guard.ts";
import { collectionMembers, entities } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnAccount } from "../authorize.ts";
import { collectionsDeletion } from "../catalog/delete-collections.ts";
import { RegistryError } from "../errors.ts";
import { searchSoon } from "../search/search-soon.ts";
import { ensureSeen, guardShown, loadShown } from "../shown.ts";
import { auditRow, auditRows } from "../upkeep/audit.ts";
import {
  type Deletion,
  type DeletionFacts,
  deletedCollections,
  deletionFactsOf,
  describeDeletion,
  frozenObstacles,
} from "./account-deletion.ts";
import { userRemoval } from "./remove-user.ts";
import { guardStillGood } from "./still-good.ts";
import { asUser } from "./user-actor.ts";

/**
 * What deleting the actor's account would delete, hand over and keep, and what is in the way. One query.
 * @returns `tag` names the state that was looked at
 * @throws what the policy refuses
 */
export async function previewDeletion(ctx: Context, actor: Actor): Promise<{ deletion: Deletion; tag: string }> {
  const me = deleting(ctx, actor);
  const { facts, tag } = await loadShown<DeletionFacts>(ctx, deletionFactsOf(me.userId, "self", ctx.now()));
  return { deletion: describeDeletion(facts, "self"), tag };
}

/**
 * Deletes the actor's account, in one transaction: collections that nobody else owns go with it, entities with others
 * go to one of their owners.
 * @param seen the tag of the preview that was shown; nothing is deleted that was not in it
 * @throws `precondition-failed`, `frozen`, `conflict` where anything else is in the way, and what the policy refuses
 */
export async function deleteAccount(ctx: Context, actor: Actor, seen: string): Promise<void> {
  const me = deleting(ctx, actor);
  const expression = deletionFactsOf(me.userId, "self", ctx.now());
  const shown = await loadShown<DeletionFacts>(ctx, expression);
  const { facts } = shown;
  ensureSeen(shown, seen);
  ensureNothingInTheWay(facts);
  const doomed = deletedCollections(facts);
  const heirs = Object.fromEntries(facts.entities.flatMap(({ name, heir }) => (heir === null ? [] : [[name, heir]])));
  await writeTogether(ctx.db, [
    guardShown(ctx, expression, shown),
    ...guardStillGood(ctx, actor),
    handOver(ctx, me, heirs),
    endNeedlessRoles(ctx, Object.keys(heirs)),
    auditRows(ctx, actor, "entity.hand-over", Object.keys(heirs)),
    ...collectionsDeletion(
      ctx,
      doomed.map(({ id }) => id),
    ),
    auditRows(
      ctx,
      actor,
      "collection.delete",
      doomed.map(({ path }) => path),
    ),
    ...userRemoval(ctx, { id: me.userId, username: me.username }),
    guardChanged(ctx.db, "precondition-failed"),
    auditRow(ctx, actor, "account.delete", me.username, { detail: { collections: doomed.length, heirs } }),
  ]);
  searchSoon(ctx);
}

function deleting(ctx: Context, actor: Actor): UserActor {
  const me = asUser(actor);
  authorizeOnAccount(ctx.settings, actor, "account.delete", ownAccount(me));
  return me;
}

function ensureNothingInTheWay(facts: DeletionFacts): void {
  const { obstacles } = describeDeletion(facts, "self");
  if (obstacles.length === 0) return;
  throw new RegistryError(frozenObstacles(facts).length > 0 ? "frozen" : "conflict", obstacles.join(" "));
}

/**
 * Whoever owns all of an entity needs no right in a part of it. A team's stays: by that its members own what they would
 * only push to by the entity.
 */
function endNeedlessRoles(ctx: Context, names: readonly string[]): Statement {
  return statement(
    ctx.db,
    sql`
    DELETE FROM ${collectionMembers} WHERE EXISTS (
      SELECT 1 FROM collections AS held INNER JOIN entities AS around ON around.id = held.entity_id
        INNER JOIN users AS heir ON heir.id = around.owner_user_id AND heir.is_team = 0
      WHERE held.id = ${collectionMembers.collectionId} AND heir.id = ${collectionMembers.userId}
        AND around.name IN (SELECT value FROM json_each(${JSON.stringify(names)})))`,
  );
}

/** Gives entities to their heirs. @param heirs usernames by the entities' names */
function handOver(ctx: Context, me: UserActor, heirs: Readonly<Record<string, string>>): Statement {
  return statement(
    ctx.db,
    sql`
    UPDATE ${entities} SET owner_user_id = (SELECT ${users.id} FROM ${users} WHERE ${users.username} = each.value)
    FROM json_each(${JSON.stringify(heirs)}) AS each
    WHERE ${entities.name} = each.key AND ${eq(entities.ownerUserId, me.userId)}`,
  );
}
