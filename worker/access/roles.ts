/** What a person may be in a collection, and a credential may be narrowed to. Pure. */

export type CollectionRole = "owner" | "contributor" | "reader";
export type Visibility = "public" | "internal" | "private";
export type Scope = "pull" | "push" | "manage";

export const scopes: readonly Scope[] = ["pull", "push", "manage"];

const rank: Record<CollectionRole, number> = { reader: 1, contributor: 2, owner: 3 };

export function isAtLeast(role: CollectionRole | null, needed: CollectionRole): boolean {
  return role !== null && rank[role] >= rank[needed];
}

export interface UserActor {
  kind: "user";
  userId: string;
  username: string;
  isAdmin: boolean;
  isSuperuser: boolean;
  isRobot: boolean;
  credential: UserCredential;
}

/**
 * What a user is here with. A session is a person at a browser; a token, or a signature with a key of
 * sregistry-cli's, may be anywhere, and makes no further credentials.
 */
export interface UserCredential {
  kind: "session" | "token" | "key";
  id: string;
  scopes: ReadonlySet<Scope>;
  /** The one collection it is good for, or null for all its user may reach. */
  collectionId: string | null;
}

/** What somebody is on the whole site. Each may do what those before it may. */
export type SiteRole = "user" | "admin" | "superuser";

/** An operator holds the admin secret: whoever runs the registry, at its command line. */
export type Actor = { kind: "anonymous" } | UserActor | { kind: "operator" };

export const anonymous: Actor = { kind: "anonymous" };
export const operator: Actor = { kind: "operator" };

/** Operators, superusers and administrators (sregistry's staff) may do in any collection what its owner may. */
export function isAdministrator(actor: Actor): boolean {
  return actor.kind === "operator" || (actor.kind === "user" && (actor.isAdmin || actor.isSuperuser));
}

/** The user's id, for facts and for who-did-it columns; null for actors that are no user. */
export function actorUserId(actor: Actor): string | null {
  return actor.kind === "user" ? actor.userId : null;
}

/** What `decide` must know of a collection; loaded by one query. */
export interface CollectionFacts {
  collectionId: string;
  visibility: Visibility;
  entityOwnerId: string;
  /** The actor's own membership, if any. */
  memberRole: CollectionRole | null;
}

/** What `decide` must know of a user's account. */
export interface AccountFacts {
  userId: string;
  role: SiteRole;
  isRobot: boolean;
  /** Whose robot it is. */
  ownerUserId: string | null;
}

/** An actor's own account. Whose robot it is says nothing of what it may do itself. */
export function ownAccount(actor: UserActor): AccountFacts {
  return { userId: actor.userId, role: siteRole(actor), isRobot: actor.isRobot, ownerUserId: null };
}

export function siteRole(of: { isAdmin: boolean; isSuperuser: boolean }): SiteRole {
  if (of.isSuperuser) return "superuser";
  return of.isAdmin ? "admin" : "user";
}

/** What `decide` must know of an entity. */
export interface EntityFacts {
  entityOwnerId: string;
  /** Whether it holds a collection that the actor may see. */
  hasVisibleCollection: boolean;
}

/** The actor's role, and why. A token good for another collection brings none along. */
export function collectionRole(
  actor: Actor,
  facts: CollectionFacts,
): { role: CollectionRole; reason: string } | { role: null; reason: null } {
  if (actor.kind === "anonymous") return { role: null, reason: null };
  if (actor.kind === "operator") return { role: "owner", reason: "operator of the registry" };
  const { collectionId } = actor.credential;
  if (collectionId !== null && collectionId !== facts.collectionId) return { role: null, reason: null };
  if (facts.entityOwnerId === actor.userId) return { role: "owner", reason: "owner of the entity" };
  if (isAdministrator(actor)) return { role: "owner", reason: "administrator of the registry" };
  if (facts.memberRole !== null) return { role: facts.memberRole, reason: `${facts.memberRole} of the collection` };
  return { role: null, reason: null };
}
