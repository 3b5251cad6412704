import type { Context } from "../../context.ts";
import { streamObject } from "../../storage/blobs.ts";
import { type Capability, openCapability } from "../../storage/capabilities.ts";
import { RegistryError } from "../errors.ts";

/** What a download URL opens. */
export type Download = Pick<Capability, "objectKey" | "sizeBytes" | "digest" | "modifiedAt">;

/** @throws `capability-invalid`, `capability-expired` */
export async function openDownload(ctx: Context, token: string): Promise<Download> {
  return await openCapability(ctx.settings, "download", token, ctx.now());
}

/** A range of its bytes. @throws `not-found` when the object was deleted meanwhile */
export async function readDownload(
  ctx: Context,
  download: Download,
  range: { offset: number; length: number },
): Promise<ReadableStream> {
  const stream = await streamObject(ctx.bucket, download.objectKey, range);
  if (stream === null) throw new RegistryError("not-found");
  return stream;
}
