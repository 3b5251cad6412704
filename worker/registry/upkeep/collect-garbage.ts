import { and, eq, inArray, lt, lte, or, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import { blobs, images } from "../../storage/db/schema/catalog.ts";
import { discardedObjects } from "../../storage/db/schema/upkeep.ts";
import { limits } from "../limits.ts";

/**
 * Deletes blobs whose last image went longer ago than the longest download URL lives. Each is first claimed
 * by compare-and-set, so that a push of the same digest either finds it as it was, or knows that its object
 * goes and keeps its own; whichever comes first in the database.
 * With DISABLE_CLEANUP no bytes are deleted at all, neither those of images nor what pushes replaced.
 * @returns how many objects were deleted, a batch of each kind at most
 */
export async function collectGarbage(ctx: Context): Promise<number> {
  if (ctx.settings.DISABLE_CLEANUP) return 0;
  const claimed = await claimBlobs(ctx);
  if (claimed.length > 0) {
    await ctx.bucket.delete(claimed.map(({ objectKey }) => objectKey));
    // Not one that a push has given another object meanwhile.
    const isClaimed = claimed.map(({ digest, objectKey }) =>
      and(eq(blobs.digest, digest), eq(blobs.objectKey, objectKey), eq(blobs.state, "deleting")),
    );
    for (const some of chunks(isClaimed, MAX_TERMS))
      await ctx.db
        .delete(blobs)
        .where(or(...some))
        .run();
  }
  return claimed.length + (await deleteDiscarded(ctx));
}

/** D1 takes 100 parameters a statement, and each claim has three. */
const MAX_TERMS = 30;

/** Marks what is due as `deleting`; also finds again what an earlier run marked and did not come to delete. */
async function claimBlobs(ctx: Context): Promise<{ digest: string; objectKey: string }[]> {
  const seconds = limits.downloadMaxSeconds + limits.deleteGraceSeconds;
  const isDue = lt(blobs.unreferencedAt, ctx.now() - seconds * 1000);
  const isReferred = sql`EXISTS (SELECT 1 FROM ${images} WHERE ${images.blobDigest} = ${blobs.digest})`;
  const due = ctx.db.select({ digest: blobs.digest }).from(blobs).where(isDue).limit(limits.upkeepBatch);
  return await ctx.db
    .update(blobs)
    .set({ state: "deleting" })
    .where(and(inArray(blobs.digest, due), isDue, sql`NOT ${isReferred}`))
    .returning({ digest: blobs.digest, objectKey: blobs.objectKey });
}

/**
 * Objects that a push replaced, because they were damaged or being deleted, and pictures that nobody shows. A row of
 * the future belongs to a request that is writing its object.
 */
async function deleteDiscarded(ctx: Context): Promise<number> {
  const rows = await ctx.db
    .select()
    .from(discardedObjects)
    .where(lte(discardedObjects.discardedAt, ctx.now()))
    .limit(limits.upkeepBatch)
    .all();
  const keys = rows.map(({ objectKey }) => objectKey);
  if (keys.length === 0) return 0;
  await ctx.bucket.delete(keys);
  await ctx.db.delete(discardedObjects).where(inArray(discardedObjects.objectKey, keys)).run();
  return keys.length;
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
