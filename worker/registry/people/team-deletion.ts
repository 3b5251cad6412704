import { type SQL, sql } from "drizzle-orm";
import { type EndingRights, endingWithRolesOf } from "../catalog/ending-rights.ts";
import { limits } from "../limits.ts";
import { type Mark, markOf } from "../shown.ts";
import { type Belongings, belongingsOf } from "./belongings.ts";

/** What deleting a team would do. Everything in `keeps` and `obstacles` is a sentence. */
export interface TeamDeletion {
  deletes: {
    entities: string[];
    collections: string[];
    images: number;
    tags: number;
    bytes: number;
    /** Links that still work: to its images, those its robots made, and its people where it alone lets them. */
    shares: number;
    /** Pipelines that push to its collections, in the name of its robots, or of its people where it alone lets them. */
    publishers: number;
    /** To its collections, or by its robots. */
    uploads: number;
    robots: string[];
    /** Of its robots. */
    tokens: number;
    members: number;
    invitations: number;
    /** Roles that it and its robots have in collections of others. */
    grants: number;
    /** Hand-overs of its collections, or to it. */
    offers: number;
  };
  keeps: string[];
  obstacles: string[];
}

/** What the database says of a team that is to be deleted. Its text is held against itself in the batch that does it. */
export interface TeamDeletionFacts {
  entities: string[];
  /** In these entities. The version counts whatever changes in it. */
  collections: { id: string; path: string; version: number; isFrozen: 0 | 1 }[];
  robots: string[];
  members: Mark;
  /** Its own, and its robots'. */
  belongings: Belongings;
  /** What its people made in collections of others by its roles there. */
  ending: EndingRights;
}

/** An expression for all that decides what is deleted, as one JSON text. The same state is the same text. */
export function teamDeletionFactsOf(teamId: string, now: number): SQL {
  const members = markOf(sql`team_members`, sql`user_id`, sql`team_id = ${teamId}`);
  return sql`(WITH gone AS (
      SELECT ${teamId} AS id UNION SELECT id FROM users WHERE owner_user_id = ${teamId} AND is_robot = 1
    ), doomed AS (
      SELECT c.id FROM entities AS e INNER JOIN collections AS c ON c.entity_id = e.id WHERE e.owner_user_id = ${teamId})
    SELECT json_object(
      'entities', json((SELECT json_group_array(name) FROM (
        SELECT name FROM entities WHERE owner_user_id = ${teamId} ORDER BY name))),
      'collections', json(${collectionsOf(teamId)}),
      'robots', json((SELECT json_group_array(username) FROM (
        SELECT username FROM users WHERE owner_user_id = ${teamId} AND is_robot = 1 ORDER BY username))),
      'members', json(${members}),
      'ending', json(${endingWithRolesOf(teamId, sql`SELECT id FROM doomed`, now)}),
      'belongings', json(${belongingsOf(sql`SELECT id FROM gone`, sql`SELECT id FROM doomed`, now)})))`;
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
  const { entities, collections, robots, members, belongings, ending } = facts;
  const { images, tags, bytes, shares, publishers, uploads, tokens, invitations, memberships, offers } = belongings;
  const isTooLarge = collections.length > limits.deletedCollections;
  return {
    deletes: {
      entities,
      collections: collections.map(({ path }) => path),
      ...{ images, tags, bytes },
      shares: shares.count + ending.shares.count,
      publishers: publishers.count + ending.publishers.count,
      uploads: uploads.count,
      robots,
      tokens: tokens.count,
      members: members.count,
      invitations: invitations.count,
      grants: memberships.count,
      offers: offers.count,
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
