import { and, asc, eq, gt, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { collections, containers, entities, images } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { shares } from "../../storage/db/schema/sharing.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeList } from "../authorize.ts";
import { targetOf } from "../catalog/containers.ts";
import { isWithin, visibleTo } from "../catalog/facts.ts";
import { type Digest, sha256Hex } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { downloadSeconds, limits } from "../limits.ts";
import type { ContainerPath } from "../names.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import { guardStillGood } from "../people/still-good.ts";
import { asUser } from "../people/user-actor.ts";
import { auditRow } from "../upkeep/audit.ts";
import { type PublishedImage, resolveImage } from "./resolve.ts";
import { shareUrl } from "./share-url.ts";

/*
 * Links by which whoever has one pulls one image, without an account. What they open is in open-share.ts.
 */

/** A share link, without what could be used as one. Times are milliseconds. */
export interface Share {
  id: string;
  note: string;
  /** A username. */
  createdBy: string;
  createdAt: number;
  expiresAt: number;
  downloads: number;
  /** Null for any number. */
  maxDownloads: number | null;
}

/** A share with the image it is of. */
export interface OwnShare extends Omit<Share, "createdBy"> {
  entity: string;
  collection: string;
  container: string;
  digest: string;
}

export interface ImagePath {
  path: ContainerPath;
  digest: Digest;
}

/**
 * Makes a link to one image. It is in the answer and nowhere else: only its SHA-256 is kept.
 * @throws `limit-reached`, `image-corrupt`, `not-found`, `misdirected`, and what the policy refuses
 */
export async function makeShare(
  ctx: Context,
  actor: Actor,
  image: ImagePath,
  input: { days: number; maxDownloads: number | null; note: string },
): Promise<{ share: Share; url: string }> {
  const maker = asUser(actor);
  const found = await findManaged(ctx, actor, image);
  if (found.objectKey === null) throw new RegistryError("image-corrupt");
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(limits.secretRandomBytes))).toString("base64url");
  const url = shareUrl(ctx, found, secret);
  const now = ctx.now();
  const { maxDownloads, note } = input;
  const expiresAt = now + input.days * 86_400_000;
  const id = crypto.randomUUID();
  const made = { id, note, createdAt: now, expiresAt, maxDownloads };
  const ofImage = sql`(SELECT count(*) FROM ${shares} WHERE image_id = ${found.image.id} AND expires_at > ${now})`;
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "limit-reached", sql`${ofImage} >= ${limits.sharesPerImage}`),
    ...guardStillGood(ctx, actor),
    ctx.db
      .insert(shares)
      .values({ ...made, hash: await sha256Hex(secret), imageId: found.image.id, createdBy: maker.userId }),
    auditRow(ctx, actor, "share.make", targetOf(found), {
      detail: { id, digest: found.image.digest, expiresAt: new Date(expiresAt).toISOString(), maxDownloads },
      in: found.collection.id,
    }),
  ]);
  return { share: { ...made, createdBy: maker.username, downloads: 0 }, url };
}

/** A page of an image's shares, whoever made them. @throws `not-found`, and what the policy refuses */
export async function listShares(
  ctx: Context,
  actor: Actor,
  image: ImagePath,
  after: string | null,
): Promise<Page<Share>> {
  const found = await findManaged(ctx, actor, image);
  const rows = await ctx.db
    .select({ ...shareColumns, createdBy: sql<string>`${users.username}`.as("username") })
    .from(shares)
    .innerJoin(users, eq(users.id, shares.createdBy))
    .where(and(eq(shares.imageId, found.image.id), after === null ? undefined : gt(shares.id, after)))
    .orderBy(asc(shares.id))
    .limit(PAGE_ROWS)
    .all();
  return pageOf(rows, ({ id }) => id);
}

/**
 * Ends a share at once. Download URLs that it gave out live on for a while.
 * @returns when the last of them ends at the latest, in milliseconds
 * @throws `not-found`, and what the policy refuses
 */
export async function revokeShare(
  ctx: Context,
  actor: Actor,
  image: ImagePath,
  id: string,
): Promise<{ urlsEndBy: number }> {
  const found = await findManaged(ctx, actor, image);
  await writeTogether(ctx.db, [
    ctx.db.delete(shares).where(and(eq(shares.id, id), eq(shares.imageId, found.image.id))),
    guardChanged(ctx.db, "not-found"),
    auditRow(ctx, actor, "share.revoke", targetOf(found), {
      detail: { id, digest: found.image.digest },
      in: found.collection.id,
    }),
  ]);
  return { urlsEndBy: ctx.now() + downloadSeconds(found.image.sizeBytes) * 1000 };
}

/** A page of the shares one made oneself, but for those of what one may not see any more: they have ended. */
export async function listOwnShares(ctx: Context, actor: Actor, after: string | null): Promise<Page<OwnShare>> {
  const { userId } = asUser(actor);
  authorizeList(ctx, actor);
  const rows = await ctx.db
    .select({
      ...shareColumns,
      entity: sql<string>`${entities.name}`.as("entity_name"),
      collection: sql<string>`${collections.name}`.as("collection_name"),
      container: sql<string>`${containers.name}`.as("container_name"),
      digest: sql<string>`${images.digest}`.as("digest"),
    })
    .from(shares)
    .innerJoin(images, eq(images.id, shares.imageId))
    .innerJoin(containers, eq(containers.id, images.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(
      and(
        eq(shares.createdBy, userId),
        after === null ? undefined : gt(shares.id, after),
        visibleTo(actor, ctx.settings),
        isWithin(actor, sql`${collections.id}`),
      ),
    )
    .orderBy(asc(shares.id))
    .limit(PAGE_ROWS)
    .all();
  return pageOf(rows, ({ id }) => id);
}

const shareColumns = {
  id: sql<string>`${shares.id}`.as("share_id"),
  note: shares.note,
  createdAt: sql<number>`${shares.createdAt}`.as("share_created_at"),
  expiresAt: shares.expiresAt,
  downloads: shares.downloads,
  maxDownloads: shares.maxDownloads,
};

async function findManaged(ctx: Context, actor: Actor, { path, digest }: ImagePath): Promise<PublishedImage> {
  return await resolveImage(ctx, actor, "collection.manage", { path, selector: { kind: "digest", digest } }, null);
}
