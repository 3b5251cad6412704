import { eq, type SQL, sql } from "drizzle-orm";
import type { Context } from "../context.ts";
import type { Statement } from "../storage/db/client.ts";
import { guardAgainst } from "../storage/db/guard.ts";
import { users } from "../storage/db/schema/people.ts";
import { RegistryError } from "./errors.ts";

/*
 * How many bytes an account may hold: a person or a team, whose entities they are in. An image counts once in each
 * collection that has it. What is on its way is reserved, so that of two who want the last bytes the second is told
 * before it sends any. Every limit is held in the transaction that would pass it.
 */

/** What an account holds, what is reserved for bytes on their way to it, and how much it may have; null: any number. */
export interface Quota {
  usedBytes: number;
  reservedBytes: number;
  quotaBytes: number | null;
}

/** The account whose quota a collection is counted to, in SQL. */
export function ownerOfCollection(collectionId: string | SQL): SQL<string> {
  return sql`(
    SELECT owning.owner_user_id FROM collections AS counted INNER JOIN entities AS owning ON owning.id = counted.entity_id
    WHERE counted.id = ${collectionId})`;
}

/** An account's quota, as a column. */
export function quotaOf(ctx: Pick<Context, "now" | "settings">, account: string | SQL) {
  return sql`json_object('usedBytes', ${usedBy(account)}, 'reservedBytes', ${reservedFor(ctx, account)},
    'quotaBytes', ${quotaBytesOf(ctx, account)})`
    .mapWith((text: string) => JSON.parse(text) as Quota)
    .as("quota");
}

/** The query for an account's quota. */
export function quotaQuery(ctx: Context, account: string | SQL) {
  return ctx.db
    .select({ name: users.username, quota: quotaOf(ctx, sql`users.id`) })
    .from(users)
    .where(eq(users.id, account));
}

/** The quota that an image is counted to. */
export function quotaOfImage(ctx: Context, imageId: string) {
  return quotaQuery(
    ctx,
    sql`(
    SELECT owning.owner_user_id FROM images AS counted INNER JOIN containers AS place ON place.id = counted.container_id
    INNER JOIN collections AS around ON around.id = place.collection_id
    INNER JOIN entities AS owning ON owning.id = around.entity_id WHERE counted.id = ${imageId})`,
  );
}

/** What an image would add to a collection. */
export interface Addition {
  collectionId: string;
  digest: string;
  sizeBytes: number;
  /** The upload it came with: what it reserved it has, also where an administrator took space away since. */
  uploadId?: string;
}

/**
 * A statement that rolls the batch back where the account that owns the collection has no room for the image. For
 * before what adds it, or reserves the room for it. What the collection holds already takes none.
 */
export function quotaGuard(ctx: Context, { collectionId, digest, sizeBytes, uploadId }: Addition): Statement {
  const account = ownerOfCollection(collectionId);
  const isReserved =
    uploadId === undefined
      ? sql`0`
      : sql`EXISTS (
          SELECT 1 FROM uploads WHERE uploads.id = ${uploadId} AND uploads.quota_user_id = ${account} AND ${isOnItsWay(ctx)})`;
  const others = reservedFor(ctx, account, { collectionId, digest });
  return guardAgainst(
    ctx.db,
    "quota-exceeded",
    sql`NOT ${isHeld(sql`${collectionId}`, sql`${digest}`)} AND NOT ${isReserved}
      AND ${usedBy(account)} + ${others} + ${sizeBytes} > ${quotaBytesOf(ctx, account)}`,
  );
}

/**
 * The same for a whole collection that goes to another account; for before it goes. What stays with its account is
 * none more. What is on its way to it is asked about when it arrives.
 * @param to the account's id
 */
export function moveGuard(ctx: Context, collectionId: string, to: string): Statement {
  const size = sql`(SELECT moved.size_bytes FROM collections AS moved WHERE moved.id = ${collectionId})`;
  return guardAgainst(
    ctx.db,
    "quota-exceeded",
    sql`${ownerOfCollection(collectionId)} <> ${to}
      AND ${usedBy(to)} + ${reservedFor(ctx, to)} + ${size} > ${quotaBytesOf(ctx, to)}`,
  );
}

/**
 * Does something with a quota's guard in it. Whoever may add to a collection reads what its account has left.
 * @throws what it throws; `quota-exceeded` with the numbers
 */
export async function inQuotaWords<Result>(
  ctx: Context,
  of: Pick<Addition, "collectionId" | "sizeBytes"> | { account: string; sizeBytes: number },
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    const isFull = thrown instanceof RegistryError && thrown.code === "quota-exceeded";
    const account = "account" in of ? of.account : ownerOfCollection(of.collectionId);
    throw isFull ? await withNumbers(ctx, account, of.sizeBytes, thrown) : thrown;
  }
}

/** The refusal of so many bytes for an account. */
export async function withNumbers(
  ctx: Context,
  account: string | SQL,
  sizeBytes: number,
  cause?: unknown,
): Promise<RegistryError> {
  const row = await quotaQuery(ctx, account).get();
  // It was changed meanwhile.
  if (row === undefined || row.quota.quotaBytes === null) return new RegistryError("conflict", undefined, { cause });
  const { name, quota } = row;
  const { quotaBytes } = row.quota;
  const left = inUnits(leftOf(quota) ?? 0, Math.floor);
  const message = `This needs ${inUnits(sizeBytes, Math.ceil)}; ${name} has ${left} left of ${inUnits(quotaBytes ?? 0, Math.floor)}.`;
  return new RegistryError("quota-exceeded", message, { cause });
}

/** How many bytes are left; null for any number. */
export function leftOf({ usedBytes, reservedBytes, quotaBytes }: Quota): number | null {
  return quotaBytes === null ? null : Math.max(quotaBytes - usedBytes - reservedBytes, 0);
}

function usedBy(account: string | SQL): SQL {
  return sql`(SELECT coalesce(sum(owned.size_bytes), 0) FROM entities AS owned WHERE owned.owner_user_id = ${account})`;
}

/**
 * What is on its way counts once in each collection, however often it was begun: who pushes again after a failure
 * takes no more room. What the collection holds by now is not counted twice, and what goes to a collection that was
 * given away meanwhile takes none here.
 * @param except an image that is not counted
 */
function reservedFor(
  ctx: Pick<Context, "now">,
  account: string | SQL,
  except?: Pick<Addition, "collectionId" | "digest">,
): SQL {
  const isOther =
    except === undefined
      ? sql`1`
      : sql`NOT (place.collection_id = ${except.collectionId} AND uploads.digest = ${except.digest})`;
  return sql`(
    SELECT coalesce(sum(bytes), 0) FROM (
      SELECT max(uploads.size_bytes) AS bytes FROM uploads
      INNER JOIN images AS waiting ON waiting.id = uploads.image_id
      INNER JOIN containers AS place ON place.id = waiting.container_id
      WHERE uploads.quota_user_id = ${account} AND ${isOnItsWay(ctx)} AND ${isOther}
        AND ${ownerOfCollection(sql`place.collection_id`)} = ${account}
        AND NOT ${isHeld(sql`place.collection_id`, sql`uploads.digest`)}
      GROUP BY place.collection_id, uploads.digest))`;
}

function isOnItsWay(ctx: Pick<Context, "now">): SQL {
  return sql`uploads.state IN ('open', 'verifying') AND (uploads.state = 'verifying' OR uploads.expires_at > ${ctx.now()})`;
}

function isHeld(collectionId: SQL, digest: SQL): SQL {
  return sql`EXISTS (
    SELECT 1 FROM images AS held INNER JOIN containers AS holding ON holding.id = held.container_id
    WHERE held.blob_digest = ${digest} AND held.state = 'published' AND holding.collection_id = ${collectionId})`;
}

/** NULL for any number, which no number is more than. */
function quotaBytesOf({ settings }: Pick<Context, "settings">, account: string | SQL): SQL {
  const usual = sql`CASE WHEN limited.is_team = 1 THEN ${settings.TEAM_QUOTA_BYTES} ELSE ${settings.USER_QUOTA_BYTES} END`;
  return sql`(SELECT coalesce(limited.quota_bytes, ${usual}) FROM users AS limited WHERE limited.id = ${account})`;
}

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;

/** Such as `1.2 GiB`, with one decimal below ten. */
function inUnits(bytes: number, round: (value: number) => number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  if (unit === 0) return `${value} bytes`;
  return `${value < 10 ? (round(value * 10) / 10).toFixed(1) : round(value)} ${UNITS[unit]}`;
}
