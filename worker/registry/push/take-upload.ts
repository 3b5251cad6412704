import type { Context } from "../../context.ts";
import { storeObject } from "../../storage/blobs.ts";
import { openCapability } from "../../storage/capabilities.ts";
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
  const capability = await openCapability(ctx.settings, "upload", token, ctx.now()).catch((thrown) => {
    const isLate = thrown instanceof RegistryError && thrown.code === "capability-expired";
    throw isLate ? new RegistryError("upload-expired") : thrown;
  });
  await storeUpload(ctx, capability, body, contentLength);
}

/** @throws `length-required`, `size-mismatch`, `digest-mismatch`, `upload-used` */
export async function storeUpload(
  ctx: Context,
  plan: Pick<Upload, "objectKey" | "digest" | "sizeBytes">,
  body: ReadableStream | null,
  contentLength: number | null,
): Promise<void> {
  if (contentLength === null) throw new RegistryError("length-required");
  if (contentLength !== plan.sizeBytes || body === null) {
    throw new RegistryError("size-mismatch", `${plan.sizeBytes} bytes were announced, not ${contentLength}.`);
  }
  const result = await storeObject(ctx.bucket, plan.objectKey, body, plan.digest);
  if (result === "key-used") throw new RegistryError("upload-used");
  if (result === "digest-mismatch") throw new RegistryError("digest-mismatch");
}
