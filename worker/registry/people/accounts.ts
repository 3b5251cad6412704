import { and, eq } from "drizzle-orm";
import type { Action } from "../../access/policy.ts";
import { type AccountFacts, type Actor, ownAccount, scopes, siteRole, type UserActor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { users } from "../../storage/db/schema/people.ts";
import { authorizeOnAccount } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { teamPlaces } from "./team-places.ts";
import { isAdminNow, toActor } from "./user-actor.ts";

export type User = typeof users.$inferSelect;

/** Whose account something is about: the actor's own, or one by its name, where only such an account is meant. */
export type Whose = "own" | { username: string; kind: AccountKind };
export type AccountKind = "person" | "robot" | "any";

/** An account as far as what belongs to it must know it. */
export type Account = Pick<User, "id" | "username" | "isRobot" | "ownerUserId">;

/**
 * The account, where the actor may do this with it. One query, none for their own.
 * @throws `not-found`, `unauthenticated`, and what the policy refuses
 */
export async function authorizedAccount(
  ctx: Context,
  actor: Actor,
  action: Extract<Action, `account.${string}`>,
  whose: Whose,
): Promise<Account> {
  if (whose !== "own") return await authorizedUser(ctx, actor, action, whose);
  if (actor.kind !== "user") throw new RegistryError("unauthenticated");
  authorizeOnAccount(ctx.settings, actor, action, ownAccount(actor));
  return { id: actor.userId, username: actor.username, isRobot: actor.isRobot, ownerUserId: null };
}

/** The same with the whole row. */
export async function authorizedUser(
  ctx: Context,
  actor: Actor,
  action: Extract<Action, `account.${string}`>,
  { username, kind }: { username: string; kind: AccountKind },
): Promise<User> {
  const user = await findAccount(ctx, username, kind);
  authorizeOnAccount(ctx.settings, actor, action, user === null ? null : accountFacts(ctx, user));
  return present(user);
}

/** Null where there is none of that kind. Nothing is decided yet. */
export async function findAccount(ctx: Context, username: string, kind: AccountKind): Promise<User | null> {
  const user = await ctx.db.select().from(users).where(eq(users.username, username.toLowerCase())).get();
  // Teams are found as such alone.
  if (user === undefined || user.isTeam) return null;
  return kind === "any" || (kind === "robot") === user.isRobot ? user : null;
}

/** @throws `not-found` */
export function present(user: User | null): User {
  if (user === null) throw new RegistryError("not-found", "There is no such user.");
  return user;
}

/** What the policy must know of it. */
export function accountFacts(ctx: Context, user: User): AccountFacts {
  const role = siteRole({ isAdmin: isAdminNow(ctx, user), isSuperuser: user.isSuperuser });
  return { userId: user.id, role, isRobot: user.isRobot, ownerUserId: user.ownerUserId };
}

/**
 * An account as it would ask for something itself, to see what it may reach. Never for what an actor does.
 * @throws `not-found`
 */
export async function asItself(ctx: Context, username: string): Promise<UserActor> {
  const row = await ctx.db
    .select({ user: columnsOf(users), teams: teamPlaces })
    .from(users)
    .where(and(eq(users.username, username.toLowerCase()), eq(users.isTeam, false)))
    .get();
  const user = present(row?.user ?? null);
  const credential = { kind: "token", id: "", scopes: new Set(scopes), collectionId: null } as const;
  return toActor(ctx, { user, teams: row?.teams ?? [] }, credential);
}
