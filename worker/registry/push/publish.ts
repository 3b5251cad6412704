import { and, eq, inArray, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { blobs, images, uploads, wantedTags } from "../../storage/db/schema/catalog.ts";
import { discardedObjects } from "../../storage/db/schema/upkeep.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { targetOf } from "../catalog/containers.ts";
import { guardPusher } from "../catalog/may-push.ts";
import { moveWantedTags } from "../catalog/tags.ts";
import type { ErrorCode, RegistryError } from "../errors.ts";
import { inspectionNeeded, startInspection } from "../inspect/inspection-job.ts";
import { endJob } from "../jobs.ts";
import type { FoundImage } from "../pull/resolve.ts";
import { inQuotaWords, quotaGuard } from "../quota.ts";
import { auditRow, type Doer } from "../upkeep/audit.ts";
import type { SifFacts } from "./check-image.ts";
import type { Upload } from "./start-upload.ts";

/**
 * Publishes verified bytes in one batch: the blob (once per digest), the image, the tags that waited for
 * it. When the digest was stored before, its first object stays, unless that is damaged or about to be
 * deleted. This one then waits for upkeep: while it is there its URL is used up, so that nobody learns from a
 * second PUT, nor from the time this takes, whether the registry held the content already.
 * @throws `conflict` when the upload was published or refused meanwhile, or whoever completes it may not push any more,
 *   `not-found` when the image was deleted, `quota-exceeded` where it reserved no room and there is none
 */
export async function publishUpload(
  ctx: Context,
  by: Doer,
  found: FoundImage,
  upload: Upload,
  sif: SifFacts,
): Promise<void> {
  const { image } = found;
  const now = ctx.now();
  const published = {
    state: "published" as const,
    blobDigest: image.digest,
    sizeBytes: upload.sizeBytes,
    publishedAt: now,
  };
  const { digest, sizeBytes, id: uploadId } = upload;
  const addition = { collectionId: found.collection.id, digest, sizeBytes, uploadId };
  const statements: [Statement, ...Statement[]] = [
    quotaGuard(ctx, addition),
    ctx.db
      .update(uploads)
      .set({ state: "published", ...urlsEnd(upload, now) })
      .where(isPending(upload)),
    guardChanged(ctx.db, "conflict"),
    guardAgainst(ctx.db, "not-found", sql`NOT EXISTS (SELECT 1 FROM ${images} WHERE ${eq(images.id, image.id)})`),
    ...guardPusher(ctx, by, found.collection.id),
    ...keepBytes(ctx, upload, now),
    ctx.db.update(images).set({ refusedReason: null }).where(eq(images.id, image.id)),
    ctx.db
      .update(images)
      .set({ ...published, ...sif })
      .where(and(eq(images.id, image.id), eq(images.state, "registered"))),
    ...moveWantedTags(ctx, { containerId: found.container.id, digest: image.digest }),
    inspectionNeeded(ctx, eq(images.id, image.id)),
    endJob(ctx, "verify-upload", upload.id),
    auditRow(ctx, by, "image.publish", targetOf(found), {
      detail: { digest: image.digest, bytes: upload.sizeBytes },
      in: found.collection.id,
    }),
  ];
  await inQuotaWords(ctx, addition, () => writeTogether(ctx.db, statements));
  startInspection(ctx, image.id);
}

/** Marks an upload refused, drops the tags that waited for it, and frees its bytes. @throws `conflict` */
export async function refuseUpload(
  ctx: Context,
  by: Doer,
  found: FoundImage,
  upload: Upload,
  reason: RegistryError,
): Promise<void> {
  const othersVerify = sql`EXISTS (
    SELECT 1 FROM ${uploads} WHERE ${and(eq(uploads.imageId, found.image.id), eq(uploads.state, "verifying"))})`;
  await writeTogether(ctx.db, [
    ...dropUpload(ctx, upload, reason.code),
    endJob(ctx, "verify-upload", upload.id),
    // Tags may wait for somebody else's upload of the same image.
    ctx.db.delete(wantedTags).where(and(eq(wantedTags.imageId, found.image.id), sql`NOT ${othersVerify}`)),
    ctx.db.update(images).set({ refusedReason: reason.message }).where(eq(images.id, found.image.id)),
    auditRow(ctx, by, "image.refuse", targetOf(found), {
      detail: { digest: found.image.digest, reason: reason.message },
      in: found.collection.id,
    }),
  ]);
  await ctx.bucket.delete(upload.objectKey);
}

/** Statements that mark an upload refused, or abort the batch when it ended meanwhile. */
export function dropUpload(ctx: Context, upload: Upload, code: ErrorCode): [Statement, Statement] {
  return [
    ctx.db
      .update(uploads)
      .set({ state: "refused", refusedCode: code, ...urlsEnd(upload, ctx.now()) })
      .where(isPending(upload)),
    guardChanged(ctx.db, "conflict"),
  ];
}

/** Nothing takes a part any more once R2 has completed an upload: upkeep need not wait for its URLs. */
function urlsEnd({ multipartId }: Pick<Upload, "multipartId">, now: number): { expiresAt?: number } {
  return multipartId === null ? {} : { expiresAt: now };
}

function isPending(upload: Upload) {
  return and(eq(uploads.id, upload.id), inArray(uploads.state, ["open", "verifying"]));
}

/** Statements that make stored bytes those of their blob, or leave the blob as it is, if that is good. */
export function keepBytes(ctx: Context, stored: Stored, now: number): [Statement, Statement, Statement] {
  return [keepBlob(ctx, stored, now), discardReplaced(ctx, stored, now), replaceObject(ctx, stored, now)];
}

type Stored = Pick<Upload, "digest" | "objectKey" | "sizeBytes">;

/** The blob's row, new or as it is. Either way it has an image again. */
function keepBlob(ctx: Context, { digest, objectKey, sizeBytes }: Stored, now: number): Statement {
  return ctx.db
    .insert(blobs)
    .values({ digest, objectKey, sizeBytes, createdAt: now, verifiedAt: now })
    .onConflictDoUpdate({ target: blobs.digest, set: { unreferencedAt: null } });
}

/** Has upkeep delete an object that the next statement replaces. */
function discardReplaced(ctx: Context, { digest }: Stored, now: number): Statement {
  return statement(
    ctx.db,
    sql`
    INSERT INTO ${discardedObjects} (object_key, discarded_at)
    SELECT ${blobs.objectKey}, ${now} FROM ${blobs} WHERE ${blobs.digest} = ${digest} AND ${blobs.state} <> 'stored'
    ON CONFLICT DO NOTHING`,
  );
}

/** Bytes that are right take the place of damaged ones, and of those that upkeep is deleting. */
function replaceObject(ctx: Context, { digest, objectKey, sizeBytes }: Stored, now: number): Statement {
  return ctx.db
    .update(blobs)
    .set({ objectKey, sizeBytes, state: "stored", verifiedAt: now })
    .where(sql`${blobs.digest} = ${digest} AND ${blobs.state} <> 'stored'`);
}
