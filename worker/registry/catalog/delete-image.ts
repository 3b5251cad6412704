import { and, eq, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { guardAgainst } from "../../storage/db/guard.ts";
import { blobs, images, tags } from "../../storage/db/schema/catalog.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import type { ImageReference, Selector } from "../names.ts";
import { type PublishedImage, resolveImage } from "../pull/resolve.ts";
import { searchSoon } from "../search/search-soon.ts";
import { auditRow } from "../upkeep/audit.ts";
import { ensureWritable } from "./containers.ts";
import { guardOwner } from "./guard-owner.ts";

export interface Deleted {
  digest: string;
  tags: string[];
  /** Whether the image went, or only a tag of it. */
  imageDeleted: boolean;
}

/**
 * Deletes what a reference names. A tag goes, and its image with it when that was its last tag; a digest
 * takes the image and all its tags. The bytes stay until no download URL of them can be alive.
 * @throws `not-found`, `frozen`, `read-only`, and what the policy refuses
 */
export async function deleteImage(
  ctx: Context,
  actor: Actor,
  reference: ImageReference,
  arch: string | null,
): Promise<Deleted> {
  const found = await resolveImage(ctx, actor, "collection.delete-image", reference, arch);
  return await deleteFound(ctx, actor, found, reference.selector);
}

/** What a deletion must know of an image. */
type Target = Pick<PublishedImage["image"], "id" | "digest" | "arch">;

/**
 * The same for an image that was found, by an actor who was found to be allowed to.
 * @param also.images others that lose the same tag, each for its architecture
 * @param also.statements for the same batch
 * @throws `not-found`, `frozen`, `read-only`, `conflict` when the right to that ends meanwhile
 */
export async function deleteFound(
  ctx: Context,
  actor: Actor,
  found: PublishedImage,
  selector: Selector,
  also: { images: Target[]; statements: Statement[] } = { images: [], statements: [] },
): Promise<Deleted> {
  ensureWritable(found.container);
  const { image, container } = found;
  const target = `${found.entity.name}/${found.collection.name}/${container.name}`;
  const results = await writeTogether(ctx.db, [
    ...deletion(ctx, container.id, image, selector),
    ...also.images.flatMap((other) => deletion(ctx, container.id, other, selector)),
    auditRow(ctx, actor, "image.delete", target, {
      in: found.collection.id,
      detail: { digest: image.digest, reference: selector },
    }),
    // Behind what is read by its place.
    ...guardOwner(ctx, actor, found),
    ...also.statements,
  ]);
  searchSoon(ctx);
  const [, , , deletedTags, deletedImages] = results as [unknown, unknown, unknown, { name: string }[], unknown[]];
  return {
    digest: found.image.digest,
    tags: deletedTags.map((tag) => tag.name),
    imageDeleted: deletedImages.length > 0,
  };
}

type Deletion = [Statement, Statement, Statement, Statement, Statement, Statement];

function deletion(ctx: Context, containerId: string, { id, digest, arch }: Target, selector: Selector): Deletion {
  const gone =
    selector.kind === "digest"
      ? eq(tags.imageId, id)
      : and(eq(tags.containerId, containerId), eq(tags.arch, arch), eq(tags.name, selector.tag), eq(tags.imageId, id));
  const isLastTag = sql`NOT EXISTS (SELECT 1 FROM ${tags} WHERE ${eq(tags.imageId, id)})`;
  const isThere =
    selector.kind === "digest"
      ? sql`EXISTS (SELECT 1 FROM ${images} WHERE ${eq(images.id, id)})`
      : sql`EXISTS (SELECT 1 FROM ${tags} WHERE ${gone})`;
  return [
    // Of two deletions at once the second finds nothing left.
    guardAgainst(ctx.db, "not-found", sql`NOT ${isThere}`),
    guardAgainst(ctx.db, "frozen", sql`EXISTS (SELECT 1 FROM ${images} WHERE ${eq(images.id, id)} AND frozen = 1)`),
    guardAgainst(ctx.db, "frozen", sql`EXISTS (SELECT 1 FROM ${tags} WHERE ${gone} AND frozen = 1)`),
    ctx.db.delete(tags).where(gone).returning({ name: tags.name }),
    ctx.db
      .delete(images)
      .where(and(eq(images.id, id), isLastTag))
      .returning({ id: images.id }),
    noteUnreferenced(ctx, digest),
  ];
}

/** Notes when a blob lost its last image, for the upkeep that frees it later. */
export function noteUnreferenced(ctx: Context, digest: PublishedImage["image"]["digest"] | null): Statement {
  const isDigest = digest === null ? sql`1` : eq(blobs.digest, digest);
  return statement(
    ctx.db,
    sql`
    UPDATE ${blobs} SET unreferenced_at = ${ctx.now()}
    WHERE ${isDigest} AND unreferenced_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM ${images} WHERE ${images.blobDigest} = ${blobs.digest})`,
  );
}
