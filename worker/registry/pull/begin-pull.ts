import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { signCapability } from "../../storage/capabilities.ts";
import { downloadSeconds } from "../limits.ts";
import type { ImageReference } from "../names.ts";
import { resolveImage } from "./resolve.ts";

/**
 * Begins a pull: checks that the actor may read the image and answers the
 * absolute URL its bytes are read from. The URL is a bearer link that outlives
 * the slowest download of that size.
 * @throws `not-found`, `insufficient-scope`, `unauthenticated`
 */
export async function beginPull(
  ctx: Context,
  actor: Actor,
  reference: ImageReference,
  arch: string | null,
): Promise<{ url: string }> {
  const { image, objectKey, container } = await resolveImage(ctx, actor, "collection.pull", reference, arch);
  const token = await signCapability(ctx.settings, {
    audience: "download",
    objectKey,
    sizeBytes: image.sizeBytes,
    digest: image.digest,
    modifiedAt: image.publishedAt,
    expiresAt: ctx.now() + downloadSeconds(image.sizeBytes) * 1000,
  });
  const label = reference.selector.kind === "tag" ? reference.selector.tag : reference.selector.digest.slice(0, 19);
  return { url: `${ctx.origin()}/blobs/${container.name}_${label}.sif?t=${token}` };
}
