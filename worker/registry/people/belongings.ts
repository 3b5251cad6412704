import { type SQL, sql } from "drizzle-orm";
import { isLiveShare } from "../catalog/image-details.ts";
import { isUnderWay } from "../catalog/under-way.ts";
import { type Mark, markOf } from "../shown.ts";

/** What goes with accounts that are deleted, and with the collections that go with them. */
export interface Belongings {
  images: number;
  tags: number;
  bytes: number;
  tokens: Mark;
  sessions: Mark;
  identities: Mark;
  keys: number;
  /** Roles in collections that stay. */
  memberships: Mark;
  /** Teams they are in. */
  teams: Mark;
  /** To these teams, or by these people. */
  invitations: Mark;
  /** Pipelines that push in their name, or to these collections. */
  publishers: Mark;
  /** Links that work: theirs, wherever, and those to images that are deleted. */
  shares: Mark;
  /** Hand-overs that were offered to them, or by them, or of these collections. */
  offers: Mark;
  stars: Mark;
  /** On their way: theirs, wherever, and those to these collections. */
  uploads: Mark;
}

/**
 * An expression for that, as JSON.
 * @param gone a query for the accounts' ids
 * @param doomed a query for the collections' ids
 */
export function belongingsOf(gone: SQL, doomed: SQL, now: number): SQL {
  const inThem = sql`containers AS k INNER JOIN images AS i ON i.container_id = k.id WHERE k.collection_id IN (${doomed})`;
  const published = sql`${inThem} AND i.state = 'published'`;
  const images = sql`SELECT i.id FROM ${inThem}`;
  const isTheirs = sql`user_id IN (${gone})`;
  const offered = sql`to_user_id IN (${gone}) OR offered_by IN (${gone}) OR collection_id IN (${doomed})
    OR to_entity_id IN (SELECT e.id FROM entities AS e WHERE e.owner_user_id IN (${gone}))`;
  const mark = (table: SQL, where: SQL, id = sql`id`) => sql`json(${markOf(table, id, where)})`;
  // As many as there can be: D1's functions take 32 arguments.
  return sql`json_object(
    'images', (SELECT count(*) FROM ${published}),
    'tags', (SELECT count(*) FROM containers AS k INNER JOIN tags AS t ON t.container_id = k.id WHERE k.collection_id IN (${doomed})),
    'bytes', (SELECT coalesce(sum(size), 0) FROM (SELECT DISTINCT i.digest, i.size_bytes AS size FROM ${published})),
    'tokens', ${mark(sql`tokens`, sql`${isTheirs} AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${now})`)},
    'sessions', ${mark(sql`sessions`, sql`${isTheirs} AND expires_at > ${now}`)},
    'identities', ${mark(sql`identities`, isTheirs)},
    'keys', (SELECT count(*) FROM sregistry_keys WHERE ${isTheirs}),
    'memberships', ${mark(sql`collection_members`, sql`${isTheirs} AND collection_id NOT IN (${doomed})`, sql`collection_id`)},
    'teams', ${mark(sql`team_members`, isTheirs, sql`team_id`)},
    'invitations', ${mark(sql`invitations`, sql`(team_id IN (${gone}) OR created_by IN (${gone})) AND expires_at > ${now}`)},
    'publishers', ${mark(sql`publishers`, sql`created_by IN (${gone}) OR collection_id IN (${doomed})`)},
    'shares', ${mark(sql`shares`, sql`${isLiveShare(now)} AND (created_by IN (${gone}) OR image_id IN (${images}))`)},
    'offers', ${mark(sql`hand_overs`, sql`(${offered}) AND expires_at > ${now}`, sql`collection_id`)},
    'stars', ${mark(sql`stars`, isTheirs, sql`collection_id`)},
    'uploads', ${mark(sql`uploads`, sql`${isUnderWay(now)} AND (${isTheirs} OR image_id IN (${images}))`)})`;
}
