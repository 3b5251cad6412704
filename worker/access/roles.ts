/** What a person may be in a collection, and a credential may be narrowed to. Pure. */

export type CollectionRole = "owner" | "contributor" | "reader";
/** What somebody is in a team. */
export type TeamRole = "owner" | "member";
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
  /** The teams they are in, as when they were authenticated. */
  teams: readonly TeamPlace[];
  credential: UserCredential;
}

/** Somebody's place in a team. */
export interface TeamPlace {
  id: string;
  name: string;
  role: TeamRole;
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

/** Whether the credential is good for one collection alone. */
export function isNarrowed(actor: Actor): actor is UserActor {
  return actor.kind === "user" && actor.credential.collectionId !== null;
}

/** The user's id, for facts and for who-did-it columns; null for actors that are no user. */
export function actorUserId(actor: Actor): string | null {
  return actor.kind === "user" ? actor.userId : null;
}

/** What `decide` must know of a collection; loaded by one query. */
export interface CollectionFacts {
  collectionId: string;
  visibility: Visibility;
  /** The account that owns its entity: a person's or a team's. */
  entityOwnerId: string;
  /** The highest that was granted to the actor, or to a team they are in. */
  grant: Grant | null;
}

/** A role in a collection, and the account it was given to. */
export interface Grant {
  role: CollectionRole;
  to: string;
}

/** What `decide` must know of a team. What the actor is in it, the actor knows. */
export interface TeamFacts {
  teamId: string;
  joining: "open" | "invitation";
}

/** What `decide` must know of a user's account. */
export interface AccountFacts {
  userId: string;
  role: SiteRole;
  isRobot: boolean;
  /** Whose robot it is: a person's or a team's. */
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
  /** The account that owns it: a person's or a team's. */
  entityOwnerId: string;
  /** Whether it holds a collection that the actor may see. */
  hasVisibleCollection: boolean;
}

/** What a team's people are in the collections of the team's own entities. */
const roleOfTeam: Record<TeamRole, CollectionRole> = { owner: "owner", member: "contributor" };

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
  const owning = teamPlace(actor, facts.entityOwnerId);
  const byOwning = owning === null ? null : { role: roleOfTeam[owning.role], through: owning.name };
  const byGrant = facts.grant === null ? null : grantedRole(actor, facts.grant);
  const best = isAtLeast(byOwning?.role ?? null, byGrant?.role ?? "reader") ? byOwning : byGrant;
  if (best?.role !== "owner" && isAdministrator(actor))
    return { role: "owner", reason: "administrator of the registry" };
  if (best === null) return { role: null, reason: null };
  const { role, through } = best;
  return { role, reason: through === null ? `${role} of the collection` : `${role} through team ${through}` };
}

/** Null for what was granted to somebody else, which no query brings. */
function grantedRole(actor: UserActor, { role, to }: Grant): { role: CollectionRole; through: string | null } | null {
  if (to === actor.userId) return { role, through: null };
  const team = teamPlace(actor, to);
  return team === null ? null : { role, through: team.name };
}

/** The actor's place in the team whose account this is; null where it is none of theirs. */
export function teamPlace(actor: UserActor, accountId: string): TeamPlace | null {
  return actor.teams.find(({ id }) => id === accountId) ?? null;
}

/** Whether an account is the actor's own, or that of a team they own. */
export function ownsAccount(actor: Actor, accountId: string): boolean {
  if (actor.kind !== "user") return false;
  return actor.userId === accountId || teamPlace(actor, accountId)?.role === "owner";
}

/** The accounts whose rights are the actor's: their own, and those of their teams. */
export function accountIdsOf(actor: Actor): string[] {
  return actor.kind === "user" ? [actor.userId, ...actor.teams.map(({ id }) => id)] : [];
}
