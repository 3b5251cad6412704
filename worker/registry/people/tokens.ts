import { and, desc, eq, isNull, like, sql } from "drizzle-orm";
import { newToken } from "../../access/credentials.ts";
import type { Actor, Scope } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { guardChanged } from "../../storage/db/guard.ts";
import { tokens } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize, authorizeOnSite } from "../authorize.ts";
import { findCollection } from "../catalog/collections.ts";
import type { CollectionPath } from "../catalog/manage.ts";
import { sha256Hex } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { auditRow } from "../upkeep/audit.ts";
import { findUser } from "./users.ts";

export type Token = Omit<typeof tokens.$inferSelect, "hash">;

const HINT_LENGTH = 6;

/**
 * Makes an access token for a user. The token itself is in the answer and nowhere else: only its SHA-256
 * is kept.
 * @throws `not-found` (user or collection), and what the policy refuses
 */
export async function addToken(
  ctx: Context,
  actor: Actor,
  input: {
    username: string;
    name: string;
    scopes: readonly Scope[];
    collection: CollectionPath | null;
    expiresInDays: number | null;
  },
): Promise<{ token: string; id: string }> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const user = await findUser(ctx, input.username);
  const collectionId =
    input.collection === null
      ? null
      : authorize(ctx, actor, "collection.see", await findCollection(ctx, actor, input.collection)).collection.id;
  const token = newToken();
  const now = ctx.now();
  const row = {
    id: crypto.randomUUID(),
    userId: user.id,
    name: input.name,
    hash: await sha256Hex(token),
    hint: token.slice(-HINT_LENGTH),
    scopes: input.scopes.join(" "),
    collectionId,
    expiresAt: input.expiresInDays === null ? null : now + input.expiresInDays * 86_400_000,
    createdAt: now,
  };
  await writeTogether(ctx.db, [
    ctx.db.insert(tokens).values(row),
    auditRow(ctx, actor, "token.add", user.username, { detail: { id: row.id, name: row.name, scopes: row.scopes } }),
  ]);
  return { token, id: row.id };
}

/** A user's newest tokens, without what could be used as one. @throws `not-found` */
export async function listTokens(ctx: Context, actor: Actor, username: string): Promise<Token[]> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const user = await findUser(ctx, username);
  const rows = await ctx.db
    .select()
    .from(tokens)
    .where(eq(tokens.userId, user.id))
    .orderBy(desc(tokens.createdAt))
    .limit(limits.pageSize)
    .all();
  return rows.map(({ hash: _, ...token }) => token);
}

/** Ends a token at once. @param id its id, or the first characters of it @throws `not-found`, `already-so` */
export async function revokeToken(ctx: Context, actor: Actor, username: string, id: string): Promise<void> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const user = await findUser(ctx, username);
  // Ids are UUIDs: what is no such prefix can match nothing, and `%` stays out of the pattern.
  if (!/^[0-9a-f-]{8,36}$/.test(id)) throw new RegistryError("not-found", "There is no such token.");
  const matches = await ctx.db
    .select({ id: tokens.id })
    .from(tokens)
    .where(and(eq(tokens.userId, user.id), like(tokens.id, sql`${`${id}%`}`)))
    .limit(2)
    .all();
  const [match] = matches;
  if (match === undefined || matches.length > 1) throw new RegistryError("not-found", "There is no such token.");
  await writeTogether(ctx.db, [
    ctx.db
      .update(tokens)
      .set({ revokedAt: ctx.now() })
      .where(and(eq(tokens.id, match.id), isNull(tokens.revokedAt))),
    guardChanged(ctx.db, "already-so"),
    auditRow(ctx, actor, "token.revoke", user.username, { detail: { id: match.id } }),
  ]);
}
