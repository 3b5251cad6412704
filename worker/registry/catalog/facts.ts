import { and, eq, type Placeholder, type SQL, sql } from "drizzle-orm";
import { type Actor, actorUserId, type CollectionRole, isAdministrator, type Visibility } from "../../access/roles.ts";
import { collectionMembers, collections, entities } from "../../storage/db/schema/catalog.ts";
import type { Settings } from "../settings.ts";

/** Columns a query over `collections`, `entities` and the actor's `collection_members` selects for `decide`. */
export const factColumns = {
  collectionId: sql<string>`${collections.id}`.as("fact_collection_id"),
  visibility: sql<Visibility>`${collections.visibility}`.as("fact_visibility"),
  entityOwnerId: sql<string>`${entities.ownerUserId}`.as("fact_entity_owner_id"),
  memberRole: sql<CollectionRole | null>`${collectionMembers.role}`.as("fact_member_role"),
};

/** Joins the actor's own membership; nobody's for an actor that is no user. */
export function ownMembership(actor: Actor): SQL | undefined {
  return membershipOf(memberIdOf(actor));
}

/** The same for a user who is named when the query is asked. */
export function membershipOf(userId: string | Placeholder): SQL | undefined {
  return and(eq(collectionMembers.collectionId, collections.id), eq(collectionMembers.userId, userId));
}

/** Whose membership counts: nobody has the empty id. */
export function memberIdOf(actor: Actor): string {
  return actorUserId(actor) ?? "";
}

/**
 * The condition under which `decide` lets the actor see a collection, for
 * lists: over `collections` and `entities`. A test holds the two against each
 * other.
 */
export function visibleTo(actor: Actor, settings: Pick<Settings, "PRIVATE_ONLY">): SQL {
  const isPublic = settings.PRIVATE_ONLY ? sql`0` : sql`${collections.visibility} = 'public'`;
  if (actor.kind === "anonymous") return isPublic;
  if (actor.kind === "operator") return sql`1`;
  const narrowedTo = actor.credential.collectionId;
  const byRole = isAdministrator(actor)
    ? sql`1`
    : sql`(${entities.ownerUserId} = ${actor.userId} OR EXISTS (
        SELECT 1 FROM ${collectionMembers}
        WHERE ${collectionMembers.collectionId} = ${collections.id} AND ${collectionMembers.userId} = ${actor.userId}))`;
  const isInternal = settings.PRIVATE_ONLY ? sql`0` : sql`${collections.visibility} = 'internal'`;
  if (narrowedTo !== null) {
    return sql`(${isPublic} OR (${collections.id} = ${narrowedTo} AND (${isInternal} OR ${byRole})))`;
  }
  return sql`(${isPublic} OR ${isInternal} OR ${byRole})`;
}
