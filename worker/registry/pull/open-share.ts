import { and, eq, gt, isNull, lt, or, sql } from "drizzle-orm";
import { scopes } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardChanged } from "../../storage/db/guard.ts";
import { blobs, collections, containers, entities, images } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { shares } from "../../storage/db/schema/sharing.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { mayOnCollection } from "../authorize.ts";
import { accountsOfUser, factsOfAccounts } from "../catalog/facts.ts";
import { sha256Hex } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { teamPlaces } from "../people/team-places.ts";
import { actorOf, type Somebody } from "../people/user-actor.ts";
import { mintDownload } from "./begin-pull.ts";
import { countPull } from "./pull-counts.ts";
import { goodBlob, imageColumns, isPublished, type PublishedImage, toFoundImage } from "./resolve.ts";
import { sharedTag, shareLabel, shareUrl } from "./share-url.ts";

/** What a share's link says to whoever has it: the image, and nothing of where it stands. */
export interface SharedImage {
  url: string;
  container: string;
  tag: string | null;
  digest: string;
  arch: string;
  sizeBytes: number;
  signed: boolean;
  encrypted: boolean;
  expiresAt: number;
  /** Null for any number. */
  downloadsLeft: number | null;
}

type FoundShare = PublishedImage & { share: typeof shares.$inferSelect };

/**
 * Looks at a share, which uses nothing up. Nobody is asked who they are: what PRIVATE_ONLY and API_REQUIRE_AUTH say does
 * not matter, the collection's owner let them in.
 * @throws `share-ended` for whatever does not open any more or never did: it expired or was revoked, its downloads are
 *   used up, its image is gone, or whoever made it may not share the image any more; `image-corrupt`, `rate-limited`
 */
export async function lookAtShare(ctx: Context, secret: string): Promise<SharedImage> {
  const { share, ...found } = await findShare(ctx, secret);
  const { digest, arch, sizeBytes, signed, encrypted } = found.image;
  return {
    url: shareUrl(ctx, found, secret),
    container: found.container.name,
    tag: sharedTag(found),
    digest,
    arch,
    sizeBytes,
    signed: signed === true,
    encrypted: encrypted === true,
    expiresAt: share.expiresAt,
    downloadsLeft: share.maxDownloads === null ? null : share.maxDownloads - share.downloads,
  };
}

/**
 * Uses one download of a share: of two at once for the last one, one gets it.
 * @returns the URL that the bytes are read from, in however many ranges
 * @throws as `lookAtShare`
 */
export async function downloadShare(ctx: Context, secret: string): Promise<{ url: string }> {
  const { share, ...found } = await findShare(ctx, secret);
  // Before it is counted: what cannot be read uses nothing up.
  const url = await mintDownload(ctx, found, shareLabel(found));
  const isOpen = and(
    eq(shares.id, share.id),
    gt(shares.expiresAt, ctx.now()),
    or(isNull(shares.maxDownloads), lt(shares.downloads, shares.maxDownloads)),
  );
  await writeTogether(ctx.db, [
    ctx.db
      .update(shares)
      .set({ downloads: sql`${shares.downloads} + 1` })
      .where(isOpen),
    guardChanged(ctx.db, "share-ended"),
  ]);
  countPull(ctx, found, null);
  return { url };
}

async function findShare(ctx: Context, secret: string): Promise<FoundShare> {
  const found = /^[\w-]{43}$/.test(secret) ? await queryShare(ctx, secret) : null;
  if (found === null || !isOpenStill(ctx, found)) {
    await countMiss(ctx);
    throw new RegistryError("share-ended");
  }
  const { image, share } = found;
  if (!isPublished(image)) throw new RegistryError("image-corrupt");
  return { ...image, share };
}

async function queryShare(ctx: Context, secret: string) {
  const [row] = await ctx.db
    .select({
      ...imageColumns(""),
      facts: factsOfAccounts(accountsOfUser(shares.createdBy)),
      share: columnsOf(shares),
      user: columnsOf(users),
      teams: teamPlaces,
    })
    .from(shares)
    .innerJoin(images, eq(images.id, shares.imageId))
    .innerJoin(containers, eq(containers.id, images.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .innerJoin(users, eq(users.id, shares.createdBy))
    .leftJoin(blobs, goodBlob)
    .where(eq(shares.hash, await sha256Hex(secret)))
    .limit(1);
  if (row === undefined) return null;
  const { share, user, teams, ...rest } = row;
  const image = toFoundImage([rest]);
  return image === null ? null : { image, share, maker: { user, teams } };
}

/** A link is worth no more than the right of whoever made it is now. */
function isOpenStill(
  ctx: Context,
  { share, image, maker }: NonNullable<Awaited<ReturnType<typeof queryShare>>>,
): boolean {
  const isUsedUp = share.maxDownloads !== null && share.downloads >= share.maxDownloads;
  if (share.expiresAt <= ctx.now() || isUsedUp || image.image.state !== "published") return false;
  return mayShare(ctx, maker, image);
}

function mayShare(ctx: Context, maker: Somebody, { facts }: Pick<PublishedImage, "facts">): boolean {
  const credential = { kind: "token", id: "", scopes: new Set(scopes), collectionId: null } as const;
  try {
    // That there are new terms they have not agreed to yet is nothing to whoever has the link.
    return mayOnCollection(ctx, actorOf(ctx, maker, credential, { beforeTerms: true }), "collection.manage", facts);
  } catch (thrown) {
    if (thrown instanceof RegistryError) return false;
    throw thrown;
  }
}

/** Guesses do not find any: this keeps them from being a load. */
async function countMiss(ctx: Context): Promise<void> {
  const { address } = ctx.client;
  const isWithin =
    address === null
      ? await ctx.rateLimits.count("share misses", limits.shareMissesPerMinuteOfAll)
      : await ctx.rateLimits.count(`share misses ${address}`, limits.shareMissesPerMinute);
  if (!isWithin) throw new RegistryError("rate-limited");
}
