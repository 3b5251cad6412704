import { and, eq } from "drizzle-orm";
import { type Actor, actorUserId } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { type Claims, openCapability, signCapability } from "../../storage/capabilities.ts";
import type { Statement } from "../../storage/db/client.ts";
import { uploads } from "../../storage/db/schema/catalog.ts";
import { abortMultipart, beginMultipart, storePart } from "../../storage/multipart.ts";
import { presignPart, s3Of } from "../../storage/s3.ts";
import { authorize } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { limits, multipartSeconds } from "../limits.ts";
import type { FoundImage } from "../pull/resolve.ts";
import { ensureSizeAllowed, imageForUpload, newUpload, reserve, type Upload } from "./start-upload.ts";
import { bodyOfSize, openUploadUrl } from "./take-upload.ts";

/** How a file is cut: every part has `partBytes`, but for the last, which has what is left. */
export interface PartPlan {
  partBytes: number;
  parts: number;
}

export interface StartedMultipart extends PartPlan {
  /** What the client calls the upload: a capability to ask for its parts' URLs and to end it. */
  uploadToken: string;
}

/** How many parts an upload has. */
export function partsOf({ sizeBytes, partBytes }: Pick<MultipartUpload, "sizeBytes" | "partBytes">): number {
  return Math.ceil(sizeBytes / partBytes);
}

/** The parts of a file. They are of the usual size unless there would be more than R2 takes. */
export function planParts(sizeBytes: number, usualBytes: number): PartPlan {
  const usuals = Math.ceil(Math.ceil(sizeBytes / limits.parts) / usualBytes);
  const partBytes = usualBytes * Math.max(usuals, 1);
  return { partBytes, parts: partsOf({ sizeBytes, partBytes }) };
}

/**
 * Starts an upload in parts.
 * @throws `image-too-large`, `read-only`, `quota-exceeded`, and what the policy refuses
 */
export async function startMultipart(
  ctx: Context,
  actor: Actor,
  input: { imageId: string; sizeBytes: number },
): Promise<StartedMultipart> {
  const found = await imageForUpload(ctx, actor, input.imageId);
  const { image, facts } = found;
  ensureSizeAllowed(ctx, input.sizeBytes);
  const plan = planParts(input.sizeBytes, ctx.settings.PART_BYTES);
  ensurePartsPass(ctx, plan);
  const { partBytes } = plan;
  const blank = { ...newUpload(ctx, actor, image, input.sizeBytes, multipartSeconds(plan.parts)), partBytes };
  const upload = await openMultipartUpload(ctx, found, blank);
  const { multipartId } = upload;
  const { objectKey, sizeBytes, expiresAt, createdAt } = upload;
  const who = { uploadId: upload.id, imageId: image.id, userId: actorUserId(actor) ?? "", facts };
  const said = { ...who, objectKey, sizeBytes, multipartId, partBytes };
  const uploadToken = await signCapability(ctx.settings, "multipart", said, { expiresAt, since: createdAt });
  return { ...plan, uploadToken };
}

/**
 * Begins an upload in parts in R2, and writes its row.
 * @param guards what else must hold
 * @throws `quota-exceeded`, and what the guards say
 */
export async function openMultipartUpload<Blank extends Upload>(
  ctx: Context,
  found: FoundImage,
  upload: Blank,
  guards: readonly Statement[] = [],
): Promise<Blank & { multipartId: string }> {
  const multipartId = await beginMultipart(ctx.bucket, upload.objectKey);
  const begun = { ...upload, multipartId };
  try {
    await reserve(ctx, found, begun, guards);
    return begun;
  } catch (thrown) {
    await undo(ctx, begun, thrown).catch(() => undefined);
    throw thrown;
  }
}

/**
 * Frees an upload whose row was not written: nobody finds it again, and R2 itself would abort it after a week. Where
 * only the answer was lost the row is there, and must not lead anybody to parts that are not: it ends first.
 */
async function undo(ctx: Context, upload: Upload & { multipartId: string }, why: unknown): Promise<void> {
  const isRefused = why instanceof RegistryError;
  if (!isRefused) {
    await ctx.db
      .update(uploads)
      .set({ state: "aborted", expiresAt: ctx.now() })
      .where(and(eq(uploads.id, upload.id), eq(uploads.state, "open")))
      .run();
  }
  await abortMultipart(ctx.bucket, upload.objectKey, upload.multipartId);
}

/**
 * Parts of ours pass the Worker, whose platform cuts request bodies.
 * @param options.isOurs whether they do so even where R2's S3 interface is configured
 */
export function ensurePartsPass(ctx: Context, { partBytes }: PartPlan, { isOurs = false } = {}): void {
  const maxBytes = ctx.settings.MAX_REQUEST_BYTES;
  if (maxBytes === null || partBytes <= maxBytes || (!isOurs && s3Of(ctx.settings) !== null)) return;
  const way = isOurs ? "Push it with apptainer." : "The registry's administrator can set S3_ENDPOINT.";
  const message = `The image would need parts of ${partBytes} bytes, and one request may bring at most ${maxBytes}. ${way}`;
  throw new RegistryError("image-too-large", message);
}

export type MultipartUpload = Claims<"multipart"> & { expiresAt: number };

/**
 * Opens what a client calls its upload. No database is asked: what the policy needs to know stands in it,
 * as it was when the upload began; completing asks again.
 * @throws `upload-ended` also for what is another's or no upload at all: clients take a 404 here for a
 *   registry without multipart, and start over in the middle of the file
 */
export async function openMultipart(
  ctx: Context,
  actor: Actor,
  input: { imageId: string; uploadToken: string },
): Promise<MultipartUpload> {
  try {
    const upload = await openCapability(ctx.settings, "multipart", input.uploadToken, ctx.now());
    const isTheirs = upload.userId === (actorUserId(actor) ?? "") && upload.imageId === input.imageId;
    authorize(ctx, actor, "collection.push", isTheirs ? upload : null);
    return upload;
  } catch (thrown) {
    throw asEnded(thrown);
  }
}

/** @returns an error that clients do not take for a registry without multipart */
export function asEnded(thrown: unknown): unknown {
  const codes = ["not-found", "capability-invalid", "capability-expired"];
  const isAbsent = thrown instanceof RegistryError && codes.includes(thrown.code);
  return isAbsent ? new RegistryError("upload-ended", undefined, { cause: thrown }) : thrown;
}

/**
 * The URL one part goes to, by PUT, with exactly its size: R2's own where its S3 interface is configured,
 * else one of ours.
 * @throws `parts-invalid` for a number that is none of its parts, `upload-ended`, and what the policy refuses
 */
export async function signPart(
  ctx: Context,
  actor: Actor,
  input: { imageId: string; uploadToken: string; partNumber: number },
): Promise<{ url: string }> {
  const upload = await openMultipart(ctx, actor, input);
  const { objectKey, multipartId } = upload;
  const { partNumber } = input;
  const parts = partsOf(upload);
  if (partNumber > parts) {
    throw new RegistryError("parts-invalid", `There is no part ${partNumber}: this upload has ${parts} parts.`);
  }
  const sizeBytes = Math.min(upload.partBytes, upload.sizeBytes - (partNumber - 1) * upload.partBytes);
  const part = { objectKey, multipartId, partNumber, sizeBytes };
  const since = ctx.now();
  const expiresAt = Math.min(since + limits.uploadSeconds * 1000, upload.expiresAt);
  const s3 = s3Of(ctx.settings);
  if (s3 !== null) return { url: await presignPart(s3, part, Math.max(Math.ceil((expiresAt - since) / 1000), 1)) };
  const token = await signCapability(ctx.settings, "part", part, { expiresAt, since });
  return { url: `${ctx.origin()}/blobs/part?t=${token}` };
}

/**
 * Takes one part behind a URL of ours. No database is asked.
 * @returns its ETag, in quotes, which the client gives back when it completes
 * @throws `upload-expired`, `upload-ended`, `capability-invalid`, `length-required`, `size-mismatch`
 */
export async function takePart(
  ctx: Context,
  token: string,
  body: ReadableStream | null,
  contentLength: number | null,
): Promise<{ etag: string }> {
  const part = await openUploadUrl(ctx, "part", token);
  const bytes = bodyOfSize(body, contentLength, part.sizeBytes);
  const stored = await storePart(ctx.bucket, part, part.partNumber, bytes);
  if (stored === "no-such-upload") throw new RegistryError("upload-ended");
  return { etag: `"${stored.etag}"` };
}

/**
 * Marks an upload as not to be completed any more; upkeep frees its parts. One that is being verified, or
 * has ended, stays as it is.
 * @throws `upload-ended`, and what the policy refuses
 */
export async function abortUpload(
  ctx: Context,
  actor: Actor,
  input: { imageId: string; uploadToken: string },
): Promise<void> {
  const { uploadId } = await openMultipart(ctx, actor, input);
  await ctx.db
    .update(uploads)
    .set({ state: "aborted", expiresAt: ctx.now() })
    .where(and(eq(uploads.id, uploadId), eq(uploads.state, "open")))
    .run();
}
