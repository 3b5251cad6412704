import { and, eq, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import type { Account } from "../../identity/account.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { identities, users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { RegistryError } from "../errors.ts";
import type { Provider } from "../providers.ts";
import type { User } from "./accounts.ts";
import { givesAdmin, isStillAdmitted } from "./admission.ts";
import { beginAttempt, type Departure, finishAttempt } from "./attempts.ts";
import { claimedRole } from "./claimed-role.ts";
import { endPrevious } from "./end-previous.ts";
import { type Identity, linkAccount } from "./identities.ts";
import { sealRegistration } from "./registration.ts";
import { startSession } from "./sessions.ts";

/** Begins to sign in with a provider. @throws as `beginAttempt` */
export async function beginSignIn(ctx: Context, input: { provider: string; next: string }): Promise<Departure> {
  return await beginAttempt(ctx, { ...input, sessionId: null });
}

export type Arrival =
  /** A user who is signed in now; `secret` is for the cookie. `next` is a path of this registry, as the others' is. */
  | { kind: "signed-in"; secret: string; next: string }
  /** Somebody new, who is to choose a name; `sealed` is for a cookie. */
  | { kind: "registration"; sealed: string }
  /** A user who was signed in before, and has one account more to do it with. */
  | { kind: "linked"; next: string };

/**
 * A browser comes back from a provider.
 * @param input.sealed what it was given when it left
 * @param input.cookie of the session it has; that ends when somebody signs in
 * @throws `sign-in-expired`, `sign-in-failed`, `provider-unavailable`, `not-admitted`, `identity-taken`,
 *   `limit-reached`, `terms-required`
 */
export async function arrive(
  ctx: Context,
  input: { provider: string; sealed: string | null; cookie: string | null; callback: URLSearchParams },
): Promise<Arrival> {
  const { attempt, provider, account } = await finishAttempt(ctx, input);
  const { next, sessionId } = attempt;
  if (sessionId !== null) {
    await linkAccount(ctx, { provider, account, sessionId, cookie: input.cookie });
    return { kind: "linked", next };
  }
  const known = await findIdentity(ctx, account);
  if (known === null) return { kind: "registration", sealed: await sealRegistration(ctx, provider, account) };
  const secret = await signIn(ctx, { ...known, provider, account, cookie: input.cookie });
  return { kind: "signed-in", secret, next };
}

/** Who has an account elsewhere. Never found by its address: whoever gets that address would be them. */
async function findIdentity(
  ctx: Context,
  { issuer, subject }: Pick<Account, "issuer" | "subject">,
): Promise<{ identity: Identity; user: User } | null> {
  const row = await ctx.db
    .select({ identity: columnsOf(identities), user: columnsOf(users) })
    .from(identities)
    .innerJoin(users, eq(users.id, identities.userId))
    .where(and(eq(identities.issuer, issuer), eq(identities.subject, subject)))
    .get();
  return row ?? null;
}

interface Known {
  identity: Identity;
  user: User;
  provider: Provider;
  account: Account;
  cookie: string | null;
}

async function signIn(ctx: Context, { identity, user, provider, account, cookie }: Known): Promise<string> {
  const mayCome = identity.origin === "link" || isStillAdmitted(provider, account);
  if (user.disabledAt !== null || user.isRobot || !mayCome) {
    // Whoever does not get in has no role by this account either, where they are still signed in.
    const [drop, ...rest] = claimedRole(ctx, { identity, user, isAdmin: false });
    await writeTogether(ctx.db, [drop, ...rest]);
    throw new RegistryError("not-admitted", "This user does not sign in here any more. Ask its administrator.");
  }
  const { id: userId, username } = user;
  const { secret, statements } = await startSession(ctx, { userId, username, signedInWith: provider.id });
  const { name, email, emailVerified } = account;
  const isDisabled = sql`EXISTS (SELECT 1 FROM ${users} WHERE ${eq(users.id, userId)} AND disabled_at IS NOT NULL)`;
  await writeTogether(ctx.db, [
    ctx.db
      .update(identities)
      .set({ provider: provider.id, name, email, emailVerified, lastUsedAt: ctx.now() })
      .where(and(eq(identities.id, identity.id), eq(identities.userId, userId))),
    // Unlinked or disabled meanwhile.
    guardChanged(ctx.db, "conflict"),
    guardAgainst(ctx.db, "conflict", isDisabled),
    ...claimedRole(ctx, { identity, user, isAdmin: givesAdmin(provider, account) }),
    ...(await endPrevious(ctx, cookie)),
    ...statements,
  ]);
  return secret;
}
