import { and, eq, gt, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { loginLinks, users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { sha256Hex } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { auditRow } from "../upkeep/audit.ts";
import { authorizedUser } from "./accounts.ts";
import { endPrevious } from "./end-previous.ts";
import { getMe, type Me } from "./me.ts";
import { authenticateSession, startSession } from "./sessions.ts";
import { countSignIn, ensureSecureOrigin } from "./sign-in-limits.ts";

/*
 * Links that sign somebody in once, made at the command line: the way in before there is any identity provider, and
 * for whoever lost theirs. The secret stands behind the `#`, so that it is in no request, log or Referer, and whoever
 * only opens the link, such as a mail scanner, uses nothing up: the page's button sends it.
 */

/**
 * Makes a link for a user. Links they had are no good any more. The link is in the answer and nowhere else: only its
 * SHA-256 is kept.
 * @throws `conflict` for robots and disabled users, `https-required`, `misdirected`, `not-found`, and what the policy
 *   refuses
 */
export async function makeLoginLink(
  ctx: Context,
  actor: Actor,
  username: string,
): Promise<{ url: string; expiresAt: string }> {
  const user = await authorizedUser(ctx, actor, "account.grant", { username, kind: "any" });
  if (user.isRobot) throw new RegistryError("conflict", "This is a robot. Robots do not sign in.");
  if (user.disabledAt !== null) throw new RegistryError("conflict", "This user is disabled. Enable them first.");
  ensureSecureOrigin(ctx);
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(limits.secretRandomBytes))).toString("base64url");
  const expiresAt = ctx.now() + limits.loginLinkSeconds * 1000;
  await writeTogether(ctx.db, [
    ctx.db.delete(loginLinks).where(eq(loginLinks.userId, user.id)),
    ctx.db.insert(loginLinks).values({ hash: await sha256Hex(secret), userId: user.id, expiresAt }),
    auditRow(ctx, actor, "login-link.make", user.username),
  ]);
  return { url: `${ctx.origin()}/auth/link#${secret}`, expiresAt: new Date(expiresAt).toISOString() };
}

/**
 * Signs somebody in by their link, which ends with that. Of two at once one gets in.
 * @param input.previous the cookie the browser has already; that session ends
 * @returns `secret` for the cookie
 * @throws `rate-limited`, `https-required`, `link-ended`, `not-admitted` for a user who was disabled meanwhile
 */
export async function useLoginLink(
  ctx: Context,
  input: { link: string; previous: string | null },
): Promise<{ secret: string; me: Me }> {
  ensureSecureOrigin(ctx);
  await countSignIn(ctx);
  const hash = await sha256Hex(input.link);
  const isGood = and(eq(loginLinks.hash, hash), gt(loginLinks.expiresAt, ctx.now()));
  const user = await ctx.db
    .select(columnsOf(users))
    .from(loginLinks)
    .innerJoin(users, eq(users.id, loginLinks.userId))
    .where(isGood)
    .get();
  if (user === undefined) throw new RegistryError("link-ended");
  if (user.isRobot || user.disabledAt !== null) {
    throw new RegistryError("not-admitted", "This user does not sign in here. Ask the registry's administrator.");
  }
  const { id: userId, username } = user;
  const { secret, statements } = await startSession(ctx, { userId, username, signedInWith: "login-link" });
  const isDisabled = sql`EXISTS (SELECT 1 FROM ${users} WHERE ${eq(users.id, userId)} AND disabled_at IS NOT NULL)`;
  await writeTogether(ctx.db, [
    ctx.db.delete(loginLinks).where(isGood),
    guardChanged(ctx.db, "link-ended"),
    guardAgainst(ctx.db, "link-ended", isDisabled),
    ...(await endPrevious(ctx, input.previous)),
    ...statements,
  ]);
  const me = await getMe(ctx, await authenticateSession(ctx, secret, { beforeTerms: true }));
  return { secret, me };
}
