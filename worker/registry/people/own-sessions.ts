import { and, desc, eq, gt, sql } from "drizzle-orm";
import { type Actor, ownAccount, type UserActor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { guardChanged } from "../../storage/db/guard.ts";
import { sessions } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnAccount } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import { auditRow } from "../upkeep/audit.ts";
import type { Session } from "./sessions.ts";
import { asUser } from "./user-actor.ts";

/** A session as its user sees it: without what could be used as one. */
export type ListedSession = Omit<Session, "hash"> & { isCurrent: boolean };

/**
 * Where the actor is signed in, the latest first. `after` is the last page's `next`.
 * @throws `query-invalid` for an `after` that is none, and what the policy refuses
 */
export async function listSessions(ctx: Context, actor: Actor, after: string | null): Promise<Page<ListedSession>> {
  const me = managing(ctx, actor);
  const rows = await ctx.db
    .select()
    .from(sessions)
    .where(and(eq(sessions.userId, me.userId), gt(sessions.expiresAt, ctx.now()), behind(after)))
    .orderBy(desc(sessions.createdAt), desc(sessions.id))
    .limit(PAGE_ROWS)
    .all();
  const listed = rows.map(({ hash: _, ...session }) => ({ ...session, isCurrent: session.id === me.credential.id }));
  return pageOf(listed, ({ createdAt, id }) => `${createdAt}.${id}`);
}

/**
 * Ends one of the actor's sessions at once.
 * @param id its id, or `current` for the one the request came with
 * @returns whether it was that one
 * @throws `not-found`, and what the policy refuses
 */
export async function endSession(ctx: Context, actor: Actor, id: string): Promise<boolean> {
  const me = managing(ctx, actor);
  const { credential } = me;
  const isHere = credential.kind === "session" && (id === "current" || id === credential.id);
  const ended = isHere ? credential.id : id;
  await writeTogether(ctx.db, [
    ctx.db.delete(sessions).where(and(eq(sessions.id, ended), eq(sessions.userId, me.userId))),
    guardChanged(ctx.db, "not-found"),
    auditRow(ctx, actor, "session.end", me.username, { detail: { id: ended } }),
  ]);
  return isHere;
}

/**
 * Ends all of the actor's sessions at once; their tokens go on.
 * @returns whether the request came with one of them
 * @throws what the policy refuses
 */
export async function endSessions(ctx: Context, actor: Actor): Promise<boolean> {
  const me = managing(ctx, actor);
  await writeTogether(ctx.db, [
    ctx.db.delete(sessions).where(eq(sessions.userId, me.userId)),
    auditRow(ctx, actor, "session.end-all", me.username, { when: sql`changes() > 0` }),
  ]);
  return me.credential.kind === "session";
}

function managing(ctx: Context, actor: Actor): UserActor {
  const me = asUser(actor);
  authorizeOnAccount(ctx.settings, actor, "account.manage", ownAccount(me));
  return me;
}

function behind(after: string | null) {
  if (after === null) return undefined;
  const [, createdAt, id] = /^(\d{1,15})\.([0-9a-f-]{36})$/.exec(after) ?? [];
  if (createdAt === undefined || id === undefined) throw new RegistryError("query-invalid");
  return sql`(${sessions.createdAt}, ${sessions.id}) < (${Number(createdAt)}, ${id})`;
}
