import { allow, type Decision, hasScope, refuse } from "./decision.ts";
import { type AccountFacts, type Actor, isAdministrator, isNarrowed, ownsAccount, siteRole } from "./roles.ts";

/* What somebody may do with accounts, and with the registry as a whole: a part of `decide`, which alone asks it. */

export type AccountAction = "account.manage" | "account.grant" | "account.disable" | "account.delete";

/** @param isEntitled by what they are on the whole site */
export function decideOnSite(actor: Actor, isEntitled: boolean): Decision {
  if (!isEntitled) return refuse("forbidden");
  if (!hasScope(actor, "manage") || isNarrowed(actor)) return refuse("insufficient-scope");
  return allow("administrator of the registry");
}

/** Whoever finds a superuser's token must not be able to make another superuser. */
export function decideOnGovernment(actor: Actor): Decision {
  const decision = decideOnSite(actor, isSuperuser(actor));
  const isSession = actor.kind !== "user" || actor.credential.kind === "session";
  return decision.allowed && !isSession ? refuse("session-required") : decision;
}

/**
 * One's own account, one's robots, and those below one's role. Nobody but the operator makes credentials that
 * act as another person, and nobody disables themselves: nobody else could undo it.
 */
export function decideOnAccount(actor: Actor, action: AccountAction, facts: AccountFacts): Decision {
  if (actor.kind === "operator") return allow("operator of the registry");
  if (actor.kind === "anonymous") return refuse("unauthenticated");
  const isSelf = actor.userId === facts.userId;
  const isOwnRobot = facts.isRobot && facts.ownerUserId !== null && ownsAccount(actor, facts.ownerUserId);
  const isAbove = isSuperuser(actor) || (isAdministrator(actor) && facts.role === "user");
  // A robot's account is its owner's: it neither ends its own credentials nor makes others.
  const isOwn = (isSelf && !facts.isRobot) || isOwnRobot;
  const isEntitled = {
    "account.manage": isOwn || isAbove,
    "account.grant": isOwn || (isAbove && facts.isRobot),
    "account.disable": !isSelf && (isOwnRobot || isAbove),
    "account.delete": isOwn || isAbove,
  }[action];
  if (!isEntitled) return refuse(isSelf || isAdministrator(actor) ? "forbidden" : "not-found");
  const { kind, collectionId } = actor.credential;
  if (!hasScope(actor, "manage") || collectionId !== null) return refuse("insufficient-scope");
  // Whoever finds a token must not be able to make one that outlives it, or end the account.
  const needsSession = action === "account.grant" || (action === "account.delete" && isSelf);
  if (needsSession && kind !== "session") return refuse("session-required");
  return allow(isOwn ? "own account" : `${siteRole(actor)} of the registry`);
}

function isSuperuser(actor: Actor): boolean {
  return actor.kind === "operator" || (actor.kind === "user" && actor.isSuperuser);
}
