import { and, eq, sql } from "drizzle-orm";
import { type Actor, actorUserId } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { guardAgainst } from "../../storage/db/guard.ts";
import { collections, entities } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { RegistryError } from "../errors.ts";
import { ensureSeen, guardShown, loadShown } from "../shown.ts";
import { auditRow } from "../upkeep/audit.ts";
import {
  type Deletion,
  type DeletionFacts,
  deletionFactsOf,
  describeDeletion,
  ownedObstacles,
} from "./account-deletion.ts";
import { type AccountKind, authorizedUser, type User } from "./accounts.ts";
import { userRemoval } from "./remove-user.ts";
import { guardStillGood } from "./still-good.ts";
import { guardStillOwner, isLastOwner } from "./team-guards.ts";

/**
 * What deleting a person or a robot would delete and keep, and what is in the way. Two queries.
 * @returns `tag` names the state that was looked at
 * @throws `not-found`, and what the policy refuses
 */
export async function previewUserDeletion(
  ctx: Context,
  actor: Actor,
  username: string,
  kind: AccountKind,
): Promise<{ deletion: Deletion; tag: string }> {
  const user = await deletable(ctx, actor, username, kind);
  const { facts, tag } = await loadShown<DeletionFacts>(ctx, deletionFactsOf(user.id, "other", ctx.now()));
  return { deletion: describeDeletion(facts, "other"), tag };
}

/**
 * Deletes a person who owns no collection any more, with their entity, or a robot; and whatever they could come in
 * with. The name stays taken until an administrator frees it.
 * @param seen the tag of the preview that was shown; null at the command line, where nobody has looked first
 * @throws `precondition-failed`; `conflict` while they own collections, or when they were changed meanwhile;
 *   `last-owner` while they are the last one of a team; `not-found`, and what the policy refuses
 */
export async function deleteUser(
  ctx: Context,
  actor: Actor,
  username: string,
  kind: AccountKind,
  seen: string | null,
): Promise<void> {
  const user = await deletable(ctx, actor, username, kind);
  const expression = deletionFactsOf(user.id, "other", ctx.now());
  const shown = await loadShown<DeletionFacts>(ctx, expression);
  ensureSeen(shown, seen);
  const [owned] = ownedObstacles(shown.facts);
  if (owned !== undefined) throw new RegistryError("conflict", owned);
  const isIt = eq(users.id, user.id);
  const isAsItWas = and(isIt, eq(users.version, user.version));
  const holdsCollections = sql`EXISTS (
    SELECT 1 FROM ${collections} INNER JOIN ${entities} ON ${entities.id} = ${collections.entityId}
    WHERE ${eq(entities.ownerUserId, user.id)})`;
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "not-found", sql`NOT EXISTS (SELECT 1 FROM ${users} WHERE ${isIt})`),
    guardAgainst(ctx.db, "conflict", sql`NOT EXISTS (SELECT 1 FROM ${users} WHERE ${isAsItWas})`),
    guardAgainst(ctx.db, "conflict", holdsCollections),
    guardAgainst(ctx.db, "last-owner", isLastOwner(user.id)),
    ...guardStillGood(ctx, actor),
    ...guardOwnerOfRobot(ctx, actor, user),
    ...(seen === null ? [] : [guardShown(ctx, expression, shown)]),
    ...userRemoval(ctx, user),
    auditRow(ctx, actor, user.isRobot ? "robot.delete" : "user.delete", user.username),
  ]);
}

/** A team's robot is its owners' to delete, while they are that. */
function guardOwnerOfRobot(ctx: Context, actor: Actor, { isRobot, ownerUserId }: User): Statement[] {
  if (!isRobot || ownerUserId === null || ownerUserId === actorUserId(actor)) return [];
  return guardStillOwner(ctx, actor, ownerUserId);
}

async function deletable(ctx: Context, actor: Actor, username: string, kind: AccountKind): Promise<User> {
  const user = await authorizedUser(ctx, actor, "account.delete", { username, kind });
  // One's own account is deleted elsewhere, where it is said first what goes with it.
  if (user.id === actorUserId(actor)) throw new RegistryError("forbidden");
  return user;
}
