import { type SQL, sql } from "drizzle-orm";
import { type Actor, ownAccount, type UserActor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { authorizeOnAccount } from "../authorize.ts";
import { visibleTo } from "../catalog/facts.ts";
import { limits } from "../limits.ts";
import { getMe } from "./me.ts";
import { asUser } from "./user-actor.ts";

/*
 * Everything the registry knows of somebody, as one JSON text. Each list is read a page at a time while the text is
 * taken, so that it may be of any length. Nothing in it can be used as a credential.
 */

/** A row of a list: `cursor` is what it goes by, and stays out; what ends in `At` is a time, what begins with `is` a boolean. */
type Row = Record<string, unknown> & { cursor: string | number };

/** A query for the rows of a list behind a cursor, in its order. */
type List = (after: string | number) => SQL;

/**
 * The text in pieces. Lists are read one after another: what changes meanwhile may be in it or not.
 * @throws what the policy refuses, before the first piece
 */
export async function exportAccount(ctx: Context, actor: Actor): Promise<AsyncGenerator<string, void>> {
  const me = asUser(actor);
  authorizeOnAccount(ctx.settings, actor, "account.manage", ownAccount(me));
  const { username, role, entity, createdAt, agreedTerms, agreedTermsAt } = await getMe(ctx, actor);
  const head = present({ exportedAt: ctx.now(), username, role, entity, createdAt, agreedTerms, agreedTermsAt });
  return write(ctx, JSON.stringify(head), {
    ...credentialLists(me),
    ...thingLists(ctx, me),
    ...auditLists(me, createdAt),
  });
}

async function* write(ctx: Context, head: string, lists: Readonly<Record<string, List>>): AsyncGenerator<string, void> {
  yield `${head.slice(0, -1)}`;
  for (const [name, list] of Object.entries(lists)) {
    yield `,\n"${name}":[`;
    let separator = "\n";
    for (let after: string | number | null = ""; after !== null; ) {
      const rows: Row[] = await ctx.db.all<Row>(sql`${list(after)} LIMIT ${limits.exportPage}`);
      if (rows.length > 0) yield separator + rows.map((row) => JSON.stringify(present(row))).join(",\n");
      separator = ",\n";
      after = rows.length < limits.exportPage ? null : (rows.at(-1)?.cursor ?? null);
    }
    yield "]";
  }
  yield "}\n";
}

function credentialLists({ userId }: UserActor): Record<string, List> {
  const ofMine = (after: string | number) => sql`user_id = ${userId} AND id > ${after} ORDER BY id`;
  return {
    identities: (after) => sql`
      SELECT id AS cursor, id, provider, issuer, subject, origin, name, email, email_verified AS isEmailVerified,
        created_at AS createdAt, last_used_at AS lastUsedAt
      FROM identities WHERE ${ofMine(after)}`,
    sessions: (after) => sql`
      SELECT id AS cursor, id, signed_in_with AS signedInWith, user_agent AS userAgent, created_at AS createdAt,
        last_used_at AS lastUsedAt, expires_at AS expiresAt
      FROM sessions WHERE ${ofMine(after)}`,
    tokens: (after) => sql`
      SELECT id AS cursor, id, name, scopes, collection_id AS collectionId, publisher_id AS publisherId,
        created_at AS createdAt, last_used_at AS lastUsedAt, expires_at AS expiresAt, revoked_at AS revokedAt
      FROM tokens WHERE ${ofMine(after)}`,
    sregistryKeys: (after) => sql`
      SELECT id AS cursor, id, created_at AS createdAt, last_used_at AS lastUsedAt
      FROM sregistry_keys WHERE ${ofMine(after)}`,
  };
}

function thingLists(ctx: Context, actor: UserActor): Record<string, List> {
  const { userId } = actor;
  const collection = sql`entities.name || '/' || collections.name`;
  // What became of a thing one made where one is no longer welcome is not one's own.
  const whereVisible = (path: SQL) => sql`CASE WHEN ${visibleTo(actor, ctx.settings)} THEN ${path} END`;
  const within = sql`INNER JOIN entities ON entities.id = collections.entity_id`;
  return {
    entities: (after) => sql`
      SELECT id AS cursor, name, description, created_at AS createdAt
      FROM entities WHERE owner_user_id = ${userId} AND id > ${after} ORDER BY id`,
    collections: (after) => sql`
      SELECT collections.id AS cursor, collections.id, ${collection} AS path, short_name AS shortName,
        collections.description, visibility, collections.created_at AS createdAt
      FROM entities INNER JOIN collections ON collections.entity_id = entities.id
      WHERE entities.owner_user_id = ${userId} AND collections.id > ${after} ORDER BY collections.id`,
    memberships: (after) => sql`
      SELECT collection_id AS cursor, ${collection} AS path, role, collection_members.created_at AS createdAt
      FROM collection_members INNER JOIN collections ON collections.id = collection_id ${within}
      WHERE user_id = ${userId} AND collection_id > ${after} ORDER BY collection_id`,
    containers: (after) => sql`
      SELECT containers.id AS cursor, containers.id, ${whereVisible(sql`${collection} || '/' || containers.name`)} AS path,
        containers.description, containers.created_at AS createdAt
      FROM containers INNER JOIN collections ON collections.id = containers.collection_id ${within}
      WHERE containers.created_by = ${userId} AND containers.id > ${after} ORDER BY containers.id`,
    images: (after) => sql`
      SELECT images.id AS cursor, images.id, ${whereVisible(sql`${collection} || '/' || containers.name`)} AS container,
        digest, state, images.description, arch, images.size_bytes AS sizeBytes, images.created_at AS createdAt,
        published_at AS publishedAt
      FROM images INNER JOIN containers ON containers.id = images.container_id
        INNER JOIN collections ON collections.id = containers.collection_id ${within}
      WHERE images.created_by = ${userId} AND images.id > ${after} ORDER BY images.id`,
    teams: (after) => sql`
      SELECT team_id AS cursor, team.username AS name, role, team_members.created_at AS createdAt
      FROM team_members INNER JOIN users AS team ON team.id = team_id
      WHERE user_id = ${userId} AND team_id > ${after} ORDER BY team_id`,
    invitations: (after) => sql`
      SELECT invitations.id AS cursor, invitations.id, team.username AS team, role, note,
        invitations.created_at AS createdAt, expires_at AS expiresAt
      FROM invitations INNER JOIN users AS team ON team.id = team_id
      WHERE created_by = ${userId} AND invitations.id > ${after} ORDER BY invitations.id`,
    stars: (after) => sql`
      SELECT collection_id AS cursor, ${whereVisible(collection)} AS collection, stars.created_at AS createdAt
      FROM stars INNER JOIN collections ON collections.id = collection_id ${within}
      WHERE stars.user_id = ${userId} AND collection_id > ${after} ORDER BY collection_id`,
    robots: (after) => sql`
      SELECT username AS cursor, username, description, created_at AS createdAt, disabled_at AS disabledAt
      FROM users WHERE owner_user_id = ${userId} AND username > ${after} ORDER BY username`,
    publishers: (after) => sql`
      SELECT publishers.id AS cursor, publishers.id, ${whereVisible(collection)} AS collection, issuer, repository,
        ref_kind AS refKind, ref, publishers.created_at AS createdAt, last_used_at AS lastUsedAt
      FROM publishers INNER JOIN collections ON collections.id = publishers.collection_id ${within}
      WHERE publishers.created_by = ${userId} AND publishers.id > ${after} ORDER BY publishers.id`,
    shares: (after) => sql`
      SELECT shares.id AS cursor, shares.id, ${whereVisible(sql`${collection} || '/' || containers.name`)} AS container,
        ${whereVisible(sql`images.digest`)} AS digest, note, shares.created_at AS createdAt, expires_at AS expiresAt,
        downloads, max_downloads AS maxDownloads
      FROM shares INNER JOIN images ON images.id = shares.image_id INNER JOIN containers ON containers.id = images.container_id
        INNER JOIN collections ON collections.id = containers.collection_id ${within}
      WHERE shares.created_by = ${userId} AND shares.id > ${after} ORDER BY shares.id`,
  };
}

/** What somebody did before the account was made was done by another one of that name. */
function auditLists({ username }: UserActor, createdAt: number): Record<string, List> {
  const entry = sql`id AS cursor, at AS doneAt, actor, action, target, json(detail) AS detail, request_id AS requestId`;
  const behind = (after: string | number) => sql`id > ${Number(after)} AND at >= ${createdAt} ORDER BY id`;
  // Of these names there may be users, and what others do is logged under them too, without a credential.
  const isOne = ["operator", "anonymous"].includes(username) ? sql`credential IS NOT NULL` : sql`1`;
  return {
    actsByYou: (after) => sql`
      SELECT ${entry}, credential, address FROM audit WHERE actor = ${username} AND ${isOne} AND ${behind(after)}`,
    // From where others did something is theirs.
    actsOnYou: (after) => sql`
      SELECT ${entry} FROM audit WHERE target = ${username} AND NOT (actor = ${username} AND ${isOne}) AND ${behind(after)}`,
  };
}

function present(row: Record<string, unknown>): Record<string, unknown> {
  const fields = Object.entries(row).filter(([name]) => name !== "cursor");
  return Object.fromEntries(fields.map(([name, value]) => [name, presentField(name, value)]));
}

function presentField(name: string, value: unknown): unknown {
  if (typeof value === "number" && name.endsWith("At")) return new Date(value).toISOString();
  if (typeof value === "number" && name.startsWith("is")) return value === 1;
  if (name === "detail" && typeof value === "string") return JSON.parse(value);
  return value;
}
