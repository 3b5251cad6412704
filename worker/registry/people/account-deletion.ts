import { type SQL, sql } from "drizzle-orm";
import { limits } from "../limits.ts";
import type { Mark } from "../shown.ts";
import { type Belongings, belongingsOf } from "./belongings.ts";
import { hasOtherOwner as leavesOwner } from "./team-guards.ts";

/** What deleting an account would do, for whoever is about to. Everything in `keeps` and `obstacles` is a sentence. */
export interface Deletion {
  deletes: {
    /** Their entities, which nobody gets. */
    entities: string[];
    collections: string[];
    images: number;
    tags: number;
    bytes: number;
    tokens: number;
    sessions: number;
    identities: number;
    hasSregistryKey: boolean;
    /** In collections of others. */
    memberships: number;
    /** Teams they are in. */
    teams: number;
    /** Links into teams that they made. */
    invitations: number;
    /** Pipelines that push in their name, wherever, or to what is deleted. */
    publishers: number;
    /** Share links that work: theirs, wherever, and those to images that are deleted. */
    shares: number;
    /** Hand-overs that they offer, or are offered. */
    offers: number;
    stars: number;
    /** Theirs, wherever, and those to what is deleted. */
    uploads: number;
  };
  handsOver: { what: string; to: string }[];
  keeps: string[];
  obstacles: string[];
}

/** What the database says of an account that is to be deleted. Its text is held against itself in the batch that does it. */
export interface DeletionFacts {
  username: string | null;
  /** Whatever of the account is not said beside this. */
  version: number | null;
  /** Theirs. `shared`: how many of its collections others own too; `heir`: who owns all of those. */
  entities: { id: string; name: string; shared: number; heir: string | null }[];
  /** In these entities. The version counts whatever changes in it. */
  collections: { id: string; path: string; entityId: string; version: number; isShared: 0 | 1; isFrozen: 0 | 1 }[];
  /** Teams that would have no owner left who can act. */
  lastOwnerOf: string[];
  robots: string[];
  belongings: Belongings;
}

/**
 * An expression for all that decides what is deleted and what is handed over, as one JSON text: what it was when it
 * was shown can be held against what it is in the transaction. The same state is the same text.
 */
export function deletionFactsOf(userId: string, by: Deleter, now: number): SQL {
  const owned = sql`
    SELECT c.id FROM collections AS c INNER JOIN entities AS e ON e.id = c.entity_id
    WHERE e.owner_user_id = ${userId} AND NOT ${hasOtherOwner(userId)}`;
  const none = sql`SELECT id FROM gone WHERE 0`;
  return sql`(WITH gone AS (SELECT ${userId} AS id), doomed AS (${by === "self" ? owned : none})
    SELECT json_object(
      'username', (SELECT username FROM users WHERE id = ${userId}),
      'version', (SELECT version FROM users WHERE id = ${userId}),
      'entities', json(${entitiesOf(userId)}),
      'collections', json(${collectionsOf(userId)}),
      'lastOwnerOf', json((SELECT json_group_array(name) FROM (
        SELECT team.username AS name FROM team_members AS mine INNER JOIN users AS team ON team.id = mine.team_id
        WHERE mine.user_id = ${userId} AND mine.role = 'owner' AND NOT ${leavesOwner(sql`mine.team_id`, userId)}
        ORDER BY name))),
      'robots', json((SELECT json_group_array(username) FROM (
        SELECT username FROM users WHERE owner_user_id = ${userId} ORDER BY username))),
      'belongings', json(${belongingsOf(sql`SELECT id FROM gone`, sql`SELECT id FROM doomed`, now)})))`;
}

/** Whether another person owns the collection `c` too, if only as a member. Robots look after nothing. */
function hasOtherOwner(userId: string): SQL {
  return sql`EXISTS (
    SELECT 1 FROM collection_members AS m INNER JOIN users AS u ON u.id = m.user_id
    WHERE m.collection_id = c.id AND m.role = 'owner' AND u.id <> ${userId} AND u.is_robot = 0)`;
}

/** The heir is the owner of longest standing; one who is disabled, or a team without owners, only where there is no other. */
function entitiesOf(userId: string): SQL {
  return sql`(SELECT json_group_array(json_object('id', id, 'name', name, 'shared', shared, 'heir', (
      SELECT u.username FROM collections AS c INNER JOIN collection_members AS m ON m.collection_id = c.id
        INNER JOIN users AS u ON u.id = m.user_id
      WHERE c.entity_id = mine.id AND m.role = 'owner' AND u.id <> ${userId} AND u.is_robot = 0
      GROUP BY u.id HAVING count(*) = mine.shared
      ORDER BY u.disabled_at IS NOT NULL OR (u.is_team = 1 AND NOT ${leavesOwner(sql`u.id`, userId)}),
        min(m.created_at), u.username LIMIT 1)))
    FROM (SELECT e.id, e.name, (
        SELECT count(*) FROM collections AS c WHERE c.entity_id = e.id AND ${hasOtherOwner(userId)}) AS shared
      FROM entities AS e WHERE e.owner_user_id = ${userId} ORDER BY e.name) AS mine)`;
}

function collectionsOf(userId: string): SQL {
  const inIt = sql`FROM containers AS k INNER JOIN`;
  return sql`(SELECT json_group_array(json_object(
      'id', id, 'path', path, 'entityId', entity_id, 'version', version, 'isShared', shared, 'isFrozen', frozen))
    FROM (SELECT c.id, e.name || '/' || c.name AS path, c.entity_id, c.version, ${hasOtherOwner(userId)} AS shared,
        EXISTS (SELECT 1 ${inIt} images AS i ON i.container_id = k.id WHERE k.collection_id = c.id AND i.frozen = 1)
        OR EXISTS (SELECT 1 ${inIt} tags AS t ON t.container_id = k.id WHERE k.collection_id = c.id AND t.frozen = 1)
        AS frozen
      FROM entities AS e INNER JOIN collections AS c ON c.entity_id = e.id
      WHERE e.owner_user_id = ${userId} ORDER BY path LIMIT ${limits.deletedCollections + 1}))`;
}

/** Who deletes the account: its person, who takes their collections along, or somebody else, for whom they are in the way. */
export type Deleter = "self" | "other";

/** What these facts come to. */
export function describeDeletion(facts: DeletionFacts, by: Deleter): Deletion {
  const { belongings, entities, robots } = facts;
  const { images, tags, bytes, keys, ...marks } = belongings;
  // Nobody else gives collections away: they are in the way.
  const heirOf = ({ heir }: (typeof entities)[number]) => (by === "self" ? heir : null);
  return {
    deletes: {
      entities: entities.filter((entity) => heirOf(entity) === null).map(({ name }) => name),
      collections: by === "self" ? deletedCollections(facts).map(({ path }) => path) : [],
      ...{ images, tags, bytes, ...countsOf(marks), hasSregistryKey: keys > 0 },
    },
    handsOver: [
      ...entities.flatMap((entity) => {
        const heir = heirOf(entity);
        return heir === null
          ? []
          : [{ what: `${entity.name}, with ${enumerate(sharedOf(facts, entity.id))}`, to: heir }];
      }),
      ...robots.map((robot) => ({ what: `the robot ${robot}`, to: "the administrators" })),
    ],
    keeps: by === "self" ? kept("you", "your", "what you did") : kept("they", "their", "what was done"),
    obstacles: by === "self" ? [...frozenObstacles(facts), ...otherObstacles(facts)] : obstaclesToOthers(facts),
  };
}

function countsOf<Name extends string>(marks: Record<Name, Mark>): Record<Name, number> {
  const counts = Object.entries<Mark>(marks).map(([name, { count }]) => [name, count]);
  return Object.fromEntries(counts) as Record<Name, number>;
}

function kept(who: string, whose: string, acts: string): string[] {
  return [
    `Images that ${who} pushed to collections of others stay there, without ${whose} name.`,
    `The audit log keeps ${acts}, and settings that ${who} changed say so, under ${whose} username.`,
    `${whose === "your" ? "Your" : "Their"} username, and the names of what is deleted, stay taken, so that nobody takes ${whose} place.`,
  ];
}

/** Those that nobody else owns. */
export function deletedCollections(facts: DeletionFacts): DeletionFacts["collections"] {
  return facts.collections.filter(({ isShared }) => isShared === 0);
}

/** What is frozen stays until somebody thaws it. */
export function frozenObstacles(facts: DeletionFacts): string[] {
  return deletedCollections(facts)
    .filter(({ isFrozen }) => isFrozen === 1)
    .map(({ path }) => `Something in ${path} is frozen. Thaw it first.`);
}

function otherObstacles(facts: DeletionFacts): string[] {
  const orphaned = facts.entities.filter(({ shared, heir }) => shared > 0 && heir === null);
  const isTooLarge = facts.collections.length > limits.deletedCollections;
  return [
    ...facts.lastOwnerOf.map(
      (team) => `You are the last owner of the team ${team}. Make another member its owner first, or delete it.`,
    ),
    ...orphaned.map(
      ({ id, name }) =>
        `${name} can go to one person only, and nobody else owns all of ${enumerate(sharedOf(facts, id))}. Make somebody an owner of each of them first, or nobody.`,
    ),
    ...(isTooLarge ? [`You own more than ${limits.deletedCollections} collections. Delete some of them first.`] : []),
  ];
}

/** Collections that nobody but their owner takes along. */
export function ownedObstacles({ collections }: DeletionFacts): string[] {
  const paths = collections.slice(0, limits.previewNames).map(({ path }) => path);
  if (paths.length === 0) return [];
  const more = collections.length > paths.length ? ", and more" : "";
  return [`This user still owns collections: ${enumerate(paths)}${more}. Delete them or hand them over first.`];
}

function obstaclesToOthers(facts: DeletionFacts): string[] {
  return [
    ...ownedObstacles(facts),
    ...facts.lastOwnerOf.map(
      (team) => `They are the last owner of the team ${team}. Give it another one first, or delete it.`,
    ),
  ];
}

function sharedOf(facts: DeletionFacts, entity: string): string[] {
  return facts.collections.filter(({ entityId, isShared }) => entityId === entity && isShared === 1).map((c) => c.path);
}

function enumerate(paths: readonly string[]): string {
  return paths.join(", ");
}
