import { and, eq, gt, isNull, or, type SQL, sql } from "drizzle-orm";
import type { Actor, UserActor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { guardAgainst } from "../../storage/db/guard.ts";
import { sessions, sregistryKeys, tokens, users } from "../../storage/db/schema/people.ts";

/** Whether a user and their credential are still good, for what was begun with it long ago. That it expired does not count. */
export function stillGood({ userId, credential }: UserActor): SQL {
  const isUser = and(eq(users.id, userId), isNull(users.disabledAt));
  const { id } = credential;
  const stillThere = {
    token: sql`SELECT 1 FROM ${tokens} WHERE ${and(eq(tokens.id, id), isNull(tokens.revokedAt))}`,
    key: sql`SELECT 1 FROM ${sregistryKeys} WHERE ${eq(sregistryKeys.id, id)}`,
    session: sql`SELECT 1 FROM ${sessions} WHERE ${eq(sessions.id, id)}`,
  }[credential.kind];
  return sql`(EXISTS (SELECT 1 FROM ${users} WHERE ${isUser}) AND EXISTS (${stillThere}))`;
}

/**
 * For a batch that makes a credential, or changes what somebody may do: when the actor's own credential was ended, or
 * their role taken away, after the request began, nothing comes of it. Stands before what may take it from themselves.
 * @throws (the batch) `conflict`
 */
export function guardStillGood(ctx: Context, actor: Actor): Statement[] {
  if (actor.kind !== "user") return [];
  const claims = or(eq(users.isAdmin, true), gt(users.claimedAdminUntil, ctx.now()));
  const hasRole = and(
    eq(users.id, actor.userId),
    actor.isAdmin ? claims : undefined,
    actor.isSuperuser ? eq(users.isSuperuser, true) : undefined,
  );
  const isGood = sql`(${stillGood(actor)} AND EXISTS (SELECT 1 FROM ${users} WHERE ${hasRole}))`;
  return [guardAgainst(ctx.db, "conflict", sql`NOT ${isGood}`)];
}
