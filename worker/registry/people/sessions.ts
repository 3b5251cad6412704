import { and, desc, eq, notInArray, sql } from "drizzle-orm";
import { scopes, type UserActor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { preparedOnce, type Statement } from "../../storage/db/client.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { sessions, users } from "../../storage/db/schema/people.ts";
import { sha256Hex } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { auditRow } from "../upkeep/audit.ts";
import { teamPlaces } from "./team-places.ts";
import { type AuthenticateOptions, actorOf } from "./user-actor.ts";

export type Session = typeof sessions.$inferSelect;

/**
 * Who is signed in with this cookie. One query.
 * @throws `invalid-credential` for one that is unknown, over, or a disabled user's; `terms-required`
 */
export async function authenticateSession(
  ctx: Context,
  secret: string,
  options: AuthenticateOptions = {},
): Promise<UserActor> {
  const row = await sessionQuery(ctx.db, "by-hash").get({ hash: await sha256Hex(secret) });
  if (row === undefined || row.session.expiresAt <= ctx.now()) throw ended();
  const credential = { kind: "session" as const, id: row.session.id, scopes: new Set(scopes), collectionId: null };
  const actor = actorOf(ctx, row, credential, options);
  noteUse(ctx, row.session);
  return actor;
}

const sessionQuery = preparedOnce((db, _: "by-hash") =>
  db
    .select({ session: columnsOf(sessions), user: columnsOf(users), teams: teamPlaces })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(eq(sessions.hash, sql.placeholder("hash")))
    .prepare(),
);

/** When a session ends that is used now. */
export function sessionEnd(createdAt: number, now: number): number {
  return Math.min(createdAt + limits.sessionMaxSeconds * 1000, now + limits.sessionIdleSeconds * 1000);
}

/** Written at most once an hour, outside the answer. */
function noteUse(ctx: Context, session: Session): void {
  const now = ctx.now();
  if (now - session.lastUsedAt < limits.tokenLastUsedSeconds * 1000) return;
  const use = { lastUsedAt: now, expiresAt: sessionEnd(session.createdAt, now) };
  ctx.later(ctx.db.update(sessions).set(use).where(eq(sessions.id, session.id)).run());
}

function ended(): RegistryError {
  return new RegistryError("invalid-credential", "You are not signed in any more. Sign in again.");
}

/**
 * A session for somebody who has proved who they are: what the cookie holds, and the statements that make it, for the
 * batch of the act that proved it. Where there would be too many, those used longest ago end.
 * @param of.signedInWith a provider's id, or `login-link`
 */
export async function startSession(
  ctx: Context,
  of: { userId: string; username: string; signedInWith: string },
): Promise<{ secret: string; statements: [Statement, ...Statement[]] }> {
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(limits.secretRandomBytes))).toString("base64url");
  const now = ctx.now();
  const row: Session = {
    id: crypto.randomUUID(),
    userId: of.userId,
    hash: await sha256Hex(secret),
    signedInWith: of.signedInWith,
    userAgent: ctx.client.userAgent,
    createdAt: now,
    lastUsedAt: now,
    expiresAt: sessionEnd(now, now),
  };
  const kept = ctx.db
    .select({ id: sessions.id })
    .from(sessions)
    .where(eq(sessions.userId, of.userId))
    .orderBy(desc(sessions.lastUsedAt), desc(sessions.id))
    .limit(limits.sessionsPerUser - 1);
  const detail = { id: row.id, with: of.signedInWith };
  return {
    secret,
    statements: [
      ctx.db.delete(sessions).where(and(eq(sessions.userId, of.userId), notInArray(sessions.id, kept))),
      ctx.db.insert(sessions).values(row),
      auditRow(ctx, { kind: "on-behalf", username: of.username }, "session.start", of.username, { detail }),
    ],
  };
}
