import { inArray, lte } from "drizzle-orm";
import type { Context } from "../../context.ts";
import { loginLinks, sessions } from "../../storage/db/schema/people.ts";
import { invitations } from "../../storage/db/schema/teams.ts";
import { limits } from "../limits.ts";

/** Forgets sessions that are over. @returns how many, a batch at most */
export async function forgetSessions(ctx: Context): Promise<number> {
  const over = ctx.db
    .select({ id: sessions.id })
    .from(sessions)
    .where(lte(sessions.expiresAt, ctx.now()))
    .limit(limits.upkeepBatch);
  const forgotten = await ctx.db.delete(sessions).where(inArray(sessions.id, over)).returning({ id: sessions.id });
  return forgotten.length;
}

/** Forgets login links that nobody used in time. @returns how many, a batch at most */
export async function forgetLoginLinks(ctx: Context): Promise<number> {
  const over = ctx.db
    .select({ hash: loginLinks.hash })
    .from(loginLinks)
    .where(lte(loginLinks.expiresAt, ctx.now()))
    .limit(limits.upkeepBatch);
  const forgotten = await ctx.db
    .delete(loginLinks)
    .where(inArray(loginLinks.hash, over))
    .returning({ hash: loginLinks.hash });
  return forgotten.length;
}

/** Forgets invitations that nobody used in time. @returns how many, a batch at most */
export async function forgetInvitations(ctx: Context): Promise<number> {
  const over = ctx.db
    .select({ id: invitations.id })
    .from(invitations)
    .where(lte(invitations.expiresAt, ctx.now()))
    .limit(limits.upkeepBatch);
  const forgotten = await ctx.db
    .delete(invitations)
    .where(inArray(invitations.id, over))
    .returning({ id: invitations.id });
  return forgotten.length;
}
