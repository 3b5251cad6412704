import { and, eq, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { type identities, users } from "../../storage/db/schema/people.ts";
import { limits } from "../limits.ts";
import { auditRow } from "../upkeep/audit.ts";
import type { User } from "./accounts.ts";

type Identity = typeof identities.$inferSelect;

/** A claim's role lasts until it is claimed no more, or until nobody has asked for too long. */
export function claimedRole(
  ctx: Context,
  of: { identity: Identity; user: User; isAdmin: boolean },
): [Statement, ...Statement[]] {
  const { identity, user, isAdmin } = of;
  const doer = { kind: "on-behalf", username: user.username } as const;
  const detail = { provider: identity.provider, identity: identity.id };
  if (isAdmin) {
    const claimedAdminUntil = ctx.now() + limits.claimedRoleSeconds * 1000;
    const isNew = user.claimedAdminBy === null || (user.claimedAdminUntil ?? 0) <= ctx.now();
    const version = isNew ? sql`${users.version} + 1` : sql`${users.version}`;
    return [
      ctx.db
        .update(users)
        .set({ claimedAdminUntil, claimedAdminBy: identity.id, version })
        .where(eq(users.id, user.id)),
      ...(isNew ? [auditRow(ctx, doer, "user.claim-admin", user.username, { detail })] : []),
    ];
  }
  return [
    dropClaimedRole(ctx, user.id, identity.id),
    auditRow(ctx, doer, "user.unclaim-admin", user.username, { detail, when: sql`changes() > 0` }),
  ];
}

/** Takes the role away that this identity gave. */
export function dropClaimedRole(ctx: Context, userId: string, identityId: string): Statement {
  return ctx.db
    .update(users)
    .set({ claimedAdminUntil: null, claimedAdminBy: null, version: sql`${users.version} + 1` })
    .where(and(eq(users.id, userId), eq(users.claimedAdminBy, identityId)));
}
