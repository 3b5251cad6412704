import type { Context } from "../../context.ts";
import { storeObject } from "../../storage/blobs.ts";
import { type Claims, openCapability } from "../../storage/capabilities.ts";
import { RegistryError } from "../errors.ts";
import type { Upload } from "./start-upload.ts";

/**
 * Takes in the bytes behind an upload URL. No database is asked: the URL says
 * all there is to check, and R2 checks the SHA-256 in flight.
 * @throws `upload-expired`, `capability-invalid`, `length-required`, `size-mismatch`, `digest-mismatch`, `upload-used`
 */
export async function takeUpload(
  ctx: Context,
  token: string,
  body: ReadableStream | null,
  contentLength: number | null,
): Promise<void> {
  await storeUpload(ctx, await openUploadUrl(ctx, "upload", token), body, contentLength);
}

/** What the URL of an upload or of a part says. @throws `upload-expired`, `capability-invalid` */
export async function openUploadUrl<For extends "upload" | "part">(
  ctx: Context,
  audience: For,
  token: string,
): Promise<Claims<For>> {
  return await openCapability(ctx.settings, audience, token, ctx.now()).catch((thrown) => {
    const isLate = thrown instanceof RegistryError && thrown.code === "capability-expired";
    throw isLate ? new RegistryError("upload-expired") : thrown;
  });
}

/** A body of exactly the announced size. @throws `length-required`, `size-mismatch` */
export function bodyOfSize(
  body: ReadableStream | null,
  contentLength: number | null,
  sizeBytes: number,
): ReadableStream {
  if (contentLength === null) throw new RegistryError("length-required");
  if (contentLength === sizeBytes && body !== null) return body;
  throw new RegistryError("size-mismatch", `${sizeBytes} bytes were announced, not ${contentLength}.`);
}

/** @throws `length-required`, `size-mismatch`, `digest-mismatch`, `upload-used` */
export async function storeUpload(
  ctx: Context,
  plan: Pick<Upload, "objectKey" | "digest" | "sizeBytes">,
  body: ReadableStream | null,
  contentLength: number | null,
): Promise<void> {
  const whole = bodyOfSize(body, contentLength, plan.sizeBytes);
  const result = await storeObject(ctx.bucket, plan.objectKey, whole, plan.digest);
  if (result === "key-used") throw new RegistryError("upload-used");
  if (result === "digest-mismatch") throw new RegistryError("digest-mismatch");
}
