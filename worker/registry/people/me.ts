import { and, eq, sql } from "drizzle-orm";
import {
  type Actor,
  isNarrowed,
  ownAccount,
  type SiteRole,
  siteRole,
  type UserActor,
  type UserCredential,
} from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { entities } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnAccount } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { type Quota, quotaOf } from "../quota.ts";
import { auditRow } from "../upkeep/audit.ts";
import { asUser } from "./user-actor.ts";

/** Whoever asks, and the state of their account. */
export interface Me {
  username: string;
  role: SiteRole;
  isRobot: boolean;
  credential: UserCredential;
  /** The entity of the same name, where their own collections are; null where there is none, and to a credential for one collection. */
  entity: string | null;
  /** Milliseconds, as the time below. */
  createdAt: number;
  /** Of all they own: null to a credential for one collection. */
  quota: Quota | null;
  /** The version of the terms one must have agreed to; null where there are none. */
  requiredTerms: string | null;
  agreedTerms: string | null;
  agreedTermsAt: number | null;
}

/** Who asks, whatever their credential may do. One query. @throws `unauthenticated` */
export async function getMe(ctx: Context, actor: Actor): Promise<Me> {
  const me = asUser(actor);
  const [account] = await accountQuery(ctx, me.userId);
  return present(ctx, me, account);
}

/**
 * Agrees to the present terms. Doing it again changes nothing: the time of the first agreement stays.
 * @param version what was read
 * @throws `conflict` when the terms are others by now, and what the policy refuses
 */
export async function agreeToTerms(ctx: Context, actor: Actor, version: string): Promise<Me> {
  const me = asUser(actor);
  authorizeOnAccount(ctx.settings, actor, "account.manage", ownAccount(me));
  const required = ctx.settings.TERMS_VERSION;
  if (required === "") throw new RegistryError("conflict", "This registry has no terms to agree to.");
  if (version !== required) {
    throw new RegistryError("conflict", `The terms were changed: version ${required} is in force. Read them again.`);
  }
  const isNew = sql`${users.agreedTerms} IS NOT ${version}`;
  const results = await writeTogether(ctx.db, [
    ctx.db
      .update(users)
      .set({ agreedTerms: version, agreedTermsAt: ctx.now() })
      .where(and(eq(users.id, me.userId), isNew)),
    auditRow(ctx, actor, "terms.agree", me.username, { detail: { version }, when: sql`changes() > 0` }),
    accountQuery(ctx, me.userId),
  ]);
  const [account] = results.at(-1) as Account[];
  return present(ctx, me, account);
}

type Account = Pick<Me, "quota" | "entity" | "createdAt" | "agreedTerms" | "agreedTermsAt">;

function accountQuery(ctx: Context, userId: string) {
  const { createdAt, agreedTerms, agreedTermsAt } = users;
  return ctx.db
    .select({ createdAt, agreedTerms, agreedTermsAt, entity: entities.name, quota: quotaOf(ctx, userId) })
    .from(users)
    .leftJoin(entities, and(eq(entities.name, users.username), eq(entities.ownerUserId, users.id)))
    .where(eq(users.id, userId));
}

/** @throws `invalid-credential` for an account that was deleted meanwhile */
function present({ settings }: Context, actor: UserActor, account: Account | undefined): Me {
  if (account === undefined) throw new RegistryError("invalid-credential");
  const { username, isRobot, credential } = actor;
  const requiredTerms = settings.TERMS_VERSION === "" ? null : settings.TERMS_VERSION;
  const more = isNarrowed(actor) ? { ...account, entity: null, quota: null } : account;
  return { username, role: siteRole(actor), isRobot, credential, requiredTerms, ...more };
}
