import { type Actor, anonymous } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { signCapability } from "../../storage/capabilities.ts";
import { presignDownload, s3Of } from "../../storage/s3.ts";
import { mayOnCollection } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { downloadSeconds } from "../limits.ts";
import type { ImageReference } from "../names.ts";
import { countPull } from "./pull-counts.ts";
import { type PublishedImage, resolveImage } from "./resolve.ts";

/** Of a digest, as a file's name has it: `sha256.` and twelve digits. */
export const DIGEST_LABEL_LENGTH = 19;

/**
 * Begins a pull: checks that the actor may read the image and answers the
 * absolute URL its bytes are read from. The URL is a bearer link that outlives
 * the slowest download of that size. It is R2's own where pulls are to go there.
 * @param isLook whether this only looks, as HEAD does, and is no pull
 * @throws `not-found`, `verifying`, `image-corrupt`, `insufficient-scope`, `unauthenticated`
 */
export async function beginPull(
  ctx: Context,
  actor: Actor,
  reference: ImageReference,
  arch: string | null,
  isLook: boolean,
): Promise<{ url: string }> {
  const found = await resolveImage(ctx, actor, "collection.pull", reference, arch);
  const tag = reference.selector.kind === "tag" ? reference.selector.tag : null;
  const url = await mintDownload(ctx, found, tag ?? found.image.digest.slice(0, DIGEST_LABEL_LENGTH));
  if (!isLook) countPull(ctx, found, tag);
  return { url };
}

/**
 * A URL that a found image's bytes are read from, by GET alone where it is R2's own.
 * @param label what the file's name says beside the container's
 * @throws `image-corrupt`
 */
export async function mintDownload(ctx: Context, found: PublishedImage, label: string): Promise<string> {
  const s3 = ctx.settings.DIRECT_DOWNLOADS ? s3Of(ctx.settings) : null;
  if (s3 === null) return await signDownload(ctx, found, label);
  const objectKey = readableObject(found);
  const fileName = fileNameOf(found, label);
  return await presignDownload(s3, { objectKey, fileName }, downloadSeconds(found.image.sizeBytes));
}

/**
 * A URL of our own that a found image's bytes are read from, any number of times while it lives, by GET and by
 * HEAD. Only for an actor who was found to be allowed to read it.
 * @param label what the file's name says beside the container's
 * @throws `image-corrupt`
 */
export async function signDownload(ctx: Context, found: PublishedImage, label: string): Promise<string> {
  const objectKey = readableObject(found);
  const { sizeBytes, digest, publishedAt } = found.image;
  // Public is what anybody may pull now, by everything that stands in the policy.
  const isPublic = mayOnCollection(ctx, anonymous, "collection.pull", { ...found.facts, grant: null });
  const said = { objectKey, sizeBytes, digest, isPublic };
  const lifetime = { since: publishedAt, expiresAt: ctx.now() + downloadSeconds(sizeBytes) * 1000 };
  const token = await signCapability(ctx.settings, "download", said, lifetime);
  return `${ctx.origin()}/blobs/${fileNameOf(found, label)}?t=${token}`;
}

function readableObject({ objectKey }: PublishedImage): string {
  if (objectKey === null) throw new RegistryError("image-corrupt");
  return objectKey;
}

/** What a download is called: the container's name, and the tag or the beginning of the digest. */
export function fileNameOf({ container }: PublishedImage, label: string): string {
  return `${container.name}_${label}.sif`;
}
