import type { Context } from "../../context.ts";
import { RegistryError } from "../errors.ts";
import type { TaggedReference } from "../names.ts";
import { type Authenticated, explainSpent, spendSignature } from "../people/authenticate-signature.ts";
import { findContainerImage } from "../pull/container-image.ts";
import { type Deleted, deleteFound } from "./delete-image.ts";

/**
 * Deletes a tag as sregistry's clients name it, and its image with it when that was its last. A signature that
 * allowed it is used up in the same batch.
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
  try {
    return await deleteFound(ctx, actor, found, { kind: "tag", tag }, spendSignature(ctx, signature));
  } catch (thrown) {
    if (!(thrown instanceof RegistryError) || thrown.code !== "frozen") throw explainSpent(thrown);
    const name = `${found.collection.name}/${found.container.name}:${tag}`;
    throw new RegistryError("frozen", `${name} is frozen, delete not allowed.`);
  }
}
