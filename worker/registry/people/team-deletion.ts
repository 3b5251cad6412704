import { type SQL, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import { sha256Hex } from "../digest.ts";
import { limits } from "../limits.ts";

/** What deleting a team would do. Everything in `keeps` and `obstacles` is a sentence. */
export interface TeamDeletion {
  deletes: {
    collections: string[];
    images: number;
    bytes: number;
    /** Links to its images that still work. */
    shares: number;
    robots: string[];
    members: number;
    invitations: number;
    /** Roles it has in collections of others. */
    grants: number;
  };
  keeps: string[];
  obstacles: string[];
}

/** What the database says of a team that is to be deleted. Its text is held against itself in the batch that does it. */
export interface TeamDeletionFacts {
  entities: string[];
  /** In these entities. The version counts whatever changes in it. */
  collections: { id: string; path: string; version: number; isFrozen: 0 | 1 }[];
  images: number;
  bytes: number;
  shares: number;
  robots: string[];
  members: number;
  invitations: number;
  grants: number;
}

export interface LoadedTeamFacts {
  facts: TeamDeletionFacts;
  text: string;
  /** Names this state. */
  tag: string;
}

/** One query. */
export async function loadTeamDeletionFacts(ctx: Context, teamId: string, now: number): Promise<LoadedTeamFacts> {
  const { text } = await ctx.db.get<{ text: string }>(sql`SELECT ${teamDeletionFactsOf(teamId, now)} AS text`);
  return { facts: JSON.parse(text) as TeamDeletionFacts, text, tag: (await sha256Hex(text)).slice(0, 32) };
}

/** An expression for all that decides what is deleted, as one JSON text. The same state is the same text. */
export function teamDeletionFactsOf(teamId: string, now: number): SQL {
  const theirs = sql`
    SELECT c.id FROM entities AS e INNER JOIN collections AS c ON c.entity_id = e.id WHERE e.owner_user_id = ${teamId}`;
  const images = sql`containers AS k INNER JOIN images AS i ON i.container_id = k.id`;
  const published = sql`${images} WHERE k.collection_id IN (${theirs}) AND i.state = 'published'`;
  return sql`json_object(
    'entities', json((SELECT json_group_array(name) FROM (
      SELECT name FROM entities WHERE owner_user_id = ${teamId} ORDER BY name))),
    'collections', json(${collectionsOf(teamId)}),
    'images', (SELECT count(*) FROM ${published}),
    'bytes', (SELECT coalesce(sum(size), 0) FROM (SELECT DISTINCT i.digest, i.size_bytes AS size FROM ${published})),
    'shares', (SELECT count(*) FROM ${images} INNER JOIN shares AS s ON s.image_id = i.id
      WHERE k.collection_id IN (${theirs}) AND s.expires_at > ${now}),
    'robots', json((SELECT json_group_array(username) FROM (
      SELECT username FROM users WHERE owner_user_id = ${teamId} ORDER BY username))),
    'members', (SELECT count(*) FROM team_members WHERE team_id = ${teamId}),
    'invitations', (SELECT count(*) FROM invitations WHERE team_id = ${teamId} AND expires_at > ${now}),
    'grants', (SELECT count(*) FROM collection_members WHERE user_id = ${teamId}))`;
}

function collectionsOf(teamId: string): SQL {
  const inIt = sql`FROM containers AS k INNER JOIN`;
  return sql`(SELECT json_group_array(json_object('id', id, 'path', path, 'version', version, 'isFrozen', frozen))
    FROM (SELECT c.id, e.name || '/' || c.name AS path, c.version,
        EXISTS (SELECT 1 ${inIt} images AS i ON i.container_id = k.id WHERE k.collection_id = c.id AND i.frozen = 1)
        OR EXISTS (SELECT 1 ${inIt} tags AS t ON t.container_id = k.id WHERE k.collection_id = c.id AND t.frozen = 1)
        AS frozen
      FROM entities AS e INNER JOIN collections AS c ON c.entity_id = e.id
      WHERE e.owner_user_id = ${teamId} ORDER BY path LIMIT ${limits.deletedCollections + 1}))`;
}

/** What these facts come to. */
export function describeTeamDeletion(facts: TeamDeletionFacts): TeamDeletion {
  const { images, bytes, shares, robots, members, invitations, grants } = facts;
  const isTooLarge = facts.collections.length > limits.deletedCollections;
  return {
    deletes: {
      collections: facts.collections.map(({ path }) => path),
      images,
      bytes,
      shares,
      robots,
      members,
      invitations,
      grants,
    },
    keeps: [
      "Images that its robots pushed to collections of others stay there, without a name.",
      "The audit log keeps what was done.",
      "Its name, and the names of what is deleted, stay taken, so that nobody takes their place.",
    ],
    obstacles: [
      ...frozenOf(facts).map((path) => `Something in ${path} is frozen. Thaw it first.`),
      ...(isTooLarge
        ? [`The team owns more than ${limits.deletedCollections} collections. Delete some of them first.`]
        : []),
    ],
  };
}

/** What is frozen stays until somebody thaws it. */
export function frozenOf(facts: TeamDeletionFacts): string[] {
  return facts.collections.filter(({ isFrozen }) => isFrozen === 1).map(({ path }) => path);
}
