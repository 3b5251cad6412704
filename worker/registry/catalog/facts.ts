import { type Placeholder, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import {
  type Actor,
  accountIdsOf,
  type Grant,
  isAdministrator,
  isNarrowed,
  type Visibility,
} from "../../access/roles.ts";
import { collectionMembers, collections, entities } from "../../storage/db/schema/catalog.ts";
import { teamMembers } from "../../storage/db/schema/teams.ts";
import type { Settings } from "../settings.ts";

/** Columns a query over `collections` and `entities` selects for `decide`. */
export function factsFor(actor: Actor) {
  return factsOfAccounts(accountsText(actor));
}

/**
 * The same for accounts that are named when the query is asked.
 * @param accounts their ids as a JSON array: see `accountsText`
 */
export function factsOfAccounts(accounts: string | Placeholder | SQL) {
  return {
    collectionId: sql<string>`${collections.id}`.as("fact_collection_id"),
    visibility: sql<Visibility>`${collections.visibility}`.as("fact_visibility"),
    entityOwnerId: sql<string>`${entities.ownerUserId}`.as("fact_entity_owner_id"),
    grant: grantTo(accounts).as("fact_grant"),
  };
}

/** The accounts whose rights are the actor's, as a parameter of a query. */
export function accountsText(actor: Actor): string {
  return JSON.stringify(accountIdsOf(actor));
}

/** The same of a user who stands in the query: their own account, and those of their teams. */
export function accountsOfUser(userId: SQLWrapper): SQL {
  return sql`(SELECT json_group_array(id) FROM (
    SELECT ${userId} AS id UNION ALL
    SELECT ${teamMembers.teamId} FROM ${teamMembers} WHERE ${teamMembers.userId} = ${userId}))`;
}

/** The highest role that any of these accounts has in the collection at hand. */
function grantTo(accounts: string | Placeholder | SQL): SQL<Grant | null> {
  return sql`(
    SELECT json_object('role', member.role, 'to', member.user_id) FROM ${collectionMembers} AS member
    WHERE member.collection_id = ${collections.id} AND member.user_id IN (SELECT value FROM json_each(${accounts}))
    ORDER BY CASE member.role WHEN 'owner' THEN 1 WHEN 'contributor' THEN 2 ELSE 3 END, member.created_at, member.user_id
    LIMIT 1)`.mapWith((text: string) => JSON.parse(text) as Grant);
}

/**
 * The condition under which `decide` lets the actor see a collection, for
 * lists: over `collections` and `entities`. A test holds the two against each
 * other. The plus says that nothing is to be found by its visibility, which most have: rows are found by what is asked for.
 */
export function visibleTo(actor: Actor, settings: Pick<Settings, "PRIVATE_ONLY">): SQL {
  const isPublic = settings.PRIVATE_ONLY ? sql`0` : sql`+${collections.visibility} = 'public'`;
  if (actor.kind === "anonymous") return isPublic;
  if (actor.kind === "operator") return sql`1`;
  const narrowedTo = actor.credential.collectionId;
  const mine = sql`(SELECT value FROM json_each(${accountsText(actor)}))`;
  const byRole = isAdministrator(actor)
    ? sql`1`
    : sql`(${entities.ownerUserId} IN ${mine} OR EXISTS (
        SELECT 1 FROM ${collectionMembers}
        WHERE ${collectionMembers.collectionId} = ${collections.id} AND ${collectionMembers.userId} IN ${mine}))`;
  const isInternal = settings.PRIVATE_ONLY ? sql`0` : sql`+${collections.visibility} = 'internal'`;
  if (narrowedTo !== null) {
    return sql`(${isPublic} OR (${collections.id} = ${narrowedTo} AND (${isInternal} OR ${byRole})))`;
  }
  return sql`(${isPublic} OR ${isInternal} OR ${byRole})`;
}

/**
 * For lists of what is one's own: a credential for one collection is shown what is in that one, and nothing else of its
 * user's, though everybody may see it.
 */
export function isWithin(actor: Actor, collectionId: SQL): SQL {
  return isNarrowed(actor) ? sql`${collectionId} = ${actor.credential.collectionId}` : sql`1`;
}

/**
 * Whether the entity at hand holds a collection that the actor may see, whatever it holds beside that. Counted by
 * triggers, so that nothing is looked through. In words: from a query over one table drizzle leaves out the names of tables.
 */
export function holdsVisible(actor: Actor, { PRIVATE_ONLY }: Pick<Settings, "PRIVATE_ONLY">): SQL {
  const isPublic = PRIVATE_ONLY ? sql`0` : sql`entities.public_collections > 0`;
  if (actor.kind === "anonymous") return isPublic;
  const holdsAny = sql`EXISTS (SELECT 1 FROM collections AS held WHERE held.entity_id = entities.id)`;
  if (actor.kind === "operator") return holdsAny;
  const { collectionId } = actor.credential;
  const mine = sql`(SELECT value FROM json_each(${accountsText(actor)}))`;
  const isOwn = isAdministrator(actor) ? sql`1` : sql`entities.owner_user_id IN ${mine}`;
  if (collectionId !== null) {
    const isInternal = PRIVATE_ONLY ? sql`0` : sql`held.visibility = 'internal'`;
    return sql`(${isPublic} OR EXISTS (
      SELECT 1 FROM collections AS held WHERE held.id = ${collectionId} AND held.entity_id = entities.id
        AND (${isInternal} OR ${isOwn} OR EXISTS (
          SELECT 1 FROM collection_members AS member WHERE member.collection_id = held.id AND member.user_id IN ${mine}))))`;
  }
  const isInternal = PRIVATE_ONLY ? sql`0` : sql`entities.internal_collections > 0`;
  return sql`(${isPublic} OR ${isInternal} OR (${isOwn} AND ${holdsAny}) OR EXISTS (
    SELECT 1 FROM collection_members AS member INNER JOIN collections AS held ON held.id = member.collection_id
    WHERE member.user_id IN ${mine} AND held.entity_id = entities.id))`;
}
