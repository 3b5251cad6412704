import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { readObjectStart } from "../../storage/blobs.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { publishVerified } from "./complete-upload.ts";
import { ensureSizeAllowed, imageForUpload, openUpload } from "./start-upload.ts";
import { storeUpload } from "./take-upload.ts";

/**
 * Takes an image's bytes in the request itself and publishes it: authorized before the body is read,
 * checked by R2 while it comes in.
 * @throws `length-required`, `image-too-large`, `quota-exceeded`, `digest-mismatch`, `sif-invalid`, and what the policy
 *   refuses
 */
export async function pushWhole(
  ctx: Context,
  actor: Actor,
  imageId: string,
  body: ReadableStream | null,
  contentLength: number | null,
): Promise<void> {
  const found = await imageForUpload(ctx, actor, imageId);
  if (contentLength === null) throw new RegistryError("length-required");
  const maxBytes = Math.min(ctx.settings.MAX_REQUEST_BYTES ?? Number.POSITIVE_INFINITY, limits.wholeUploadBytes);
  if (contentLength > maxBytes) {
    const message = `The image has ${contentLength} bytes; one request may bring at most ${maxBytes}. A current client pushes it in parts: apptainer push library://.`;
    throw new RegistryError("image-too-large", message);
  }
  ensureSizeAllowed(ctx, contentLength);
  const upload = await openUpload(ctx, actor, found, contentLength);
  await storeUpload(ctx, upload, body, contentLength);
  const start = await readObjectStart(ctx.bucket, upload.objectKey, limits.sifFirstReadBytes);
  await publishVerified(ctx, actor, found, upload, start);
}
