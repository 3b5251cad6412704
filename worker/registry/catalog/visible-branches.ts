import { type SQL, sql } from "drizzle-orm";
import { type Actor, accountIdsOf, isAdministrator } from "../../access/roles.ts";
import type { Settings } from "../settings.ts";
import { visibleTo } from "./facts.ts";

/*
 * What an actor may see, as queries over `collections` that have nothing in common and each find their rows by an
 * index: what is public, what is internal, and what is private and the actor's. A list merges the beginnings of them, so that
 * it looks at none of the many that are others'. It comes to what `visibleTo` says; a test holds the two against each other.
 */

/** A part of a query: which tables it reads, and which of their rows. */
export interface Branch {
  from: SQL;
  where: SQL;
}

/** @param entityId of the one entity to look into; null for all */
export function visibleBranches(
  actor: Actor,
  { PRIVATE_ONLY }: Pick<Settings, "PRIVATE_ONLY">,
  entityId: SQL | null,
): Branch[] {
  const open = (visibility: string) => inEntity(sql`collections.visibility = ${sql.raw(`'${visibility}'`)}`, entityId);
  const publicOnes = PRIVATE_ONLY ? [] : [open("public")];
  if (actor.kind === "anonymous") return publicOnes;
  const isNarrowed = actor.kind === "user" && actor.credential.collectionId !== null;
  if (isNarrowed) {
    const { collectionId } = actor.credential;
    const notTwice = PRIVATE_ONLY ? sql`1` : sql`collections.visibility <> 'public'`;
    const isIt = sql`collections.id = (
      SELECT collections.id FROM collections INNER JOIN entities ON entities.id = collections.entity_id
      WHERE collections.id = ${collectionId} AND ${notTwice} AND ${visibleTo(actor, { PRIVATE_ONLY })})`;
    return [...publicOnes, inEntity(isIt, entityId)];
  }
  if (isAdministrator(actor)) return ["public", "internal", "private"].map(open);
  const internalOnes = PRIVATE_ONLY ? [] : [open("internal")];
  return [...publicOnes, ...internalOnes, ...ownBranches(actor, PRIVATE_ONLY, entityId)];
}

/** Those of the actor's entities, and those they have a role in. */
function ownBranches(actor: Actor, isAllPrivate: boolean, entityId: SQL | null): Branch[] {
  const isPrivate = isAllPrivate ? sql`1` : sql`collections.visibility = 'private'`;
  const mine = sql`(SELECT value FROM json_each(${JSON.stringify(accountIdsOf(actor))}))`;
  // With a plus before it the column is only compared, never looked for: each of these is found by its id.
  const isOne = isAllPrivate ? sql`1` : sql`+collections.visibility = 'private'`;
  if (entityId === null) return [{ from: ownCollections(actor), where: isOne }];
  const isOwn = sql`EXISTS (SELECT 1 FROM entities WHERE entities.id = ${entityId} AND entities.owner_user_id IN ${mine})`;
  const granted = sql`(
    SELECT DISTINCT member.collection_id AS id FROM collection_members AS member WHERE member.user_id IN ${mine}) AS granted
    CROSS JOIN collections ON collections.id = granted.id`;
  return [
    inEntity(sql`${isPrivate} AND ${isOwn}`, entityId),
    { from: granted, where: sql`${isOne} AND +collections.entity_id = ${entityId} AND NOT ${isOwn}` },
  ];
}

/**
 * The collections of the actor's entities, and those they have one of these roles in; each once. CROSS JOIN says
 * where to begin: SQLite might else go through all that is private.
 */
export function ownCollections(actor: Actor, roles = ["owner", "contributor", "reader"]): SQL {
  const mine = sql`(SELECT value FROM json_each(${JSON.stringify(accountIdsOf(actor))}))`;
  return sql`(
    SELECT owned.id AS id FROM entities INNER JOIN collections AS owned ON owned.entity_id = entities.id
    WHERE entities.owner_user_id IN ${mine}
    UNION
    SELECT member.collection_id FROM collection_members AS member
    WHERE member.user_id IN ${mine} AND member.role IN (SELECT value FROM json_each(${JSON.stringify(roles)}))) AS own
    CROSS JOIN collections ON collections.id = own.id`;
}

/** The same tables with each collection's entity, looked up for the rows that are there. */
export function withEntity(from: SQL): SQL {
  return sql`${from} CROSS JOIN entities ON entities.id = collections.entity_id`;
}

function inEntity(where: SQL, entityId: SQL | null): Branch {
  const from = sql`collections`;
  return { from, where: entityId === null ? where : sql`collections.entity_id = ${entityId} AND ${where}` };
}
