import { eq } from "drizzle-orm";
import { operator } from "../../access/roles.ts";
import type { Context, JobOutcome } from "../../context.ts";
import { readObjectStart } from "../../storage/blobs.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { images, uploads } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { hashObject } from "../../storage/hash-object.ts";
import { type ErrorCode, errorMessages, RegistryError } from "../errors.ts";
import { endJob, jobId, progressWriter } from "../jobs.ts";
import { limits } from "../limits.ts";
import { imageQuery, toFoundImage } from "../pull/resolve.ts";
import type { Doer } from "../upkeep/audit.ts";
import { publishVerified } from "./complete-upload.ts";
import { dropUpload, refuseUpload } from "./publish.ts";
import { toUpload, type Upload } from "./start-upload.ts";

/**
 * Reads a completed multipart upload from beginning to end, and publishes or refuses it. Another run that is
 * first is as good as this one: the batch that ends an upload goes through once.
 */
export async function verifyUpload(ctx: Context, uploadId: string): Promise<JobOutcome> {
  const found = await findUpload(ctx, uploadId);
  if (found?.upload.state !== "verifying") return await endIdle(ctx, uploadId, found?.upload ?? null);
  const { upload, image, by } = found;
  if (image === null) return await endWithoutImage(ctx, upload);
  try {
    const progress = progressWriter(ctx, jobId("verify-upload", uploadId));
    const sha256Hex = await hashObject(ctx.bucket, upload.objectKey, upload.sizeBytes, progress);
    const start = await readObjectStart(ctx.bucket, upload.objectKey, limits.sifFirstReadBytes);
    await publishVerified(ctx, by, image, upload, start && { ...start, sha256Hex });
    return { state: "done" };
  } catch (thrown) {
    if (!(thrown instanceof RegistryError)) throw thrown;
    const now = await uploadOutcome(ctx, uploadId);
    if (now.state === "running" && thrown.code === "not-found") return await endWithoutImage(ctx, upload);
    if (now.state === "running") throw thrown;
    return now.state === "refused" ? { ...now, message: thrown.message } : now;
  }
}

/** Refuses an upload whose bytes could not be read back, however often that was tried. */
export async function giveUpUpload(ctx: Context, uploadId: string): Promise<JobOutcome> {
  const found = await findUpload(ctx, uploadId);
  if (found?.upload.state !== "verifying") return await endIdle(ctx, uploadId, found?.upload ?? null);
  if (found.image === null) return await endWithoutImage(ctx, found.upload);
  const reason = new RegistryError("verification-failed");
  await refuseUpload(ctx, found.by, found.image, found.upload, reason);
  return { state: "refused", code: reason.code, message: reason.message };
}

/** How an upload ended, from its row. */
export async function uploadOutcome(ctx: Context, uploadId: string): Promise<JobOutcome> {
  const upload = await ctx.db.select().from(uploads).where(eq(uploads.id, uploadId)).get();
  return outcomeOf(upload ?? null);
}

export function outcomeOf(upload: { state: Upload["state"]; refusedCode: string | null } | null): JobOutcome {
  switch (upload?.state) {
    case "verifying":
      return { state: "running" };
    case "published":
      return { state: "done" };
    case "refused": {
      const code = isErrorCode(upload.refusedCode) ? upload.refusedCode : "upload-ended";
      return { state: "refused", code, message: errorMessages[code] };
    }
    default:
      return { state: "refused", code: "upload-ended", message: errorMessages["upload-ended"] };
  }
}

/** @throws what the outcome says went wrong */
export function ensureNotRefused(outcome: JobOutcome): void {
  if (outcome.state !== "refused") return;
  throw new RegistryError(isErrorCode(outcome.code) ? outcome.code : "upload-ended", outcome.message);
}

function isErrorCode(text: string | null): text is ErrorCode {
  return text !== null && Object.hasOwn(errorMessages, text);
}

/** The upload, its image, and whose it is. */
async function findUpload(ctx: Context, uploadId: string) {
  const [rows, imageRows] = await ctx.db.batch([
    ctx.db
      .select({ upload: columnsOf(uploads), user: { username: users.username } })
      .from(uploads)
      .leftJoin(users, eq(users.id, uploads.userId))
      .where(eq(uploads.id, uploadId)),
    imageQuery(
      ctx,
      operator,
      eq(images.id, ctx.db.select({ id: uploads.imageId }).from(uploads).where(eq(uploads.id, uploadId))),
    ),
  ]);
  const [row] = rows;
  if (row === undefined) return null;
  const upload = toUpload(row.upload);
  const by: Doer = { kind: "on-behalf", username: row.user?.username ?? null };
  return { upload, image: toFoundImage(imageRows), by };
}

/** Another run ended it, and its job with it; a job that is there all the same has nothing to do. */
async function endIdle(ctx: Context, uploadId: string, upload: Upload | null): Promise<JobOutcome> {
  await writeTogether(ctx.db, [endJob(ctx, "verify-upload", uploadId)]);
  return outcomeOf(upload);
}

/** Its image was deleted while it was being verified: nobody waits for these bytes any more. */
async function endWithoutImage(ctx: Context, upload: Upload): Promise<JobOutcome> {
  await writeTogether(ctx.db, [...dropUpload(ctx, upload, "upload-ended"), endJob(ctx, "verify-upload", upload.id)]);
  await ctx.bucket.delete(upload.objectKey);
  return { state: "refused", code: "upload-ended", message: errorMessages["upload-ended"] };
}
