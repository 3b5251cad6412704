import { and, eq, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { guardChanged } from "../../storage/db/guard.ts";
import { users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { collectionsDeletion } from "../catalog/delete-collections.ts";
import { buryAll } from "../catalog/tombstones.ts";
import { RegistryError } from "../errors.ts";
import { searchSoon } from "../search/search-soon.ts";
import { ensureSeen, guardShown, loadShown } from "../shown.ts";
import { auditRow, auditRows } from "../upkeep/audit.ts";
import { userRemoval } from "./remove-user.ts";
import {
  describeTeamDeletion,
  frozenOf,
  type TeamDeletion,
  type TeamDeletionFacts,
  teamDeletionFactsOf,
} from "./team-deletion.ts";
import { guardManages } from "./team-guards.ts";
import { discardPicture } from "./team-picture.ts";
import { authorizedTeam } from "./teams.ts";

/**
 * What deleting a team would delete and keep, and what is in the way.
 * @returns `tag` names the state that was looked at
 * @throws `not-found`, and what the policy refuses
 */
export async function previewTeamDeletion(
  ctx: Context,
  actor: Actor,
  name: string,
): Promise<{ deletion: TeamDeletion; tag: string }> {
  const { account } = await authorizedTeam(ctx, actor, "team.manage", name);
  const { facts, tag } = await loadShown<TeamDeletionFacts>(ctx, teamDeletionFactsOf(account.id, ctx.now()));
  return { deletion: describeTeamDeletion(facts), tag };
}

/**
 * Deletes a team with all that is its own, in one transaction: collections, robots, invitations, picture, and the
 * roles it has elsewhere. Its name stays taken until an administrator frees it.
 * @param seen the tag of the preview that was shown; null at the command line, where nobody has looked first
 * @throws `not-found`, `precondition-failed`, `frozen`, `conflict` where anything else is in the way, and what the
 *   policy refuses
 */
export async function deleteTeam(ctx: Context, actor: Actor, name: string, seen: string | null): Promise<void> {
  const { account } = await authorizedTeam(ctx, actor, "team.manage", name);
  const expression = teamDeletionFactsOf(account.id, ctx.now());
  const shown = await loadShown<TeamDeletionFacts>(ctx, expression);
  const { facts } = shown;
  ensureSeen(shown, seen);
  ensureNothingInTheWay(facts);
  const isItsRobot = and(eq(users.ownerUserId, account.id), eq(users.isRobot, true));
  const ids = facts.collections.map(({ id }) => id);
  const paths = facts.collections.map(({ path }) => path);
  await writeTogether(ctx.db, [
    guardShown(ctx, expression, shown),
    ...guardManages(ctx, actor, account.id),
    ...collectionsDeletion(ctx, ids),
    auditRows(ctx, actor, "collection.delete", paths),
    buryAll(ctx, "entity", { name: sql`${users.username}`, from: sql`${users} WHERE ${isItsRobot}` }),
    ctx.db.delete(users).where(isItsRobot),
    auditRows(ctx, actor, "robot.delete", facts.robots),
    discardPicture(ctx, account.id),
    ...userRemoval(ctx, account),
    guardChanged(ctx.db, "precondition-failed"),
    auditRow(ctx, actor, "team.delete", account.username, {
      detail: { collections: paths.length, robots: facts.robots.length },
    }),
  ]);
  searchSoon(ctx);
}

function ensureNothingInTheWay(facts: TeamDeletionFacts): void {
  const { obstacles } = describeTeamDeletion(facts);
  if (obstacles.length === 0) return;
  throw new RegistryError(frozenOf(facts).length > 0 ? "frozen" : "conflict", obstacles.join(" "));
}
