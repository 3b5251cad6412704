import { and, desc, eq, isNotNull, isNull, like, lt, or, type SQL, sql } from "drizzle-orm";
import { newToken } from "../../access/credentials.ts";
import { type Actor, type Scope, teamPlace } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { collections, entities } from "../../storage/db/schema/catalog.ts";
import { tokens, users } from "../../storage/db/schema/people.ts";
import { publishers } from "../../storage/db/schema/publishers.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import type { CollectionPath } from "../catalog/collections.ts";
import { visibleTo } from "../catalog/facts.ts";
import { sha256Hex } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import { auditRow } from "../upkeep/audit.ts";
import { type Account, authorizedAccount, type Whose } from "./accounts.ts";
import { parseScopes } from "./authenticate.ts";
import { guardStillGood } from "./still-good.ts";
import { guardStillOwner } from "./team-guards.ts";
import { collectionForToken } from "./token-collection.ts";

/** A token without what could be used as one. Times are milliseconds. */
export interface Token {
  id: string;
  name: string;
  hint: string;
  scopes: Scope[];
  /** `entity/collection`; null where it is good for all, `deleted` where its reader sees no such collection. */
  collection: string | null;
  createdAt: number;
  expiresAt: number | null;
  lastUsedAt: number | null;
  state: "active" | "expired" | "revoked";
  /** `REPOSITORY branch|tag REF` of the pipeline it was given to; null where a person made it. */
  publisher: string | null;
}

const HINT_LENGTH = 6;

/**
 * Makes an access token that acts as somebody. The secret is in the answer and nowhere else: only its SHA-256 is kept.
 * @throws `not-found` (account or collection), `limit-reached`, `conflict` when the actor's own credential ended
 *   meanwhile, and what the policy refuses
 */
export async function addToken(
  ctx: Context,
  actor: Actor,
  whose: Whose,
  input: {
    name: string;
    scopes: readonly Scope[];
    collection: CollectionPath | null;
    expiresInDays: number | null;
  },
): Promise<{ secret: string; token: Token }> {
  const account = await authorizedAccount(ctx, actor, "account.grant", whose);
  const found = input.collection === null ? null : await collectionForToken(ctx, actor, account, input.collection);
  const secret = newToken();
  const now = ctx.now();
  const row: typeof tokens.$inferSelect = {
    id: crypto.randomUUID(),
    userId: account.id,
    name: input.name,
    hash: await sha256Hex(secret),
    hint: secret.slice(-HINT_LENGTH),
    scopes: [...parseScopes(input.scopes.join(" "))].join(" "),
    collectionId: found?.collection.id ?? null,
    expiresAt: input.expiresInDays === null ? null : now + input.expiresInDays * 86_400_000,
    lastUsedAt: null,
    revokedAt: null,
    createdAt: now,
    publisherId: null,
  };
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "limit-reached", holdsTooMany(ctx, account)),
    ...guardStillGood(ctx, actor),
    ...guardSameOwner(ctx, actor, account),
    ctx.db.insert(tokens).values(row),
    auditRow(ctx, actor, "token.add", account.username, { detail: { id: row.id, name: row.name, scopes: row.scopes } }),
  ]);
  const collection = found === null ? null : `${found.entity.name}/${found.collection.name}`;
  return { secret, token: presentToken(ctx, { token: row, collection, publisher: null }) };
}

/**
 * Whoever a robot belonged to, or its team did, makes nothing for it that would outlive that.
 * @throws (the batch) `conflict`
 */
function guardSameOwner(ctx: Context, actor: Actor, { id, isRobot, ownerUserId }: Account): Statement[] {
  if (!isRobot) return [];
  const isSame = sql`${users.id} = ${id} AND ${users.ownerUserId} IS ${ownerUserId}`;
  const ofTeam = ownerUserId !== null && actor.kind === "user" && teamPlace(actor, ownerUserId) !== null;
  return [
    guardAgainst(ctx.db, "conflict", sql`NOT EXISTS (SELECT 1 FROM ${users} WHERE ${isSame})`),
    ...(ofTeam ? guardStillOwner(ctx, actor, ownerUserId) : []),
  ];
}

/** What counts is what still works. Tokens of pipelines end within an hour, and must not lock a person out. */
function holdsTooMany(ctx: Context, account: Account): SQL {
  const isGood = and(
    eq(tokens.userId, account.id),
    isNull(tokens.revokedAt),
    isNull(tokens.publisherId),
    sql`(${tokens.expiresAt} IS NULL OR ${tokens.expiresAt} > ${ctx.now()})`,
  );
  return sql`(SELECT count(*) FROM ${tokens} WHERE ${isGood}) >= ${limits.tokensPerUser}`;
}

/** A page of somebody's tokens, the newest first. @throws `not-found`, `query-invalid`, and what the policy refuses */
export async function listTokens(ctx: Context, actor: Actor, whose: Whose, after: string | null): Promise<Page<Token>> {
  const before = after === null ? undefined : isOlderThan(after);
  const account = await authorizedAccount(ctx, actor, "account.manage", whose);
  const rows = await tokenQuery(ctx, actor, and(eq(tokens.userId, account.id), before));
  const page = pageOf(rows, ({ token }) => `${token.createdAt}_${token.id}`);
  return { items: page.items.map((row) => presentToken(ctx, row)), next: page.next };
}

/** @throws `not-found`, and what the policy refuses */
export async function getToken(ctx: Context, actor: Actor, whose: Whose, id: string): Promise<Token> {
  const account = await authorizedAccount(ctx, actor, "account.manage", whose);
  const [row] = await tokenQuery(ctx, actor, and(eq(tokens.userId, account.id), eq(tokens.id, id)));
  if (row === undefined) throw noSuchToken();
  return presentToken(ctx, row);
}

/**
 * Ends a token at once.
 * @param by its id, or for people who type it the first characters of it
 * @throws `not-found`, `already-so`, and what the policy refuses
 */
export async function revokeToken(
  ctx: Context,
  actor: Actor,
  whose: Whose,
  by: { id: string } | { prefix: string },
): Promise<void> {
  const account = await authorizedAccount(ctx, actor, "account.manage", whose);
  const matches = await ctx.db
    .select({ id: tokens.id })
    .from(tokens)
    .where(and(eq(tokens.userId, account.id), isNamed(by)))
    .limit(2)
    .all();
  const [match] = matches;
  if (match === undefined || matches.length > 1) throw noSuchToken();
  await endToken(ctx, actor, account, match.id);
}

/**
 * Ends the very token the request came with. Nobody is asked whether they may, whatever its scopes: whoever holds a
 * token can do no worse with it, and whoever finds one does well to end it.
 * @throws `not-found` for a request that came with none
 */
export async function revokeOwnToken(ctx: Context, actor: Actor): Promise<void> {
  if (actor.kind !== "user" || actor.credential.kind !== "token") throw noSuchToken();
  const account = { id: actor.userId, username: actor.username, isRobot: actor.isRobot, ownerUserId: null };
  await endToken(ctx, actor, account, actor.credential.id);
}

async function endToken(ctx: Context, actor: Actor, account: Account, id: string): Promise<void> {
  await writeTogether(ctx.db, [
    ctx.db
      .update(tokens)
      .set({ revokedAt: ctx.now() })
      .where(and(eq(tokens.id, id), isNull(tokens.revokedAt))),
    guardChanged(ctx.db, "already-so"),
    auditRow(ctx, actor, "token.revoke", account.username, { detail: { id } }),
  ]);
}

function isNamed(by: { id: string } | { prefix: string }): SQL {
  if ("id" in by) return eq(tokens.id, by.id);
  // Ids are UUIDs: what is no such prefix can match nothing, and `%` stays out of the pattern.
  if (!/^[0-9a-f-]{8,36}$/.test(by.prefix)) throw noSuchToken();
  return like(tokens.id, sql`${`${by.prefix}%`}`);
}

function isOlderThan(after: string): SQL | undefined {
  const [, createdAt, id] = /^(\d{1,15})_([0-9a-f-]{36})$/.exec(after) ?? [];
  if (createdAt === undefined || id === undefined) {
    throw new RegistryError("query-invalid", "The query is not valid: look at `after`.");
  }
  const at = Number(createdAt);
  return or(lt(tokens.createdAt, at), and(eq(tokens.createdAt, at), lt(tokens.id, id)));
}

interface TokenRow {
  token: typeof tokens.$inferSelect;
  collection: string | null;
  publisher: string | null;
}

/** A collection that its reader may not see any more is told as one that is gone. */
async function tokenQuery(ctx: Context, actor: Actor, where: SQL | undefined): Promise<TokenRow[]> {
  const path = sql`CASE WHEN ${visibleTo(actor, ctx.settings)} THEN ${entities.name} || '/' || ${collections.name} END`;
  const rule = sql`${publishers.repository} || ' ' || ${publishers.refKind} || ' ' || ${publishers.ref}`;
  const told = (text: SQL, isThere: SQL) =>
    sql<string | null>`CASE WHEN ${isThere} THEN coalesce(${text}, 'deleted') END`;
  return await ctx.db
    .select({
      token: columnsOf(tokens),
      collection: told(path, isNotNull(tokens.collectionId)).as("told_collection"),
      publisher: told(rule, isNotNull(tokens.publisherId)).as("told_publisher"),
    })
    .from(tokens)
    .leftJoin(collections, eq(collections.id, tokens.collectionId))
    .leftJoin(entities, eq(entities.id, collections.entityId))
    .leftJoin(publishers, eq(publishers.id, tokens.publisherId))
    .where(where)
    .orderBy(desc(tokens.createdAt), desc(tokens.id))
    .limit(PAGE_ROWS)
    .all();
}

function presentToken(ctx: Context, { token, collection, publisher }: TokenRow): Token {
  const { id, name, hint, createdAt, expiresAt, lastUsedAt } = token;
  const isExpired = expiresAt !== null && expiresAt <= ctx.now();
  const state = token.revokedAt !== null ? "revoked" : isExpired ? "expired" : "active";
  const scopes = [...parseScopes(token.scopes)];
  return { id, name, hint, scopes, collection, createdAt, expiresAt, lastUsedAt, state, publisher };
}

function noSuchToken(): RegistryError {
  return new RegistryError("not-found", "There is no such token.");
}
