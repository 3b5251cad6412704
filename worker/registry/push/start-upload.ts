import { type Actor, actorUserId } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { signCapability } from "../../storage/capabilities.ts";
import type { Statement } from "../../storage/db/client.ts";
import { uploads } from "../../storage/db/schema/catalog.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { uploadObjectKey } from "../../storage/layout.ts";
import { authorize } from "../authorize.ts";
import { ensureWritable } from "../catalog/containers.ts";
import { type Digest, parseDigest } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { type FoundImage, findImageById } from "../pull/resolve.ts";
import { inQuotaWords, ownerOfCollection, quotaGuard } from "../quota.ts";

type UploadRow = typeof uploads.$inferSelect;

/** An upload whose size and digest were announced, or are known by now. */
export type Upload = Omit<UploadRow, "digest" | "sizeBytes"> & { digest: Digest; sizeBytes: number };

/**
 * Starts the upload of an image in one piece, also of one that is published by now: a client that was told
 * to upload gives up on any refusal here, though another client may have finished the same image since.
 * @returns the absolute URL for one PUT of exactly so many bytes with exactly the image's SHA-256
 * @throws `image-too-large`, `digest-mismatch` (the claim is not the image's), `read-only`, `quota-exceeded`, and what
 *   the policy refuses
 */
export async function startUpload(
  ctx: Context,
  actor: Actor,
  input: { imageId: string; sizeBytes: number; claimedDigest: Digest | null },
): Promise<{ uploadUrl: string }> {
  const found = await imageForUpload(ctx, actor, input.imageId);
  const { image } = found;
  if (input.claimedDigest !== null && input.claimedDigest !== image.digest) throw new RegistryError("digest-mismatch");
  ensureSizeAllowed(ctx, input.sizeBytes);
  const maxBytes = limits.singleUploadBytes;
  if (input.sizeBytes > maxBytes) {
    throw new RegistryError(
      "image-too-large",
      `The image has ${input.sizeBytes} bytes; at most ${maxBytes} are taken.`,
    );
  }
  const upload = await openUpload(ctx, actor, found, input.sizeBytes);
  const lifetime = { since: upload.createdAt, expiresAt: upload.expiresAt };
  const token = await signCapability(ctx.settings, "upload", upload, lifetime);
  return { uploadUrl: `${ctx.origin()}/blobs/upload?t=${token}` };
}

/** @throws `image-too-large` */
export function ensureSizeAllowed(ctx: Context, sizeBytes: number): void {
  const maxBytes = ctx.settings.MAX_IMAGE_BYTES;
  if (sizeBytes <= maxBytes) return;
  const message = `The image has ${sizeBytes} bytes; this registry takes images of at most ${maxBytes}.`;
  throw new RegistryError("image-too-large", message);
}

/** The image a step of an upload is about. @throws `read-only`, and what the policy refuses */
export async function imageForUpload(ctx: Context, actor: Actor, imageId: string): Promise<FoundImage> {
  const found = authorize(ctx, actor, "collection.push", await findImageById(ctx, actor, imageId));
  ensureWritable(found.container);
  return found;
}

/** Writes the row that lets upkeep find the bytes, whatever becomes of them. @throws `quota-exceeded` */
export async function openUpload(ctx: Context, actor: Actor, found: FoundImage, sizeBytes: number): Promise<Upload> {
  const upload = newUpload(ctx, actor, found.image, sizeBytes, limits.uploadSeconds);
  await reserve(ctx, found, upload);
  return upload;
}

/**
 * Writes an upload's row, which reserves room for its bytes.
 * @param guards what else must hold
 * @throws `quota-exceeded`, and what the guards say
 */
export async function reserve(
  ctx: Context,
  { collection }: Pick<FoundImage, "collection">,
  upload: Upload,
  guards: readonly Statement[] = [],
): Promise<void> {
  const { digest, sizeBytes } = upload;
  const addition = { collectionId: collection.id, digest, sizeBytes };
  const row = { ...upload, quotaUserId: ownerOfCollection(collection.id) };
  await inQuotaWords(ctx, addition, () =>
    writeTogether(ctx.db, [quotaGuard(ctx, addition), ...guards, ctx.db.insert(uploads).values(row)]),
  );
}

/** An upload that nobody knows of yet. */
export function newUpload(
  ctx: Context,
  actor: Actor,
  image: { id: string; digest: string },
  sizeBytes: number,
  seconds: number,
): Upload {
  const id = crypto.randomUUID();
  const now = ctx.now();
  return {
    id,
    imageId: image.id,
    userId: actorUserId(actor),
    objectKey: uploadObjectKey(id),
    digest: parseDigest(image.digest),
    sizeBytes,
    state: "open",
    createdAt: now,
    expiresAt: now + seconds * 1000,
    multipartId: null,
    partBytes: null,
    refusedCode: null,
    quotaUserId: null,
    resumable: false,
  };
}

/** @throws when nobody knows yet what it brings */
export function toUpload(row: UploadRow): Upload {
  const { digest, sizeBytes } = row;
  if (digest === null || sizeBytes === null) throw new Error(`upload ${row.id} is still streaming in`);
  return { ...row, digest: parseDigest(digest), sizeBytes };
}
