import { type SQL, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import { isLiveShare } from "../catalog/image-details.ts";
import { sha256Hex } from "../digest.ts";
import { limits } from "../limits.ts";
import { hasOtherOwner as leavesOwner } from "./team-guards.ts";

/** What deleting an account would do, for whoever is about to. Everything in `keeps` and `obstacles` is a sentence. */
export interface Deletion {
  deletes: {
    collections: string[];
    images: number;
    bytes: number;
    tokens: number;
    sessions: number;
    identities: number;
    hasSregistryKey: boolean;
    /** In collections of others. */
    memberships: number;
    /** Teams they are in. */
    teams: number;
    /** Pipelines that push in their name, wherever. */
    publishers: number;
    /** Share links that work: theirs, wherever, and those to images that are deleted. */
    shares: number;
  };
  handsOver: { what: string; to: string }[];
  keeps: string[];
  obstacles: string[];
}

/** What the database says of an account that is to be deleted. Its text is held against itself in the batch that does it. */
export interface DeletionFacts {
  username: string | null;
  /** Theirs. `shared`: how many of its collections others own too; `heir`: who owns all of those. */
  entities: { id: string; name: string; shared: number; heir: string | null }[];
  /** In these entities. */
  collections: { id: string; path: string; entityId: string; isShared: 0 | 1; isFrozen: 0 | 1 }[];
  images: number;
  bytes: number;
  tokens: number;
  sessions: number;
  identities: number;
  keys: number;
  memberships: number;
  teams: number;
  /** Teams that would have no owner left who can act. */
  lastOwnerOf: string[];
  publishers: number;
  shares: number;
  robots: string[];
}

export interface LoadedFacts {
  facts: DeletionFacts;
  text: string;
  /** Names this state. */
  tag: string;
}

/** One query. */
export async function loadDeletionFacts(ctx: Context, userId: string, now: number): Promise<LoadedFacts> {
  const { text } = await ctx.db.get<{ text: string }>(sql`SELECT ${deletionFactsOf(userId, now)} AS text`);
  return { facts: JSON.parse(text) as DeletionFacts, text, tag: (await sha256Hex(text)).slice(0, 32) };
}

/**
 * An expression for all that decides what is deleted and what is handed over, as one JSON text: what it was when it
 * was shown can be held against what it is in the transaction. The same state is the same text.
 */
export function deletionFactsOf(userId: string, now: number): SQL {
  const deleted = sql`
    SELECT c.id FROM collections AS c INNER JOIN entities AS e ON e.id = c.entity_id
    WHERE e.owner_user_id = ${userId} AND NOT ${hasOtherOwner(userId)}`;
  const published = sql`
    images AS i INNER JOIN containers AS k ON k.id = i.container_id
    WHERE k.collection_id IN (${deleted}) AND i.state = 'published'`;
  return sql`json_object(
    'username', (SELECT username FROM users WHERE id = ${userId}),
    'entities', json(${entitiesOf(userId)}),
    'collections', json(${collectionsOf(userId)}),
    'images', (SELECT count(*) FROM ${published}),
    'bytes', (SELECT coalesce(sum(size), 0) FROM (SELECT DISTINCT i.digest, i.size_bytes AS size FROM ${published})),
    'tokens', (SELECT count(*) FROM tokens
      WHERE user_id = ${userId} AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${now})),
    'sessions', (SELECT count(*) FROM sessions WHERE user_id = ${userId} AND expires_at > ${now}),
    'identities', (SELECT count(*) FROM identities WHERE user_id = ${userId}),
    'keys', (SELECT count(*) FROM sregistry_keys WHERE user_id = ${userId}),
    'memberships', (SELECT count(*) FROM collection_members WHERE user_id = ${userId}),
    'teams', (SELECT count(*) FROM team_members WHERE user_id = ${userId}),
    'lastOwnerOf', json((SELECT json_group_array(name) FROM (
      SELECT team.username AS name FROM team_members AS mine INNER JOIN users AS team ON team.id = mine.team_id
      WHERE mine.user_id = ${userId} AND mine.role = 'owner' AND NOT ${leavesOwner(sql`mine.team_id`, userId)}
      ORDER BY name))),
    'publishers', (SELECT count(*) FROM publishers WHERE created_by = ${userId}),
    'shares', (SELECT count(*) FROM shares
      WHERE ${isLiveShare(now)} AND (created_by = ${userId} OR image_id IN (SELECT i.id FROM ${published}))),
    'robots', json((SELECT json_group_array(username) FROM (
      SELECT username FROM users WHERE owner_user_id = ${userId} ORDER BY username))))`;
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
      'id', id, 'path', path, 'entityId', entity_id, 'isShared', shared, 'isFrozen', frozen))
    FROM (SELECT c.id, e.name || '/' || c.name AS path, c.entity_id, ${hasOtherOwner(userId)} AS shared,
        EXISTS (SELECT 1 ${inIt} images AS i ON i.container_id = k.id WHERE k.collection_id = c.id AND i.frozen = 1)
        OR EXISTS (SELECT 1 ${inIt} tags AS t ON t.container_id = k.id WHERE k.collection_id = c.id AND t.frozen = 1)
        AS frozen
      FROM entities AS e INNER JOIN collections AS c ON c.entity_id = e.id
      WHERE e.owner_user_id = ${userId} ORDER BY path LIMIT ${limits.deletedCollections + 1}))`;
}

/** What these facts come to. */
export function describeDeletion(facts: DeletionFacts): Deletion {
  const { images, bytes, tokens, sessions, identities, keys, memberships, teams, publishers, shares } = facts;
  const counts = { images, bytes, tokens, sessions, identities, memberships, teams, publishers, shares };
  const collections = deletedCollections(facts).map(({ path }) => path);
  return {
    deletes: { collections, ...counts, hasSregistryKey: keys > 0 },
    handsOver: [
      ...facts.entities.flatMap(({ name, id, heir }) => {
        if (heir === null) return [];
        return [{ what: `${name}, with ${enumerate(sharedOf(facts, id))}`, to: heir }];
      }),
      ...facts.robots.map((robot) => ({ what: `the robot ${robot}`, to: "the administrators" })),
    ],
    keeps: [
      "Images that you pushed to collections of others stay there, without your name.",
      "The audit log keeps what you did, and settings that you changed say so, under your username.",
      "Your username, and the names of what is deleted, stay taken, so that nobody takes your place.",
    ],
    obstacles: [...frozenObstacles(facts), ...otherObstacles(facts)],
  };
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

function sharedOf(facts: DeletionFacts, entity: string): string[] {
  return facts.collections.filter(({ entityId, isShared }) => entityId === entity && isShared === 1).map((c) => c.path);
}

function enumerate(paths: readonly string[]): string {
  return paths.join(", ");
}
