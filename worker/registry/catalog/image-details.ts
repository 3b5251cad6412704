import { and, asc, eq, isNull, or, type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { blobs, images } from "../../storage/db/schema/catalog.ts";
import { inspections, labels } from "../../storage/db/schema/inspection.ts";
import { users } from "../../storage/db/schema/people.ts";
import { shares } from "../../storage/db/schema/sharing.ts";
import { authorize, mayOnCollection, versionFor } from "../authorize.ts";
import type { Digest } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import type { Metadata } from "../inspect/inspect-image.ts";
import type { ContainerPath } from "../names.ts";
import { goodBlob } from "../pull/resolve.ts";
import { containerIdAt, containerQuery } from "./containers.ts";
import { imageListColumns, type ListedImage, toListedImage } from "./list-images.ts";

export interface ImageDetails extends ListedImage {
  fingerprints: string[];
  /** Who pushed it, for people of the collection. */
  createdBy: string | null;
  labels: Record<string, string>;
  definition: string | null;
  /** What was read of the file; null while nothing was. */
  metadata: Metadata | null;
  /** Share links that work, for owners of the collection; null for others. */
  shares: number | null;
}

/**
 * All there is to know of an image, in one call of the database. One whose bytes were never there is for who may push.
 * @returns `version` of its container, for whoever has a right in the collection
 * @throws `not-found`, and what the policy refuses
 */
export async function getImageDetails(
  ctx: Context,
  actor: Actor,
  path: ContainerPath,
  digest: Digest,
): Promise<{ version: number | null; image: ImageDetails }> {
  const isIt = and(eq(images.containerId, containerIdAt(path)), eq(images.digest, digest));
  const [containerRows, rows, labelRows, shareRows] = await ctx.db.batch([
    containerQuery(ctx, actor, path),
    detailQuery(ctx, isIt),
    ctx.db
      .select({ key: labels.key, value: labels.value })
      .from(labels)
      .innerJoin(images, eq(images.id, labels.imageId))
      .where(isIt)
      .orderBy(asc(labels.key)),
    ctx.db
      .select({ count: sql<number>`count(*)`.as("share_count") })
      .from(shares)
      .innerJoin(images, eq(images.id, shares.imageId))
      .where(and(isIt, isLiveShare(ctx.now()))),
  ]);
  const found = authorize(ctx, actor, "collection.see", containerRows[0] ?? null);
  const [row] = rows;
  const may = (action: Parameters<typeof mayOnCollection>[2]) => mayOnCollection(ctx, actor, action, found.facts);
  if (row === undefined || (row.imageState !== "published" && !may("collection.push"))) {
    throw new RegistryError("not-found");
  }
  const { fingerprints, createdBy, definition, metadata, ...listed } = row;
  const image = {
    ...toListedImage(listed, may("collection.push")),
    fingerprints: fingerprints ?? [],
    createdBy: may("collection.see-people") ? createdBy : null,
    labels: Object.fromEntries(labelRows.map(({ key, value }) => [key, value])),
    definition,
    metadata: metadata === null ? null : (JSON.parse(metadata) as Metadata),
    shares: may("collection.manage") ? (shareRows[0]?.count ?? 0) : null,
  };
  return { version: versionFor(actor, found.facts, found.container.version), image };
}

/** A share link by which somebody may still pull. */
export function isLiveShare(now: number): SQL | undefined {
  const isLeft = or(isNull(shares.maxDownloads), sql`${shares.downloads} < ${shares.maxDownloads}`);
  return and(sql`${shares.expiresAt} > ${now}`, isLeft);
}

function detailQuery(ctx: Context, where: SQL | undefined) {
  return ctx.db
    .select({
      ...imageListColumns,
      fingerprints: images.fingerprints,
      createdBy: sql<string | null>`${users.username}`.as("created_by_name"),
      definition: inspections.definition,
      metadata: inspections.metadata,
    })
    .from(images)
    .leftJoin(blobs, goodBlob)
    .leftJoin(inspections, eq(inspections.imageId, images.id))
    .leftJoin(users, eq(users.id, images.createdBy))
    .where(where);
}
