import { eq, inArray, type SQL, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import type { Account } from "../../identity/account.ts";
import { type Claims, openCapability, signCapability } from "../../storage/capabilities.ts";
import { guardAgainst } from "../../storage/db/guard.ts";
import { entities } from "../../storage/db/schema/catalog.ts";
import { tombstones } from "../../storage/db/schema/history.ts";
import { identities, users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { newEntity } from "../catalog/entities.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { parseEntityName } from "../names.ts";
import type { Provider } from "../providers.ts";
import { auditRow } from "../upkeep/audit.ts";
import { givesAdmin, isAdmitted } from "./admission.ts";
import { findProvider } from "./attempts.ts";
import { endPrevious } from "./end-previous.ts";
import { getMe, type Me } from "./me.ts";
import { authenticateSession, startSession } from "./sessions.ts";
import { countSignIn, ensureSecureOrigin } from "./sign-in-limits.ts";
import { isNameTaken, newUser } from "./users.ts";

/*
 * Somebody who has signed in for the first time chooses a name. Until then nothing of them is stored: what their
 * provider said goes with their browser, sealed.
 */

/** @throws `not-admitted` */
export async function sealRegistration(ctx: Context, provider: Provider, account: Account): Promise<string> {
  if (ctx.settings.DISABLE_REGISTRATION || !isAdmitted(provider, account)) throw new RegistryError("not-admitted");
  const said = { ...account, provider: provider.id, isAdmin: givesAdmin(provider, account) };
  const expiresAt = ctx.now() + limits.registrationSeconds * 1000;
  return await signCapability(ctx.settings, "registration", said, { expiresAt, since: ctx.now() });
}

/** Somebody new, as the page for choosing a name shows them. */
export interface Newcomer {
  provider: Pick<Provider, "id" | "name">;
  name: string;
  email: string | null;
  /** A name that is free; empty where none came to mind. */
  suggestedUsername: string;
  /** The version of the terms to agree to; null where there are none. */
  terms: string | null;
}

/** @throws `not-found` where nobody new came back in this browser */
export async function getRegistration(ctx: Context, sealed: string | null): Promise<Newcomer> {
  const said = await openRegistration(ctx, sealed, "not-found");
  const { id, name } = findProvider(ctx, said.provider) ?? { id: said.provider, name: said.provider };
  const { TERMS_VERSION } = ctx.settings;
  return {
    provider: { id, name },
    name: said.name,
    email: said.email,
    suggestedUsername: await findFreeName(ctx, said.suggestedName),
    terms: TERMS_VERSION === "" ? null : TERMS_VERSION,
  };
}

/**
 * Makes the user, their entity, the account they sign in with, and a session: all of them or none. Of two at once
 * one wins.
 * @param input.terms the version of the terms they agree to; null where they were shown none
 * @param input.cookie of the session the browser has; that ends
 * @returns `secret` for the cookie
 * @throws `sign-in-expired`, `not-admitted`, `terms-required`, `name-invalid`, `name-reserved`, `name-taken`,
 *   `identity-taken`, `https-required`, `rate-limited`
 */
export async function register(
  ctx: Context,
  input: { sealed: string | null; username: string; terms: string | null; cookie: string | null },
): Promise<{ secret: string; me: Me }> {
  ensureSecureOrigin(ctx);
  await countSignIn(ctx);
  const said = await openRegistration(ctx, input.sealed, "sign-in-expired");
  const { DISABLE_REGISTRATION, TERMS_VERSION } = ctx.settings;
  // Switched off while they were choosing.
  if (DISABLE_REGISTRATION || findProvider(ctx, said.provider) === null) throw new RegistryError("not-admitted");
  if (TERMS_VERSION !== "" && input.terms !== TERMS_VERSION) throw new RegistryError("terms-required");
  const username = parseEntityName(input.username);
  const identity = newIdentity(ctx, said, "admission");
  const agreed = TERMS_VERSION === "" ? {} : { agreedTerms: TERMS_VERSION, agreedTermsAt: ctx.now() };
  const claimedAdminUntil = ctx.now() + limits.claimedRoleSeconds * 1000;
  const claimed = said.isAdmin ? { claimedAdminUntil, claimedAdminBy: identity.id } : {};
  const user = { ...newUser(ctx, username), ...agreed, ...claimed };
  const { secret, statements } = await startSession(ctx, {
    userId: user.id,
    username,
    signedInWith: said.provider,
  });
  const doer = { kind: "on-behalf", username } as const;
  const detail = { provider: said.provider, isAdmin: said.isAdmin, terms: user.agreedTerms };
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "identity-taken", isLinked(said)),
    guardAgainst(ctx.db, "name-taken", isNameTaken(username)),
    ctx.db.insert(users).values(user),
    ctx.db.insert(entities).values(newEntity(ctx, username, user.id)),
    ctx.db.insert(identities).values({ ...identity, userId: user.id }),
    auditRow(ctx, doer, "user.register", username, { detail }),
    ...(await endPrevious(ctx, input.cookie)),
    ...statements,
  ]);
  return { secret, me: await getMe(ctx, await authenticateSession(ctx, secret, { beforeTerms: true })) };
}

type Said = Claims<"registration">;

async function openRegistration(
  ctx: Context,
  sealed: string | null,
  code: "not-found" | "sign-in-expired",
): Promise<Said> {
  if (sealed === null) throw new RegistryError(code);
  return await openCapability(ctx.settings, "registration", sealed, ctx.now()).catch((cause) => {
    throw new RegistryError(code, undefined, { cause });
  });
}

/** An account elsewhere as it is kept, without whose it is. */
export function newIdentity(
  ctx: Context,
  { provider, issuer, subject, name, email, emailVerified }: Omit<Said, "isAdmin" | "suggestedName">,
  origin: "admission" | "link",
) {
  const now = ctx.now();
  const id = crypto.randomUUID();
  return { id, provider, issuer, subject, origin, name, email, emailVerified, createdAt: now, lastUsedAt: now };
}

function isLinked({ issuer, subject }: Pick<Said, "issuer" | "subject">): SQL {
  return sql`EXISTS (SELECT 1 FROM ${identities}
    WHERE ${eq(identities.issuer, issuer)} AND ${eq(identities.subject, subject)})`;
}

/** The suggested name in our letters, with a number behind it where that is taken. */
async function findFreeName(ctx: Context, suggested: string): Promise<string> {
  const stem = suggested
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, limits.nameLength - 2)
    .replace(/^-|-$/g, "");
  const candidates = ["", "-2", "-3", "-4", "-5", "-6", "-7", "-8", "-9"].map((suffix) => `${stem}${suffix}`);
  const isAllowed = (name: string) => {
    try {
      return parseEntityName(name) === name;
    } catch {
      return false;
    }
  };
  const usable = stem === "" ? [] : candidates.filter(isAllowed);
  if (usable.length === 0) return "";
  const taken = await ctx.db
    .select({ name: entities.name })
    .from(entities)
    .where(inArray(entities.name, usable))
    .union(ctx.db.select({ name: users.username }).from(users).where(inArray(users.username, usable)))
    .union(
      ctx.db
        .select({ name: tombstones.name })
        .from(tombstones)
        .where(sql`${eq(tombstones.kind, "entity")} AND ${inArray(tombstones.name, usable)}`),
    )
    .all();
  const names = new Set(taken.map(({ name }) => name));
  return usable.find((name) => !names.has(name)) ?? "";
}
