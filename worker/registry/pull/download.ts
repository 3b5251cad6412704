import type { Context } from "../../context.ts";
import { streamPublicObject } from "../../storage/blob-cache.ts";
import { streamObject } from "../../storage/blobs.ts";
import { type Claims, type Lifetime, openCapability } from "../../storage/capabilities.ts";
import { RegistryError } from "../errors.ts";

/** What a download URL opens. */
export type Download = Claims<"download"> & Lifetime;

/** @throws `capability-invalid`, `capability-expired` */
export async function openDownload(ctx: Context, token: string): Promise<Download> {
  return await openCapability(ctx.settings, "download", token, ctx.now());
}

/**
 * A range of its bytes. Those of a public image go through the cache; private ones never enter it.
 * @throws `not-found` when the object was deleted meanwhile
 */
export async function readDownload(
  ctx: Context,
  download: Download,
  range: { offset: number; length: number },
): Promise<ReadableStream> {
  const { bucket, later } = ctx;
  const stream =
    download.isPublic && ctx.settings.BLOB_CACHE
      ? await streamPublicObject({ bucket, later, ...download }, range)
      : await streamObject(bucket, download.objectKey, range);
  if (stream === null) throw new RegistryError("not-found");
  return stream;
}
