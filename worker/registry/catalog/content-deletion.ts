import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import { containers, images, tags } from "../../storage/db/schema/catalog.ts";
import { shares } from "../../storage/db/schema/sharing.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { FoundContainer } from "./containers.ts";
import { isLiveShare } from "./image-details.ts";

/** What deleting a container, or something in it, would take along. */
export interface ContentDeletion {
  images: number;
  /** Of the first of them. */
  digests: string[];
  /** How many references by tag break, one for each architecture. */
  tags: number;
  /** The first of them, in natural order. */
  tagNames: string[];
  /** By how much the collection gets smaller. Whether the bytes are freed depends on who else has the same content. */
  bytes: number;
  /** Share links that end. */
  shares: number;
  /** What must be settled first, in sentences. */
  obstacles: string[];
}

/** What would go: conditions over `images` and `tags`. Frozen images that only lose a tag are in the way as well. */
export interface Doomed {
  images: SQL | undefined;
  tags: SQL | undefined;
  touched: SQL | undefined;
}

/**
 * What a deletion would take along, in one call of the database, with the version that it was seen in.
 * @throws `not-found` when the container is gone meanwhile
 */
export async function describeContentDeletion(
  ctx: Context,
  { container, collection }: FoundContainer,
  doomed: Doomed,
): Promise<{ shown: ContentDeletion; tag: number }> {
  const { db } = ctx;
  // A digest stands in a container once, so that another image with it is in another container, and stays.
  // Drizzle leaves out a column's table where a query has one alone.
  const isElsewhere = sql`EXISTS (
    SELECT 1 FROM ${images} AS other INNER JOIN ${containers} ON ${containers}.id = other.container_id
    WHERE other.blob_digest = ${images}.blob_digest AND other.id <> ${images}.id
      AND ${containers}.collection_id = ${collection.id})`;
  const [versions, imageSums, digests, tagSums, tagNames, shareSums, frozen] = await db.batch([
    db.select({ version: containers.version }).from(containers).where(eq(containers.id, container.id)),
    db
      .select({
        count: sql<number>`count(*)`.as("image_count"),
        bytes: sql<number>`coalesce(sum(CASE WHEN ${isElsewhere} THEN 0 ELSE ${images.sizeBytes} END), 0)`.as("bytes"),
      })
      .from(images)
      .where(doomed.images),
    db.select({ digest: images.digest }).from(images).where(doomed.images).limit(limits.previewNames),
    db
      .select({ count: sql<number>`count(*)`, frozen: sql<number>`coalesce(sum(${tags.frozen}), 0)` })
      .from(tags)
      .where(doomed.tags),
    db
      .selectDistinct({ name: tags.name, sortKey: tags.sortKey })
      .from(tags)
      .where(doomed.tags)
      .orderBy(tags.sortKey, tags.name)
      .limit(limits.previewNames),
    db
      .select({ count: sql<number>`count(*)` })
      .from(shares)
      .innerJoin(images, eq(images.id, shares.imageId))
      .where(and(doomed.images, isLiveShare(ctx.now()))),
    db
      .select({ count: sql<number>`count(*)` })
      .from(images)
      .where(and(doomed.touched, eq(images.frozen, true))),
  ]);
  const [version] = versions;
  if (version === undefined) throw new RegistryError("not-found");
  const shown: ContentDeletion = {
    images: imageSums[0]?.count ?? 0,
    digests: digests.map(({ digest }) => digest),
    tags: tagSums[0]?.count ?? 0,
    tagNames: tagNames.map(({ name }) => name),
    bytes: imageSums[0]?.bytes ?? 0,
    shares: shareSums[0]?.count ?? 0,
    obstacles: obstaclesOf(container.readOnly, frozen[0]?.count ?? 0, tagSums[0]?.frozen ?? 0),
  };
  return { shown, tag: version.version };
}

function obstaclesOf(isReadOnly: boolean, frozenImages: number, frozenTags: number): string[] {
  return [
    ...(isReadOnly ? ["The container is read-only."] : []),
    ...(frozenImages > 0 ? [`Frozen images: ${frozenImages}. Thaw them first.`] : []),
    ...(frozenTags > 0 ? [`Frozen tags: ${frozenTags}. Thaw them first.`] : []),
  ];
}
