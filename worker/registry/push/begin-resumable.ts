import { and, eq, gt, type SQL, sql } from "drizzle-orm";
import { type Actor, actorUserId } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { guardAgainst } from "../../storage/db/guard.ts";
import { uploads } from "../../storage/db/schema/catalog.ts";
import { authorize, mayOnCollection } from "../authorize.ts";
import { createCollection, findCollection } from "../catalog/collections.ts";
import { createContainer, ensureWritable, type FoundContainer, findContainer } from "../catalog/containers.ts";
import { getEntity } from "../catalog/entities.ts";
import { setTag } from "../catalog/tags.ts";
import { isUnderWay } from "../catalog/under-way.ts";
import type { Digest } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { limits, multipartSeconds } from "../limits.ts";
import { parseName, parseTag } from "../names.ts";
import { type FoundImage, isPublished } from "../pull/resolve.ts";
import { ensurePartsPass, openMultipartUpload, planParts } from "./multipart.ts";
import { registerImage } from "./register-image.ts";
import { ensureSizeAllowed, newUpload } from "./start-upload.ts";

/** An image as whoever brings it describes it. */
export interface NewResumable {
  entity: string;
  collection: string;
  container: string;
  digest: Digest;
  sizeBytes: number;
  tags: string[];
  description: string;
}

/**
 * Begins to bring an image in parts that may come in any order, several at once, and be gone on with after a break.
 * Makes collection and container where there are none, as a push does. Begun again, it is the same upload.
 * @returns null where nothing is to be sent: an image with this digest is there, and the actor may read it
 * @throws `name-invalid`, `tag-invalid`, `image-too-large`, `quota-exceeded`, `limit-reached`, `read-only`,
 *   `tag-frozen`, what making a collection refuses, and what the policy does
 */
export async function beginResumable(ctx: Context, actor: Actor, input: NewResumable): Promise<{ id: string } | null> {
  const tags = [...new Set(input.tags.map(parseTag))];
  ensureSizeAllowed(ctx, input.sizeBytes);
  const { container } = await haveContainer(ctx, actor, input);
  ensureWritable(container);
  const { digest, description } = input;
  const found = await registerImage(ctx, actor, { containerId: container.id, digest, description });
  for (const tag of tags) {
    await setTag(ctx, actor, { containerId: container.id, imageId: found.image.id, tag, arch: null });
  }
  if (isPublished(found)) return null;
  const begun = await findBegun(ctx, actor, found, input.sizeBytes);
  if (begun !== null) return begun;
  try {
    return await openNew(ctx, actor, found, input.sizeBytes);
  } catch (thrown) {
    // Begun twice at once.
    const other = isConflict(thrown) ? await findBegun(ctx, actor, found, input.sizeBytes) : null;
    if (other === null) throw thrown;
    return other;
  }
}

/** What is hidden and what is absent go on alike: to making it, which the policy refuses in either case. */
async function haveContainer(ctx: Context, actor: Actor, path: NewResumable): Promise<FoundContainer> {
  const names = {
    entity: parseName(path.entity),
    collection: parseName(path.collection),
    container: parseName(path.container),
  };
  const found = await findContainer(ctx, actor, names);
  if (found !== null && mayOnCollection(ctx, actor, "collection.see", found.facts)) {
    return authorize(ctx, actor, "collection.push", found);
  }
  const id = await haveCollection(ctx, actor, { entity: names.entity, name: names.collection });
  return await createContainer(ctx, actor, { in: { id }, name: names.container, description: "" });
}

async function haveCollection(ctx: Context, actor: Actor, path: { entity: string; name: string }): Promise<string> {
  const found = await findCollection(ctx, actor, path);
  if (found !== null && mayOnCollection(ctx, actor, "collection.see", found.facts)) return found.collection.id;
  const { id: entityId } = await getEntity(ctx, actor, path.entity);
  const fresh = { entityId, name: path.name, description: "", visibility: null };
  return (await createCollection(ctx, actor, fresh)).collection.id;
}

/** The same image that the actor has begun to bring, if it is still on its way. */
async function findBegun(
  ctx: Context,
  actor: Actor,
  found: FoundImage,
  sizeBytes: number,
): Promise<{ id: string } | null> {
  const where = isSame(ctx, actor, found, sizeBytes);
  const [row] = await ctx.db.select({ id: uploads.id }).from(uploads).where(where).limit(1).all();
  return row ?? null;
}

function isSame(ctx: Context, actor: Actor, { image }: FoundImage, sizeBytes: number): SQL {
  return sql`${uploads.imageId} = ${image.id} AND ${uploads.userId} = ${actorUserId(actor)}
    AND ${uploads.resumable} = 1 AND ${uploads.sizeBytes} = ${sizeBytes} AND ${isUnderWay(ctx.now())}`;
}

async function openNew(ctx: Context, actor: Actor, found: FoundImage, sizeBytes: number): Promise<{ id: string }> {
  const plan = planParts(sizeBytes, usualPartBytes(ctx));
  ensurePartsPass(ctx, plan, { isOurs: true });
  const seconds = Math.max(multipartSeconds(plan.parts), limits.resumableMinSeconds);
  const blank = {
    ...newUpload(ctx, actor, found.image, sizeBytes, seconds),
    partBytes: plan.partBytes,
    resumable: true,
  };
  const isTheirs = and(
    eq(uploads.userId, actorUserId(actor) ?? ""),
    eq(uploads.resumable, true),
    eq(uploads.state, "open"),
    gt(uploads.expiresAt, ctx.now()),
  );
  const open = sql`(SELECT count(*) FROM ${uploads} WHERE ${isTheirs})`;
  const begun = sql`EXISTS (SELECT 1 FROM ${uploads} WHERE ${isSame(ctx, actor, found, sizeBytes)})`;
  return await openMultipartUpload(ctx, found, blank, [
    guardAgainst(ctx.db, "conflict", begun),
    guardAgainst(ctx.db, "limit-reached", sql`${open} >= ${limits.openUploadsPerUser}`),
  ]);
}

/** Small enough to be sent again, and not larger than what is in front of the registry lets through. */
function usualPartBytes({ settings }: Context): number {
  const most = Math.min(settings.PART_BYTES, settings.MAX_REQUEST_BYTES ?? Number.POSITIVE_INFINITY);
  return Math.max(Math.min(limits.browserPartBytes, most), limits.partMinBytes);
}

function isConflict(thrown: unknown): boolean {
  return thrown instanceof RegistryError && thrown.code === "conflict";
}
