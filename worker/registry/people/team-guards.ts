import { type SQL, sql } from "drizzle-orm";
import { type Actor, isAdministrator, type TeamRole } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { guardAgainst } from "../../storage/db/guard.ts";
import { users } from "../../storage/db/schema/people.ts";
import { teamMembers } from "../../storage/db/schema/teams.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { guardStillGood } from "./still-good.ts";

/*
 * What a batch about a team asks of the state it meets. All of them stand before the change.
 */

/**
 * Whoever changes a team's things must still be its owner, or an administrator.
 * @throws (the batch) `conflict`
 */
export function guardManages(ctx: Context, actor: Actor, teamId: string): Statement[] {
  return [...guardStillGood(ctx, actor), ...guardStillOwner(ctx, actor, teamId)];
}

/** The part of that about the team. An administrator's role is guarded with their credential. */
export function guardStillOwner(ctx: Context, actor: Actor, teamId: string): Statement[] {
  if (actor.kind !== "user" || isAdministrator(actor)) return [];
  return [guardAgainst(ctx.db, "conflict", sql`NOT ${isIn(teamId, actor.userId, "owner")}`)];
}

/** Whether somebody is in a team; with a role, whether as that. */
export function isIn(teamId: string, userId: string, role?: TeamRole): SQL {
  const inRole = role === undefined ? sql`` : sql` AND place.role = ${role}`;
  return sql`EXISTS (
    SELECT 1 FROM ${teamMembers} AS place WHERE place.team_id = ${teamId} AND place.user_id = ${userId}${inRole})`;
}

/**
 * An owner who goes must leave another one, who can act: one who is disabled cannot.
 * @throws (the batch) `last-owner`
 */
export function guardNotLastOwner(ctx: Context, teamId: string, userId: string): Statement {
  const isLast = sql`${isIn(teamId, userId, "owner")} AND NOT ${hasOtherOwner(sql`${teamId}`, userId)}`;
  return guardAgainst(ctx.db, "last-owner", isLast);
}

/** Whether a team has an owner beside this one who can act. */
export function hasOtherOwner(teamId: SQL, userId: string): SQL {
  return sql`EXISTS (
    SELECT 1 FROM ${teamMembers} AS other INNER JOIN ${users} AS one ON one.id = other.user_id
    WHERE other.team_id = ${teamId} AND other.role = 'owner' AND other.user_id <> ${userId} AND one.disabled_at IS NULL)`;
}

/** Whether any team would have no owner left who can act. */
export function isLastOwner(userId: string): SQL {
  return sql`EXISTS (
    SELECT 1 FROM ${teamMembers} AS mine
    WHERE mine.user_id = ${userId} AND mine.role = 'owner' AND NOT ${hasOtherOwner(sql`mine.team_id`, userId)})`;
}

/** @throws (the batch) `limit-reached` where somebody new would be one too many, in the team or of their teams */
export function guardRoomFor(ctx: Context, teamId: string, userId: string): Statement {
  const isFull = sql`NOT ${isIn(teamId, userId)} AND (
    (SELECT count(*) FROM ${teamMembers} AS every WHERE every.team_id = ${teamId}) >= ${limits.membersPerTeam}
    OR ${isInTooMany(userId)})`;
  return guardAgainst(ctx.db, "limit-reached", isFull);
}

/** Does something with that guard in it, and says which limits there are. @throws what it throws */
export async function inRoomWords<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof RegistryError && thrown.code === "limit-reached")) throw thrown;
    const message = `The team is full: it has ${limits.membersPerTeam} people at most. Or it would be one too many: somebody is in ${limits.teamsPerUser} teams at most.`;
    throw new RegistryError("limit-reached", message, { cause: thrown });
  }
}

export function isInTooMany(userId: string): SQL {
  return sql`(SELECT count(*) FROM ${teamMembers} AS every WHERE every.user_id = ${userId}) >= ${limits.teamsPerUser}`;
}
