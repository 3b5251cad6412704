import { and, asc, eq, inArray, ne, notInArray, type SQL, sql } from "drizzle-orm";
import { type Actor, ownAccount } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { Account } from "../../identity/account.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { identities, sessions } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnAccount } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Provider } from "../providers.ts";
import { auditRow } from "../upkeep/audit.ts";
import { beginAttempt, type Departure, findProvider } from "./attempts.ts";
import { dropClaimedRole } from "./claimed-role.ts";
import { newIdentity } from "./registration.ts";
import { authenticateSession } from "./sessions.ts";
import { guardStillGood } from "./still-good.ts";
import { asUser } from "./user-actor.ts";

/** The accounts elsewhere that a user signs in with. Only they link one, signed in, and by signing in there too. */

export type Identity = typeof identities.$inferSelect;

/** The actor's own, the oldest first, each with what its provider is called now. */
export async function listIdentities(
  ctx: Context,
  actor: Actor,
): Promise<{ identity: Identity; providerName: string }[]> {
  const me = asUser(actor);
  authorizeOnAccount(ctx.settings, actor, "account.manage", ownAccount(me));
  const rows = await ctx.db
    .select()
    .from(identities)
    .where(eq(identities.userId, me.userId))
    .orderBy(asc(identities.createdAt), asc(identities.id))
    .all();
  return rows.map((identity) => {
    return { identity, providerName: findProvider(ctx, identity.provider)?.name ?? identity.provider };
  });
}

/** Begins to link one more. @throws `limit-reached`, what the policy refuses, and as `beginAttempt` */
export async function beginLink(
  ctx: Context,
  actor: Actor,
  input: { provider: string; next: string },
): Promise<Departure> {
  const me = asUser(actor);
  authorizeOnAccount(ctx.settings, actor, "account.grant", ownAccount(me));
  const count = await ctx.db.$count(identities, eq(identities.userId, me.userId));
  if (count >= limits.identitiesPerUser) throw new RegistryError("limit-reached");
  return await beginAttempt(ctx, { ...input, sessionId: me.credential.id });
}

/**
 * Links the account that a browser came back with to the user who had sent it. Linking it again changes nothing.
 * @param input.sessionId whose session that was
 * @param input.cookie the session the browser has now: it must be the same one
 * @throws `sign-in-expired`, `identity-taken` (it is somebody else's), `limit-reached`, and what the policy refuses
 */
export async function linkAccount(
  ctx: Context,
  input: { provider: Provider; account: Account; sessionId: string; cookie: string | null },
): Promise<void> {
  const { provider, account, sessionId, cookie } = input;
  if (cookie === null) throw new RegistryError("sign-in-expired");
  const me = await authenticateSession(ctx, cookie);
  if (me.credential.id !== sessionId) throw new RegistryError("sign-in-expired");
  authorizeOnAccount(ctx.settings, me, "account.grant", ownAccount(me));
  const identity = { ...newIdentity(ctx, { ...account, provider: provider.id }, "link"), userId: me.userId };
  const isFull = sql`(SELECT COUNT(*) FROM ${identities} WHERE ${eq(identities.userId, me.userId)})
    > ${limits.identitiesPerUser}`;
  const detail = { id: identity.id, provider: provider.id };
  await writeTogether(ctx.db, [
    ctx.db.insert(identities).values(identity).onConflictDoNothing(),
    guardChanged(ctx.db, "identity-taken"),
    guardAgainst(ctx.db, "limit-reached", isFull),
    ...guardStillGood(ctx, me),
    auditRow(ctx, me, "identity.link", me.username, { detail }),
  ]).catch(async (thrown) => {
    const isTaken = thrown instanceof RegistryError && thrown.code === "identity-taken";
    if (!isTaken || (await ownerOf(ctx, account)) !== me.userId) throw thrown;
  });
}

async function ownerOf(ctx: Context, { issuer, subject }: Account): Promise<string | null> {
  const row = await ctx.db
    .select({ userId: identities.userId })
    .from(identities)
    .where(and(eq(identities.issuer, issuer), eq(identities.subject, subject)))
    .get();
  return row?.userId ?? null;
}

/**
 * Takes an account away from those one signs in with, and the role that it gave. Other browsers that may have signed
 * in with it are signed out.
 * @throws `not-found`, `last-identity`, `conflict` when the session was ended meanwhile, and what the policy refuses
 */
export async function unlinkIdentity(ctx: Context, actor: Actor, id: string): Promise<void> {
  const me = asUser(actor);
  authorizeOnAccount(ctx.settings, actor, "account.manage", ownAccount(me));
  const isIt = and(eq(identities.id, id), eq(identities.userId, me.userId));
  const isOfAnotherBrowser = and(eq(sessions.userId, me.userId), ne(sessions.id, me.credential.id));
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "last-identity", isLast(ctx, me.userId, id)),
    ...guardStillGood(ctx, actor),
    // Whoever has that account now may have come in with it.
    ctx.db.delete(sessions).where(and(isOfAnotherBrowser, mayHaveBegunWith(ctx, isIt))),
    ctx.db.delete(identities).where(isIt),
    guardChanged(ctx.db, "not-found"),
    dropClaimedRole(ctx, me.userId, id),
    auditRow(ctx, actor, "identity.unlink", me.username, { detail: { id } }),
  ]);
}

/** Whether no other one would lead in. One whose provider is gone does not; it goes as long as any other stays. */
function isLast(ctx: Context, userId: string, id: string): SQL {
  const works = inArray(identities.issuer, ctx.settings.providers.flatMap(spellings));
  const isIt = and(eq(identities.id, id), eq(identities.userId, userId));
  const isAnother = and(ne(identities.id, id), eq(identities.userId, userId));
  return sql`EXISTS (SELECT 1 FROM ${identities} WHERE ${isIt}) AND NOT EXISTS (
    SELECT 1 FROM ${identities} WHERE ${isAnother}
    AND (${works} OR NOT EXISTS (SELECT 1 FROM ${identities} WHERE ${and(isIt, works)})))`;
}

/**
 * Whether a session may have begun with this identity: by its provider, by another name of the same issuer, or by a
 * name that no provider has any more.
 */
function mayHaveBegunWith(ctx: Context, isIt: SQL | undefined): SQL {
  const { providers } = ctx.settings;
  const names = ["login-link", ...providers.map(({ id }) => id)];
  const pairs = providers.flatMap((provider) => spellings(provider).map((issuer) => `${issuer} ${provider.id}`));
  const isNamed = sql`EXISTS (SELECT 1 FROM ${identities} WHERE ${isIt} AND (
    ${eq(identities.provider, sessions.signedInWith)}
    OR ${inArray(sql`${identities.issuer} || ' ' || ${sessions.signedInWith}`, pairs)}))`;
  return sql`(${isNamed} OR ${notInArray(sessions.signedInWith, names)})`;
}

/** How a provider's issuer may stand in an identity: it names itself, and the slash behind a bare host is a matter of taste. */
function spellings({ site }: Provider): string[] {
  const bare = site.replace(/\/$/, "");
  return [bare, `${bare}/`];
}
