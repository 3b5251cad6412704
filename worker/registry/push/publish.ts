import { and, eq, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { blobs, images, uploads, wantedTags } from "../../storage/db/schema/catalog.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import type { FoundContainer } from "../catalog/containers.ts";
import { moveWantedTags } from "../catalog/tags.ts";
import type { RegistryError } from "../errors.ts";
import type { FoundImage } from "../pull/resolve.ts";
import { auditRow } from "../upkeep/audit.ts";

import type { Inspection } from "./inspect.ts";
import type { Upload } from "./start-upload.ts";

/**
 * Publishes verified bytes in one batch: the blob (once per digest), the image, the tags that waited for
 * it. When the digest was stored before, its first object stays. This one waits for upkeep: while it is
 * there its URL is used up, so that nobody learns from a second PUT, nor from the time this takes, whether
 * the registry held the content already.
 * @throws `conflict` when the upload was published or refused meanwhile, `not-found` when the image was deleted
 */
export async function publishUpload(
  ctx: Context,
  actor: Actor,
  found: FoundImage,
  upload: Upload,
  inspection: Inspection,
): Promise<void> {
  const { image } = found;
  const now = ctx.now();
  const published = {
    state: "published" as const,
    blobDigest: image.digest,
    sizeBytes: upload.sizeBytes,
    publishedAt: now,
  };
  await writeTogether(ctx.db, [
    ctx.db
      .update(uploads)
      .set({ state: "published" })
      .where(and(eq(uploads.id, upload.id), eq(uploads.state, "open"))),
    guardChanged(ctx.db, "conflict"),
    guardAgainst(ctx.db, "not-found", sql`NOT EXISTS (SELECT 1 FROM ${images} WHERE ${eq(images.id, image.id)})`),
    ctx.db
      .insert(blobs)
      .values({ digest: image.digest, objectKey: upload.objectKey, sizeBytes: upload.sizeBytes, createdAt: now })
      .onConflictDoUpdate({ target: blobs.digest, set: { unreferencedAt: null } }),
    ctx.db
      .update(images)
      .set({ ...published, ...inspection })
      .where(and(eq(images.id, image.id), eq(images.state, "registered"))),
    ...moveWantedTags(ctx, { containerId: found.container.id, digest: image.digest }),
    auditRow(ctx, actor, "image.publish", targetOf(found), {
      detail: { digest: image.digest, bytes: upload.sizeBytes },
    }),
  ]);
}

/** Marks an upload refused, drops the tags that waited for it, and frees its bytes. */
export async function refuseUpload(
  ctx: Context,
  actor: Actor,
  found: FoundImage,
  upload: Upload,
  reason: RegistryError,
): Promise<void> {
  await writeTogether(ctx.db, [
    ctx.db
      .update(uploads)
      .set({ state: "refused" })
      .where(and(eq(uploads.id, upload.id), eq(uploads.state, "open"))),
    guardChanged(ctx.db, "conflict"),
    ctx.db.delete(wantedTags).where(eq(wantedTags.imageId, found.image.id)),
    auditRow(ctx, actor, "image.refuse", targetOf(found), {
      detail: { digest: found.image.digest, reason: reason.message },
    }),
  ]);
  await ctx.bucket.delete(upload.objectKey);
}

export function targetOf({ entity, collection, container }: FoundContainer): string {
  return `${entity.name}/${collection.name}/${container.name}`;
}
