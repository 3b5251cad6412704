import { and, eq, sql } from "drizzle-orm";
import { type Actor, accountIdsOf, isAdministrator, isNarrowed } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { guardAgainst } from "../../storage/db/guard.ts";
import { users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnSite } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { type Quota, quotaOf, quotaQuery } from "../quota.ts";
import { auditRow } from "../upkeep/audit.ts";
import type { User } from "./accounts.ts";
import { guardStillGood } from "./still-good.ts";

/** An account that may hold something, and how much. */
export interface AccountQuota {
  account: string;
  isTeam: boolean;
  /** Whether it is the account's own number; else it is what the settings say. */
  isOwnNumber: boolean;
  quota: Quota;
}

/**
 * The quota of a person or a team: for themselves, for everybody in the team, and for administrators.
 * @throws `not-found`, also for what is somebody else's
 */
export async function getQuota(ctx: Context, actor: Actor, name: string): Promise<AccountQuota> {
  const [found] = await accountQuery(ctx, name);
  // A token for one collection says nothing of all the others.
  const isNarrow = isNarrowed(actor);
  const isTheirs = found !== undefined && !isNarrow && accountIdsOf(actor).includes(found.id);
  if (!isTheirs) {
    if (!isAdministrator(actor) || isNarrow) throw absent();
    authorizeOnSite(ctx.settings, actor, "site.administer");
  }
  return present(found);
}

/** The quota of an account for those who own it, or are in it; null for everybody else, and to a token for one collection. */
export async function quotaForOwner(ctx: Context, actor: Actor, accountId: string): Promise<Quota | null> {
  const isTheirs = !isNarrowed(actor) && accountIdsOf(actor).includes(accountId);
  return isTheirs ? await quotaOfUser(ctx, { id: accountId }) : null;
}

/** The quota of a person whose account the actor was shown. */
export async function quotaOfUser(ctx: Context, user: Pick<User, "id">): Promise<Quota> {
  const row = await quotaQuery(ctx, user.id).get();
  return row?.quota ?? { usedBytes: 0, reservedBytes: 0, quotaBytes: null };
}

/**
 * Says how many bytes a person or a team may hold. Less than they hold deletes nothing: they add nothing until there
 * is room again.
 * @param quotaBytes null for what the settings say
 * @throws `not-found`, and what the policy refuses
 */
export async function setQuota(
  ctx: Context,
  actor: Actor,
  name: string,
  quotaBytes: number | null,
): Promise<AccountQuota> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const [found] = await accountQuery(ctx, name);
  const { account } = present(found);
  const isIt = eq(users.username, account);
  const isOther = and(isIt, sql`${users.quotaBytes} IS NOT ${quotaBytes}`);
  const results = await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "not-found", sql`NOT EXISTS (SELECT 1 FROM ${users} WHERE ${isIt})`),
    ...guardStillGood(ctx, actor),
    ctx.db
      .update(users)
      .set({ quotaBytes, version: sql`${users.version} + 1` })
      .where(isOther),
    auditRow(ctx, actor, "quota.set", account, { detail: { quotaBytes }, when: sql`changes() > 0` }),
    accountQuery(ctx, name),
  ]);
  const [now] = results.at(-1) as Found[];
  return present(now);
}

type Found = { id: string; username: string; isTeam: boolean; ownBytes: number | null; quota: Quota };

/** A robot holds nothing. */
function accountQuery(ctx: Context, name: string) {
  return ctx.db
    .select({
      id: users.id,
      username: users.username,
      isTeam: users.isTeam,
      ownBytes: users.quotaBytes,
      quota: quotaOf(ctx, sql`users.id`),
    })
    .from(users)
    .where(and(eq(users.username, name.toLowerCase()), eq(users.isRobot, false)));
}

function present(found: Found | undefined): AccountQuota {
  if (found === undefined) throw absent();
  const { username, isTeam, ownBytes, quota } = found;
  return { account: username, isTeam, isOwnNumber: ownBytes !== null, quota };
}

function absent(): RegistryError {
  return new RegistryError("not-found", "There is no such user or team.");
}
