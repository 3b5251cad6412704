import { and, eq } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context, JobOutcome } from "../../context.ts";
import { guardChanged } from "../../storage/db/guard.ts";
import { images, uploads } from "../../storage/db/schema/catalog.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { completeMultipart as makeObject, type Part } from "../../storage/multipart.ts";
import { authorize } from "../authorize.ts";
import { ensureWritable } from "../catalog/containers.ts";
import { mayPush } from "../catalog/may-push.ts";
import { describe, RegistryError } from "../errors.ts";
import { jobId, newJob } from "../jobs.ts";
import { limits } from "../limits.ts";
import { imageQuery, isPublished, toFoundImage } from "../pull/resolve.ts";
import { quotaOfImage } from "../quota.ts";
import type { CompletedPush } from "./complete-upload.ts";
import { asEnded, type MultipartUpload, openMultipart, partsOf } from "./multipart.ts";
import { ensureNotRefused, outcomeOf, uploadOutcome } from "./verify-upload.ts";

/** A part as the client names it. */
export interface CompletedPart {
  partNumber: number;
  /** What its PUT answered as ETag, in quotes. */
  token: string;
}

/**
 * Completes an upload in parts: makes them one object, and has it verified. Waits a while for that; when it
 * takes longer the image is published afterwards. Completing again is fine.
 * @throws `parts-invalid`, `upload-ended`, what verification found within that time (`digest-mismatch`,
 *   `sif-invalid` …), and what the policy refuses
 */
export async function completeMultipart(
  ctx: Context,
  actor: Actor,
  input: { imageId: string; uploadToken: string; parts: CompletedPart[] },
): Promise<CompletedPush> {
  const upload = await openMultipart(ctx, actor, input);
  const [rows, uploadRows, quotas] = await ctx.db.batch([
    imageQuery(ctx, actor, eq(images.id, input.imageId)),
    ctx.db.select().from(uploads).where(eq(uploads.id, upload.uploadId)),
    quotaOfImage(ctx, input.imageId),
  ]);
  const found = authorizeStill(ctx, actor, toFoundImage(rows));
  const completed = { found, quota: quotas[0]?.quota ?? null };
  if (isPublished(found)) return completed;
  ensureWritable(found.container);
  const [row] = uploadRows;
  if (row?.state === "open") {
    await assemble(ctx, upload, checkParts(upload, input.parts));
    await markVerifying(ctx, actor, found.collection.id, upload);
  } else if (row?.state !== "verifying") {
    ensureNotRefused(outcomeOf(row ?? null));
    return completed;
  }
  ensureNotRefused(await waitForVerification(ctx, upload.uploadId));
  return completed;
}

/**
 * What is to be done stands in the database by now: should the job's object not answer (it was moved, or is
 * overloaded), upkeep starts it, and the push is as good as when verification takes long.
 */
export async function waitForVerification(ctx: Context, uploadId: string): Promise<JobOutcome> {
  const id = jobId("verify-upload", uploadId);
  try {
    return await ctx.jobs.run(id, limits.verifyWaitSeconds * 1000);
  } catch (thrown) {
    ctx.log.error("job", { id, error: describe(thrown) });
    return await uploadOutcome(ctx, uploadId);
  }
}

/** Rights may have gone since the upload began; 404 is the wrong word for it here. */
function authorizeStill(ctx: Context, actor: Actor, image: ReturnType<typeof toFoundImage>) {
  try {
    return authorize(ctx, actor, "collection.push", image);
  } catch (thrown) {
    throw asEnded(thrown);
  }
}

/** Every part once, in whatever order. @throws `parts-invalid` */
function checkParts(upload: MultipartUpload, given: CompletedPart[]): Part[] {
  const expected = partsOf(upload);
  const byNumber = new Map(given.map(({ partNumber, token }) => [partNumber, token]));
  if (byNumber.size !== given.length) throw new RegistryError("parts-invalid", "A part is named more than once.");
  const parts: Part[] = [];
  for (let partNumber = 1; partNumber <= expected; partNumber++) {
    const token = byNumber.get(partNumber);
    if (token === undefined) throw new RegistryError("parts-invalid", `Part ${partNumber} is missing.`);
    parts.push({ partNumber, etag: token.replace(/^"|"$/g, "") });
  }
  if (given.length > expected) throw new RegistryError("parts-invalid", `This upload has only ${expected} parts.`);
  return parts;
}

type Assembled = Pick<MultipartUpload, "uploadId" | "objectKey" | "multipartId" | "sizeBytes">;

/** @throws `parts-invalid` when R2 knows a part by another ETag, `upload-ended` */
export async function assemble(ctx: Context, upload: Assembled, parts: Part[]): Promise<void> {
  const result = await makeObject(ctx.bucket, upload, parts);
  if (result === "completed") return;
  if (result !== "no-such-upload") {
    throw new RegistryError("parts-invalid", "Not every part has arrived as it was announced.");
  }
  // An earlier call may have come this far, and its answer been lost.
  if ((await ctx.bucket.head(upload.objectKey)) === null) throw new RegistryError("upload-ended");
}

/**
 * Has the object verified. Of two that complete it at once the second finds it so; for who may not push any more by
 * then it stays open, and has ended.
 */
export async function markVerifying(
  ctx: Context,
  actor: Actor,
  collectionId: string,
  upload: Assembled,
): Promise<void> {
  const mayStill = actor.kind === "user" ? mayPush(ctx, actor.userId, collectionId) : undefined;
  const isOpen = and(eq(uploads.id, upload.uploadId), eq(uploads.state, "open"), mayStill);
  try {
    await writeTogether(ctx.db, [
      ctx.db.update(uploads).set({ state: "verifying" }).where(isOpen),
      guardChanged(ctx.db, "conflict"),
      newJob(ctx, "verify-upload", upload.uploadId, upload.sizeBytes),
    ]);
  } catch (thrown) {
    if (!(thrown instanceof RegistryError && thrown.code === "conflict")) throw thrown;
  }
}
