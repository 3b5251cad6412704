import { and, eq, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { guardAgainst } from "../../storage/db/guard.ts";
import { users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { RegistryError } from "../errors.ts";
import { auditRow } from "../upkeep/audit.ts";
import type { User } from "./accounts.ts";
import { endSignIns } from "./end-credentials.ts";
import { guardStillGood } from "./still-good.ts";

/** One entry of the audit log. */
export interface Act {
  action: string;
  detail?: Record<string, unknown>;
}

/**
 * Changes a user's row as it was read: not if anybody changed it meanwhile. Changing nothing writes nothing.
 * @param expected the version the client saw; null where it does not say
 * @returns the row as it is now
 * @throws `precondition-failed`, `conflict`
 */
export async function changeUser(
  ctx: Context,
  actor: Actor,
  user: User,
  change: { set: Partial<User>; acts: readonly Act[]; endsSignIns: boolean; guards?: readonly Statement[] },
  expected: number | null,
): Promise<User> {
  if (expected !== null && expected !== user.version) throw new RegistryError("precondition-failed");
  if (change.acts.length === 0) return user;
  const changed = { ...user, ...change.set, version: user.version + 1 };
  const isAsItWas = and(eq(users.id, user.id), eq(users.version, user.version));
  const isChanged = sql`NOT EXISTS (SELECT 1 FROM ${users} WHERE ${isAsItWas})`;
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, expected === null ? "conflict" : "precondition-failed", isChanged),
    // Before the change: they may be taking their own role away.
    ...guardStillGood(ctx, actor),
    ctx.db
      .update(users)
      .set({ ...change.set, version: changed.version })
      .where(isAsItWas),
    ...(change.guards ?? []),
    ...(change.endsSignIns ? endSignIns(ctx, user.id) : []),
    ...change.acts.map(({ action, detail }) =>
      auditRow(ctx, actor, action, user.username, detail === undefined ? {} : { detail }),
    ),
  ]);
  return changed;
}
