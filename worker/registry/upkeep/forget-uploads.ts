import { eq, inArray, lt } from "drizzle-orm";
import type { Context } from "../../context.ts";
import { blobs, uploads } from "../../storage/db/schema/catalog.ts";
import { limits } from "../limits.ts";

/**
 * Forgets uploads that nothing can use or complete any more, and frees what they left in R2. Also those
 * that were published or refused: until its URL ended, somebody may have written its key once more.
 * An object that a blob refers to stays.
 * @returns how many were forgotten
 */
export async function forgetUploads(ctx: Context): Promise<number> {
  let forgotten = 0;
  for (let round = 0; round < limits.upkeepRounds; round++) {
    const count = await forgetSome(ctx);
    forgotten += count;
    if (count < limits.upkeepBatch) break;
  }
  return forgotten;
}

async function forgetSome(ctx: Context): Promise<number> {
  const graceSeconds = limits.completeGraceSeconds + limits.forgetUploadGraceSeconds;
  const ended = await ctx.db
    .select({ id: uploads.id, objectKey: uploads.objectKey, blob: blobs.digest })
    .from(uploads)
    .leftJoin(blobs, eq(blobs.objectKey, uploads.objectKey))
    .where(lt(uploads.expiresAt, ctx.now() - graceSeconds * 1000))
    .limit(limits.upkeepBatch)
    .all();
  if (ended.length === 0) return 0;
  const unused = ended.filter((upload) => upload.blob === null).map((upload) => upload.objectKey);
  // Bytes first: a row that outlives them is found again, bytes that outlive the row are not.
  if (unused.length > 0) await ctx.bucket.delete(unused);
  const ids = ended.map((upload) => upload.id);
  await ctx.db.delete(uploads).where(inArray(uploads.id, ids)).run();
  return ended.length;
}
