import { and, desc, eq, gt, isNull } from "drizzle-orm";
import { type Actor, operator } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { type ObjectStart, readObjectStart } from "../../storage/blobs.ts";
import { images, uploads } from "../../storage/db/schema/catalog.ts";
import { authorize } from "../authorize.ts";
import { ensureWritable } from "../catalog/containers.ts";
import { digestHex } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { type FoundImage, findImageById, imageQuery, isPublished, toFoundImage } from "../pull/resolve.ts";
import { type Quota, quotaOfImage } from "../quota.ts";
import type { Doer } from "../upkeep/audit.ts";
import { checkImage } from "./check-image.ts";
import { publishUpload, refuseUpload } from "./publish.ts";
import { toUpload, type Upload } from "./start-upload.ts";

/** What a push has come to. */
export interface CompletedPush {
  found: FoundImage;
  /** Of the account it is counted to, with the image in it: room was reserved for it until then. */
  quota: Quota | null;
}

/**
 * Completes an upload in one piece: checks size, SHA-256 and that it is a SIF image, and publishes it.
 * Completing what is published already is fine: clients repeat themselves, and two may push the same image.
 * @throws `upload-incomplete`, `size-mismatch`, `digest-mismatch`, `sif-invalid`, `sif-unsupported`, `quota-exceeded`,
 *   and what the policy refuses
 */
export async function completeUpload(ctx: Context, actor: Actor, imageId: string): Promise<CompletedPush> {
  const [rows, open, quotas] = await ctx.db.batch([
    imageQuery(ctx, actor, eq(images.id, imageId)),
    openUploadsQuery(ctx, imageId),
    quotaOfImage(ctx, imageId),
  ]);
  const found = authorize(ctx, actor, "collection.push", toFoundImage(rows));
  const completed = { found, quota: quotas[0]?.quota ?? null };
  if (isPublished(found)) return completed;
  ensureWritable(found.container);
  for (const row of open) {
    const upload = toUpload(row);
    const start = await readObjectStart(ctx.bucket, upload.objectKey, limits.sifFirstReadBytes);
    if (start === null) continue;
    await publishVerified(ctx, actor, found, upload, start);
    return completed;
  }
  throw new RegistryError("upload-incomplete");
}

/**
 * Publishes what is stored under an upload's key, or refuses it and frees the bytes.
 * @param start its first bytes, its size, and the SHA-256 that was computed over all of it; null when it is gone
 */
export async function publishVerified(
  ctx: Context,
  by: Doer,
  found: FoundImage,
  upload: Upload,
  start: ObjectStart | null,
): Promise<void> {
  try {
    if (start === null) throw new RegistryError("upload-incomplete");
    if (start.sizeBytes !== upload.sizeBytes) throw new RegistryError("size-mismatch");
    if (start.sha256Hex !== digestHex(upload.digest)) throw new RegistryError("digest-mismatch");
    const sif = await checkImage(ctx.bucket, upload.objectKey, start);
    await publishUpload(ctx, by, found, upload, sif);
  } catch (thrown) {
    if (!(thrown instanceof RegistryError)) throw thrown;
    if (isVerdict(thrown)) await refuseUpload(ctx, by, found, upload, thrown).catch(ignoreConflict);
    // Two completed it at once, and the other was first: all that was wanted is done.
    else if (thrown.code === "conflict" && (await isPublishedNow(ctx, found))) return;
    throw thrown;
  }
}

async function isPublishedNow(ctx: Context, { image }: FoundImage): Promise<boolean> {
  const now = await findImageById(ctx, operator, image.id);
  return now !== null && isPublished(now);
}

/** Whoever refused it first has done all there is to do. */
function ignoreConflict(thrown: unknown): void {
  if (!(thrown instanceof RegistryError && thrown.code === "conflict")) throw thrown;
}

/** Whether an error says that these bytes are not to be published. */
function isVerdict(error: RegistryError): boolean {
  const verdicts = [
    "size-mismatch",
    "digest-mismatch",
    "sif-invalid",
    "sif-unsupported",
    "upload-incomplete",
    // Its room was given back when it took too long, or its collection went to somebody with less.
    "quota-exceeded",
  ];
  return verdicts.includes(error.code);
}

/** Newest first: a retry's bytes are more likely to be there than those of the try that failed. */
function openUploadsQuery(ctx: Context, imageId: string) {
  const notBefore = ctx.now() - limits.completeGraceSeconds * 1000;
  return ctx.db
    .select()
    .from(uploads)
    .where(
      and(
        eq(uploads.imageId, imageId),
        eq(uploads.state, "open"),
        isNull(uploads.multipartId),
        gt(uploads.expiresAt, notBefore),
      ),
    )
    .orderBy(desc(uploads.createdAt))
    .limit(limits.openUploadsPerImage);
}
