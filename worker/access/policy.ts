import type { Settings } from "../registry/settings.ts";
import { decideOnAccount, decideOnGovernment, decideOnSite } from "./account-policy.ts";
import { allow, type Decision, hasScope, refuse } from "./decision.ts";
import {
  type AccountFacts,
  type Actor,
  accountIdsOf,
  type CollectionFacts,
  type CollectionRole,
  collectionRole,
  type EntityFacts,
  isAdministrator,
  isAtLeast,
  isNarrowed,
  ownsAccount,
  type Scope,
  type TeamFacts,
  type Visibility,
} from "./roles.ts";

/** Everything that is asked of the policy, and the facts each question needs. */
interface FactsOf {
  /** Learn that a collection and what is in it exist: names, tags, sizes. */
  "collection.see": CollectionFacts;
  /** Read an image's bytes. */
  "collection.pull": CollectionFacts;
  /** Create containers, upload images, set tags. */
  "collection.push": CollectionFacts;
  /** Delete tags and images. */
  "collection.delete-image": CollectionFacts;
  /** Change its visibility and people, share and freeze what is in it, delete it. */
  "collection.manage": CollectionFacts;
  /** Learn who has rights in it, and what was done in it. */
  "collection.see-people": CollectionFacts;
  /** Mark it, and take the mark away. */
  "collection.star": CollectionFacts;
  /** Give it away: to another entity, or to somebody else's. */
  "collection.hand-over": CollectionFacts;
  "entity.see": EntityFacts;
  "entity.create-collection": EntityFacts;
  /** Say what it is. */
  "entity.edit": EntityFacts;
  /** Learn that a team exists, what it is, and who is in it. */
  "team.see": TeamFacts;
  /** Become a member without an invitation. */
  "team.join": TeamFacts;
  /** Change it, invite and remove people, make robots of its own, delete it. */
  "team.manage": TeamFacts;
  "site.create-team": null;
  /** Create an entity for oneself beside the one that came with the account. */
  "site.create-entity": null;
  /** Users, robots, names, run-time settings, the audit log, integrity. */
  "site.administer": null;
  /** Make administrators and superusers, and take that away. */
  "site.govern": null;
  /** See its tokens, sessions and identities; end them; agree to terms; export its data. */
  "account.manage": AccountFacts;
  /** Make credentials that act as it. */
  "account.grant": AccountFacts;
  /** Disable it, and let it work again. */
  "account.disable": AccountFacts;
  "account.delete": AccountFacts;
}

export type Action = keyof FactsOf;
export const actions = [
  "collection.see",
  "collection.pull",
  "collection.push",
  "collection.delete-image",
  "collection.manage",
  "collection.see-people",
  "collection.star",
  "collection.hand-over",
  "entity.see",
  "entity.create-collection",
  "entity.edit",
  "team.see",
  "team.join",
  "team.manage",
  "site.create-team",
  "site.create-entity",
  "site.administer",
  "site.govern",
  "account.manage",
  "account.grant",
  "account.disable",
  "account.delete",
] as const satisfies readonly Action[];

export type PolicySettings = Pick<
  Settings,
  "API_REQUIRE_AUTH" | "PRIVATE_ONLY" | "DISABLE_BUILDING" | "USER_COLLECTIONS"
>;

/**
 * The one place that says who may do what. Pure: the caller loads the facts.
 * A hidden thing is refused with `not-found`, exactly as an absent one, and an
 * anonymous write with `unauthenticated` before anything is looked at.
 */
export function decide<A extends Action>(
  actor: Actor,
  action: A,
  facts: FactsOf[A],
  settings: PolicySettings,
): Decision {
  if (actor.kind === "anonymous" && (!isRead(action) || settings.API_REQUIRE_AUTH)) return refuse("unauthenticated");
  const question = { action, facts } as { [K in Action]: { action: K; facts: FactsOf[K] } }[Action];
  switch (question.action) {
    case "collection.see":
    case "collection.pull":
    case "collection.push":
    case "collection.delete-image":
    case "collection.manage":
      return decideOnCollection(actor, question.action, question.facts, settings);
    case "collection.see-people":
    case "collection.star":
    case "collection.hand-over":
      return decideOnTogether(actor, question.action, question.facts, settings);
    case "entity.see":
      return seesEntity(actor, question.facts) ? allow("visible") : refuse("not-found");
    case "entity.create-collection":
      return decideOnNewCollection(actor, question.facts, settings);
    case "entity.edit":
      return decideOnEntity(actor, question.facts);
    case "team.see":
    case "team.join":
    case "team.manage":
      return decideOnTeam(actor, question.action, question.facts);
    case "site.create-team":
      return decideOnNewTeam(actor, settings);
    case "site.create-entity":
    case "site.administer":
      return decideOnSite(actor, isAdministrator(actor));
    case "site.govern":
      return decideOnGovernment(actor);
    case "account.manage":
    case "account.grant":
    case "account.disable":
    case "account.delete":
      return decideOnAccount(actor, question.action, question.facts);
    default:
      return question satisfies never;
  }
}

/** With PRIVATE_ONLY nothing is public any more, whatever it was made as. */
export function effectiveVisibility(visibility: Visibility, settings: Pick<Settings, "PRIVATE_ONLY">): Visibility {
  return settings.PRIVATE_ONLY ? "private" : visibility;
}

const neededRole: Record<
  "collection.push" | "collection.delete-image" | "collection.manage",
  { role: CollectionRole; scope: Scope }
> = {
  "collection.push": { role: "contributor", scope: "push" },
  "collection.delete-image": { role: "owner", scope: "manage" },
  "collection.manage": { role: "owner", scope: "manage" },
};

function decideOnCollection(
  actor: Actor,
  action: "collection.see" | "collection.pull" | keyof typeof neededRole,
  facts: CollectionFacts,
  settings: PolicySettings,
): Decision {
  const { role, reason } = collectionRole(actor, facts);
  const open = isOpenTo(actor, facts, effectiveVisibility(facts.visibility, settings));
  if (role === null && !open) return refuse("not-found");
  if (action === "collection.see") return allow(reason ?? "visible to all");
  if (action === "collection.pull") {
    if (effectiveVisibility(facts.visibility, settings) === "public") return allow("public");
    return hasScope(actor, "pull") ? allow(reason ?? "internal") : refuse("insufficient-scope");
  }
  const needed = neededRole[action];
  if (!hasScope(actor, needed.scope) || isForAnother(actor, facts)) return refuse("insufficient-scope");
  if (!isAtLeast(role, needed.role)) return refuse("forbidden");
  if (action === "collection.push" && settings.DISABLE_BUILDING) return refuse("pushing-disabled");
  return allow(reason ?? "");
}

function decideOnTogether(
  actor: Actor,
  action: "collection.see-people" | "collection.star" | "collection.hand-over",
  facts: CollectionFacts,
  settings: PolicySettings,
): Decision {
  const seen = decideOnCollection(actor, "collection.see", facts, settings);
  if (!seen.allowed) return seen;
  const { role } = collectionRole(actor, facts);
  if (action === "collection.see-people") return role === null ? refuse("forbidden") : seen;
  if (!hasScope(actor, "manage") || isForAnother(actor, facts)) return refuse("insufficient-scope");
  if (action === "collection.star") return isPerson(actor) ? seen : refuse("forbidden");
  if (isNarrowed(actor)) return refuse("insufficient-scope");
  // Its other owners work in it; whose it is, is for whoever owns the entity.
  const isOwner = ownsAccount(actor, facts.entityOwnerId);
  return isOwner || isAdministrator(actor) ? seen : refuse("forbidden");
}

function decideOnEntity(actor: Actor, facts: EntityFacts): Decision {
  if (!seesEntity(actor, facts)) return refuse("not-found");
  if (!hasScope(actor, "manage") || isNarrowed(actor)) return refuse("insufficient-scope");
  const isOwner = ownsAccount(actor, facts.entityOwnerId);
  if (!isOwner && !isAdministrator(actor)) return refuse("forbidden");
  return allow(isOwner ? "owner of the entity" : "administrator of the registry");
}

/** Whoever is signed in may know of teams; a token for one collection is not for looking around. */
function decideOnTeam(actor: Actor, action: Extract<Action, `team.${string}`>, facts: TeamFacts): Decision {
  if (actor.kind === "anonymous") return refuse("unauthenticated");
  // Absent: no team has the empty id.
  if ((actor.kind === "user" && actor.credential.collectionId !== null) || facts.teamId === "")
    return refuse("not-found");
  if (action === "team.see") return allow("signed in");
  if (!hasScope(actor, "manage")) return refuse("insufficient-scope");
  if (action === "team.join") {
    return isPerson(actor) && facts.joining === "open" ? allow("open team") : refuse("forbidden");
  }
  const isOwner = ownsAccount(actor, facts.teamId);
  if (!isOwner && !isAdministrator(actor)) return refuse("forbidden");
  return allow(isOwner ? "owner of the team" : "administrator of the registry");
}

function decideOnNewTeam(actor: Actor, settings: PolicySettings): Decision {
  // The operator is nobody, and a team has an owner.
  if (!isPerson(actor)) return refuse("forbidden");
  if (!hasScope(actor, "manage") || isNarrowed(actor)) return refuse("insufficient-scope");
  if (!settings.USER_COLLECTIONS && !isAdministrator(actor)) return refuse("collections-disabled");
  return allow("person");
}

function isPerson(actor: Actor): boolean {
  return actor.kind === "user" && !actor.isRobot;
}

function decideOnNewCollection(actor: Actor, facts: EntityFacts, settings: PolicySettings): Decision {
  if (!seesEntity(actor, facts)) return refuse("not-found");
  if (!hasScope(actor, "push") || isNarrowed(actor)) return refuse("insufficient-scope");
  const isOwner = ownsAccount(actor, facts.entityOwnerId);
  if (!isOwner && !isAdministrator(actor)) return refuse("forbidden");
  if (settings.DISABLE_BUILDING) return refuse("pushing-disabled");
  if (!settings.USER_COLLECTIONS && !isAdministrator(actor)) return refuse("collections-disabled");
  return allow(isOwner ? "owner of the entity" : "administrator of the registry");
}

function seesEntity(actor: Actor, facts: EntityFacts): boolean {
  if (facts.hasVisibleCollection) return true;
  if (actor.kind === "anonymous" || isNarrowed(actor)) return false;
  return isAdministrator(actor) || accountIdsOf(actor).includes(facts.entityOwnerId);
}

function isOpenTo(actor: Actor, facts: CollectionFacts, visibility: Visibility): boolean {
  if (visibility === "public") return true;
  return visibility === "internal" && actor.kind !== "anonymous" && !isForAnother(actor, facts);
}

function isRead(action: Action): boolean {
  return action === "collection.see" || action === "collection.pull" || action === "entity.see";
}

function isForAnother(actor: Actor, facts: CollectionFacts): boolean {
  return isNarrowed(actor) && actor.credential.collectionId !== facts.collectionId;
}
