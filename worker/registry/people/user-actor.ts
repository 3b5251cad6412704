import type { Actor, TeamPlace, UserActor, UserCredential } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { users } from "../../storage/db/schema/people.ts";
import { RegistryError } from "../errors.ts";

export interface AuthenticateOptions {
  /** For the little that a user may do who has not agreed to the present terms. */
  beforeTerms?: boolean;
}

/** Somebody as a query brings them: with their teams (`teamPlaces`). */
export interface Somebody {
  user: typeof users.$inferSelect;
  teams: readonly TeamPlace[];
}

/**
 * A user with a credential of theirs that was found good.
 * @throws `invalid-credential` while they are disabled, `terms-required`
 */
export function actorOf(
  ctx: Context,
  { user, teams }: Somebody,
  credential: UserCredential,
  options: AuthenticateOptions = {},
): UserActor {
  if (user.disabledAt !== null || user.isTeam) throw new RegistryError("invalid-credential");
  if (credential.kind === "session" && user.isRobot) throw new RegistryError("invalid-credential");
  const { TERMS_VERSION } = ctx.settings;
  // A robot agrees to nothing: whoever made it has.
  const needsTerms = TERMS_VERSION !== "" && user.agreedTerms !== TERMS_VERSION && !user.isRobot;
  if (needsTerms && options.beforeTerms !== true) throw new RegistryError("terms-required");
  return toActor(ctx, { user, teams }, credential);
}

/** The same, whatever stands in their way. */
export function toActor(ctx: Context, { user, teams }: Somebody, credential: UserCredential): UserActor {
  return {
    kind: "user",
    userId: user.id,
    username: user.username,
    isAdmin: isAdminNow(ctx, user),
    isSuperuser: user.isSuperuser,
    isRobot: user.isRobot,
    teams,
    credential,
  };
}

/** For what only a user has, such as an account. @throws `unauthenticated` */
export function asUser(actor: Actor): UserActor {
  if (actor.kind !== "user") throw new RegistryError("unauthenticated");
  return actor;
}

/** Whether somebody is an administrator, by their role or by a claim of an identity provider that still counts. */
export function isAdminNow(ctx: Context, user: Pick<Somebody["user"], "isAdmin" | "claimedAdminUntil">): boolean {
  return user.isAdmin || (user.claimedAdminUntil ?? 0) > ctx.now();
}
