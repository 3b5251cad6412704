import { asc, eq, gt } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardChanged } from "../../storage/db/guard.ts";
import { sregistryKeys, users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { seal, type Unsealed, unseal } from "../../storage/sealed.ts";
import { authorizeOnSite } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import { auditRow } from "../upkeep/audit.ts";
import { authorizedAccount, type Whose } from "./accounts.ts";
import { guardStillGood } from "./still-good.ts";

/*
 * Keys that sregistry-cli signs its requests with. A key never travels, and is no access token: the prefix
 * tells the two apart, for people and for whoever looks for leaked secrets.
 */

export const KEY_PREFIX = "sregkey_";

export type KeyRow = typeof sregistryKeys.$inferSelect;

export interface ListedKey {
  username: string;
  id: string;
  createdAt: string;
  lastUsedAt: string | null;
  /** `present` or `previous`: which SEALING_SECRET opens it; `lost` when none of them does. */
  sealedWith: "present" | "previous" | "lost";
}

/** The key somebody has, without what could be used as one. @throws `not-found`, and what the policy refuses */
export async function getKey(ctx: Context, actor: Actor, whose: Whose): Promise<Omit<KeyRow, "sealed">> {
  const user = await authorizedAccount(ctx, actor, "account.manage", whose);
  const row = await ctx.db.select().from(sregistryKeys).where(eq(sregistryKeys.userId, user.id)).get();
  if (row === undefined) throw new RegistryError("not-found", "There is no key for sregistry-cli.");
  const { sealed: _, ...key } = row;
  return key;
}

/**
 * Makes a user's key; one they had is no good any more. The key itself is in the answer, and else only sealed
 * in the database.
 * @throws `keys-disabled`, `not-found`, and what the policy refuses
 */
export async function addKey(
  ctx: Context,
  actor: Actor,
  whose: Whose,
): Promise<{ key: string; id: string; createdAt: number; lastUsedAt: null }> {
  const user = await authorizedAccount(ctx, actor, "account.grant", whose);
  const random = crypto.getRandomValues(new Uint8Array(limits.sregistryKeyRandomBytes));
  const key = `${KEY_PREFIX}${Buffer.from(random).toString("base64url")}`;
  const id = crypto.randomUUID();
  const sealed = await seal(ctx.settings, contextOf({ id, userId: user.id }), key);
  const row = { id, sealed, createdAt: ctx.now(), lastUsedAt: null };
  await writeTogether(ctx.db, [
    ctx.db
      .insert(sregistryKeys)
      .values({ userId: user.id, ...row })
      .onConflictDoUpdate({ target: sregistryKeys.userId, set: row }),
    ...guardStillGood(ctx, actor),
    auditRow(ctx, actor, "key.add", user.username, { detail: { id } }),
  ]);
  return { key, id, createdAt: row.createdAt, lastUsedAt: row.lastUsedAt };
}

/** Ends a user's key at once. @throws `already-so` when they have none, `not-found` */
export async function revokeKey(ctx: Context, actor: Actor, whose: Whose): Promise<void> {
  const user = await authorizedAccount(ctx, actor, "account.manage", whose);
  await writeTogether(ctx.db, [
    ctx.db.delete(sregistryKeys).where(eq(sregistryKeys.userId, user.id)),
    guardChanged(ctx.db, "already-so"),
    auditRow(ctx, actor, "key.revoke", user.username),
  ]);
}

/** Who has a key, by username, a page at a time. */
export async function listKeys(ctx: Context, actor: Actor, after: string | null): Promise<Page<ListedKey>> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const page = await keyPage(ctx, after);
  const items = page.items.map(async ({ username, key }): Promise<ListedKey> => {
    const opened = await openKey(ctx, key);
    return {
      username,
      id: key.id,
      createdAt: new Date(key.createdAt).toISOString(),
      lastUsedAt: key.lastUsedAt === null ? null : new Date(key.lastUsedAt).toISOString(),
      sealedWith: opened === null ? "lost" : opened.isCurrent ? "present" : "previous",
    };
  });
  return { items: await Promise.all(items), next: page.next };
}

/**
 * Seals a page of keys anew that the previous secret sealed. One that nothing opens stays as it is: an older
 * secret may come back.
 * @throws `keys-disabled`, and what the policy refuses
 */
export async function resealKeys(
  ctx: Context,
  actor: Actor,
  after: string | null,
): Promise<{ resealed: number; lost: number; next: string | null }> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const { items, next } = await keyPage(ctx, after);
  const statements: Statement[] = [];
  let lost = 0;
  for (const { key } of items) {
    const opened = await openKey(ctx, key);
    if (opened === null) lost++;
    else if (!opened.isCurrent) statements.push(replaceSeal(ctx, key, await sealAgain(ctx, key, opened.text)));
  }
  const [first, ...rest] = statements;
  if (first !== undefined) await writeTogether(ctx.db, [first, ...rest]);
  return { resealed: statements.length, lost, next };
}

/** The key of a row, if one of our secrets sealed it. */
export async function openKey(ctx: Context, row: KeyRow): Promise<Unsealed | null> {
  return await unseal(ctx.settings, contextOf(row), row.sealed);
}

/** Seals a key with the present secret, unless it was replaced or sealed anew meanwhile. @throws `keys-disabled` */
export async function resealKey(ctx: Context, row: KeyRow, key: string): Promise<void> {
  await ctx.db.batch([replaceSeal(ctx, row, await sealAgain(ctx, row, key))]);
}

async function sealAgain(ctx: Context, row: KeyRow, key: string): Promise<string> {
  return await seal(ctx.settings, contextOf(row), key);
}

function replaceSeal(ctx: Context, row: KeyRow, sealed: string): Statement {
  return ctx.db.update(sregistryKeys).set({ sealed }).where(eq(sregistryKeys.sealed, row.sealed));
}

async function keyPage(ctx: Context, after: string | null): Promise<Page<{ username: string; key: KeyRow }>> {
  const rows = await ctx.db
    .select({ username: users.username, key: columnsOf(sregistryKeys) })
    .from(sregistryKeys)
    .innerJoin(users, eq(users.id, sregistryKeys.userId))
    .where(after === null ? undefined : gt(users.username, after))
    .orderBy(asc(users.username))
    .limit(PAGE_ROWS)
    .all();
  return pageOf(rows, ({ username }) => username);
}

function contextOf({ id, userId }: Pick<KeyRow, "id" | "userId">): string {
  return `sregistry key:${id}:${userId}`;
}
