import type { ErrorCode } from "../registry/errors.ts";
import type { Settings } from "../registry/settings.ts";
import {
  type Actor,
  actorUserId,
  type CollectionFacts,
  type CollectionRole,
  collectionRole,
  type EntityFacts,
  isAdministrator,
  isAtLeast,
  type Scope,
  type UserActor,
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
  /** Change its visibility and people, freeze what is in it, delete it. */
  "collection.manage": CollectionFacts;
  "entity.see": EntityFacts;
  "entity.create-collection": EntityFacts;
  /** Create an entity for oneself beside the one that came with the account. */
  "site.create-entity": null;
  /** Users, tokens of others, names, integrity. */
  "site.administer": null;
}

export type Action = keyof FactsOf;
export const actions = [
  "collection.see",
  "collection.pull",
  "collection.push",
  "collection.delete-image",
  "collection.manage",
  "entity.see",
  "entity.create-collection",
  "site.create-entity",
  "site.administer",
] as const satisfies readonly Action[];

export type PolicySettings = Pick<
  Settings,
  "API_REQUIRE_AUTH" | "PRIVATE_ONLY" | "DISABLE_BUILDING" | "USER_COLLECTIONS"
>;

type Refusal = Extract<
  ErrorCode,
  "unauthenticated" | "not-found" | "forbidden" | "insufficient-scope" | "pushing-disabled" | "collections-disabled"
>;

export type Decision = { allowed: true; reason: string } | { allowed: false; code: Refusal };

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
    case "entity.see":
      return seesEntity(actor, question.facts) ? allow("visible") : refuse("not-found");
    case "entity.create-collection":
      return decideOnNewCollection(actor, question.facts, settings);
    case "site.create-entity":
    case "site.administer":
      return decideOnSite(actor);
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
  action: Extract<Action, `collection.${string}`>,
  facts: CollectionFacts,
  settings: PolicySettings,
): Decision {
  const { role, reason } = collectionRole(actor, facts);
  const open = isOpenTo(actor, effectiveVisibility(facts.visibility, settings));
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

function decideOnNewCollection(actor: Actor, facts: EntityFacts, settings: PolicySettings): Decision {
  if (!seesEntity(actor, facts)) return refuse("not-found");
  if (!hasScope(actor, "push") || isNarrowed(actor)) return refuse("insufficient-scope");
  const isOwner = actorUserId(actor) === facts.entityOwnerId;
  if (!isOwner && !isAdministrator(actor)) return refuse("forbidden");
  if (settings.DISABLE_BUILDING) return refuse("pushing-disabled");
  if (!settings.USER_COLLECTIONS && !isAdministrator(actor)) return refuse("collections-disabled");
  return allow(isOwner ? "owner of the entity" : "administrator of the registry");
}

function decideOnSite(actor: Actor): Decision {
  if (!isAdministrator(actor)) return refuse("forbidden");
  if (!hasScope(actor, "manage") || isNarrowed(actor)) return refuse("insufficient-scope");
  return allow("administrator of the registry");
}

function seesEntity(actor: Actor, facts: EntityFacts): boolean {
  if (facts.hasVisibleCollection) return true;
  if (actor.kind === "anonymous" || isNarrowed(actor)) return false;
  return isAdministrator(actor) || actorUserId(actor) === facts.entityOwnerId;
}

function isOpenTo(actor: Actor, visibility: Visibility): boolean {
  return visibility === "public" || (visibility === "internal" && actor.kind !== "anonymous" && !isNarrowed(actor));
}

function isRead(action: Action): boolean {
  return action === "collection.see" || action === "collection.pull" || action === "entity.see";
}

function hasScope(actor: Actor, scope: Scope): boolean {
  return actor.kind === "operator" || (actor.kind === "user" && actor.credential.scopes.has(scope));
}

/** Whether the credential is good for one collection alone. */
function isNarrowed(actor: Actor): actor is UserActor {
  return actor.kind === "user" && actor.credential.collectionId !== null;
}

function isForAnother(actor: Actor, facts: CollectionFacts): boolean {
  return isNarrowed(actor) && actor.credential.collectionId !== facts.collectionId;
}

function allow(reason: string): Decision {
  return { allowed: true, reason };
}

function refuse(code: Refusal): Decision {
  return { allowed: false, code };
}
