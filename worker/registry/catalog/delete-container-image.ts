import { and, eq, ne, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import { images, tags } from "../../storage/db/schema/catalog.ts";
import { type Digest, parseDigest } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import type { TaggedReference } from "../names.ts";
import { type Authenticated, explainSpent, spendSignature } from "../people/authenticate-signature.ts";
import { findContainerImage } from "../pull/container-image.ts";
import type { PublishedImage } from "../pull/resolve.ts";
import { type Deleted, deleteFound } from "./delete-image.ts";

/**
 * Deletes a tag as sregistry's clients name it, which know no architectures: where none is named, for all of them.
 * An image goes with its last tag. A signature that allowed it is used up in the same batch.
 * @throws `not-found`, `frozen`, `read-only`, `invalid-credential` for a signature that was used, and what the
 *   policy refuses
 */
export async function deleteContainerImage(
  ctx: Context,
  { actor, signature }: Authenticated,
  reference: TaggedReference,
  arch: string | null,
): Promise<Deleted> {
  // A version is not signed, and takes all of an image's tags along.
  if (reference.digestPrefix !== null) throw new RegistryError("reference-invalid", "Name a tag to delete.");
  const { found, tag } = await findContainerImage(ctx, actor, "collection.delete-image", reference, arch);
  const others = arch === null ? await otherArchitectures(ctx, found, tag) : [];
  const also = { images: others, statements: spendSignature(ctx, signature) };
  try {
    return await deleteFound(ctx, actor, found, { kind: "tag", tag }, also);
  } catch (thrown) {
    if (!(thrown instanceof RegistryError) || thrown.code !== "frozen") throw explainSpent(thrown);
    const name = `${found.collection.name}/${found.container.name}:${tag}`;
    throw new RegistryError("frozen", `${name} is frozen, delete not allowed.`);
  }
}

/** Images that bear the same tag for another architecture. */
async function otherArchitectures(
  ctx: Context,
  { container, image }: PublishedImage,
  tag: string,
): Promise<{ id: string; digest: Digest; arch: string }[]> {
  const rows = await ctx.db
    .select({ id: sql<string>`${images.id}`.as("image_id"), digest: images.digest, arch: tags.arch })
    .from(tags)
    .innerJoin(images, eq(images.id, tags.imageId))
    .where(and(eq(tags.containerId, container.id), eq(tags.name, tag), ne(tags.arch, image.arch)))
    .all();
  return rows.map((row) => ({ ...row, digest: parseDigest(row.digest) }));
}
