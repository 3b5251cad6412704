import { type Actor, anonymous } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { signCapability } from "../../storage/capabilities.ts";
import { presignDownload, s3Of } from "../../storage/s3.ts";
import { mayOnCollection } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { downloadSeconds } from "../limits.ts";
import type { ImageReference } from "../names.ts";
import { resolveImage } from "./resolve.ts";

/**
 * Begins a pull: checks that the actor may read the image and answers the
 * absolute URL its bytes are read from. The URL is a bearer link that outlives
 * the slowest download of that size. It is R2's own where pulls are to go there.
 * @throws `not-found`, `verifying`, `image-corrupt`, `insufficient-scope`, `unauthenticated`
 */
export async function beginPull(
  ctx: Context,
  actor: Actor,
  reference: ImageReference,
  arch: string | null,
): Promise<{ url: string }> {
  const found = await resolveImage(ctx, actor, "collection.pull", reference, arch);
  const { image, objectKey, container } = found;
  if (objectKey === null) throw new RegistryError("image-corrupt");
  const seconds = downloadSeconds(image.sizeBytes);
  const label = reference.selector.kind === "tag" ? reference.selector.tag : reference.selector.digest.slice(0, 19);
  const fileName = `${container.name}_${label}.sif`;
  const s3 = ctx.settings.DIRECT_DOWNLOADS ? s3Of(ctx.settings) : null;
  if (s3 !== null) return { url: await presignDownload(s3, { objectKey, fileName }, seconds) };
  const { sizeBytes, digest, publishedAt } = image;
  // Public is what anybody may pull now, by everything that stands in the policy.
  const isPublic = mayOnCollection(ctx, anonymous, "collection.pull", { ...found.facts, memberRole: null });
  const said = { objectKey, sizeBytes, digest, isPublic };
  const lifetime = { since: publishedAt, expiresAt: ctx.now() + seconds * 1000 };
  const token = await signCapability(ctx.settings, "download", said, lifetime);
  return { url: `${ctx.origin()}/blobs/${fileName}?t=${token}` };
}
