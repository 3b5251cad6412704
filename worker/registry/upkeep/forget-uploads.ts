import { and, eq, inArray, lt, ne } from "drizzle-orm";
import type { Context } from "../../context.ts";
import { blobs, uploads } from "../../storage/db/schema/catalog.ts";
import { abortMultipart } from "../../storage/multipart.ts";
import { describe } from "../errors.ts";
import { limits } from "../limits.ts";

/**
 * Forgets uploads that nothing can use or complete any more, and frees what they left in R2: parts, and
 * objects. Also those that were published or refused: until its URL ended, somebody may have written its key
 * once more. An object that a blob refers to stays, and so does an upload that is being verified.
 * @returns how many were forgotten, a batch at most
 */
export async function forgetUploads(ctx: Context): Promise<number> {
  const graceSeconds = limits.completeGraceSeconds + limits.forgetUploadGraceSeconds;
  const isOver = and(lt(uploads.expiresAt, ctx.now() - graceSeconds * 1000), ne(uploads.state, "verifying"));
  const ended = await ctx.db
    .select({ id: uploads.id, objectKey: uploads.objectKey, multipartId: uploads.multipartId, blob: blobs.digest })
    .from(uploads)
    .leftJoin(blobs, eq(blobs.objectKey, uploads.objectKey))
    .where(isOver)
    .limit(limits.upkeepBatch)
    .all();
  if (ended.length === 0) return 0;
  // Bytes first: a row that outlives them is found again, bytes that outlive the row are not.
  const freed: typeof ended = [];
  for (const upload of ended) if (upload.blob !== null || (await freeParts(ctx, upload))) freed.push(upload);
  const unused = freed.filter((upload) => upload.blob === null);
  if (unused.length > 0) await ctx.bucket.delete(unused.map(({ objectKey }) => objectKey));
  const ids = freed.map((upload) => upload.id);
  if (ids.length > 0) await ctx.db.delete(uploads).where(inArray(uploads.id, ids)).run();
  return freed.length;
}

/** @returns whether it has none any more; the others do not wait for one that cannot be freed */
async function freeParts(
  ctx: Context,
  { id, objectKey, multipartId }: { id: string; objectKey: string; multipartId: string | null },
): Promise<boolean> {
  if (multipartId === null) return true;
  try {
    await abortMultipart(ctx.bucket, objectKey, multipartId);
    return true;
  } catch (thrown) {
    ctx.log.error("forgetUploads", { id, error: describe(thrown) });
    return false;
  }
}
