import { and, eq, type Placeholder, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import type { Action } from "../../access/policy.ts";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { preparedOnce } from "../../storage/db/client.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import {
  blobs,
  collections,
  containers,
  entities,
  images,
  tags,
  uploads,
  wantedTags,
} from "../../storage/db/schema/catalog.ts";
import { jobs } from "../../storage/db/schema/upkeep.ts";
import { authorize, mayOnCollection } from "../authorize.ts";
import type { FoundContainer } from "../catalog/containers.ts";
import { accountsText, factsOfAccounts } from "../catalog/facts.ts";
import type { Digest } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { type Progress, percent } from "../jobs.ts";
import type { ImageReference } from "../names.ts";

export type Image = typeof images.$inferSelect;

export type FoundImage = FoundContainer & {
  image: Image;
  /** Where its bytes are; null until it is published, and when they were found damaged. */
  objectKey: string | null;
  /** How far verifying is, while the bytes are there and not published yet. */
  verification: Progress | null;
  tags: string[];
};

/** A found image whose bytes were verified. They may have been found damaged since. */
export type PublishedImage = FoundImage & {
  image: { state: "published"; arch: string; sizeBytes: number; digest: Digest; publishedAt: number };
};

/** Tags of the image at hand, as a JSON array in one column. */
export const tagNames = sql<string>`(
  SELECT json_group_array(DISTINCT ${tags.name}) FROM ${tags} WHERE ${tags.imageId} = ${images.id})`.as("tag_names");

/** How far verifying an upload of the image at hand is, as a JSON object. */
export const verification = sql<string | null>`(
  SELECT json_object('doneBytes', ${jobs.doneBytes}, 'totalBytes', ${jobs.totalBytes})
  FROM ${uploads} INNER JOIN ${jobs} ON ${jobs.subject} = ${uploads.id} AND ${jobs.kind} = 'verify-upload'
  WHERE ${uploads.imageId} = ${images.id} AND ${uploads.state} = 'verifying'
  ORDER BY ${uploads.createdAt} LIMIT 1)`.as("verification");

/** The blob of the image at hand, while its bytes are good. */
export const goodBlob = and(eq(blobs.digest, images.blobDigest), eq(blobs.state, "stored"));

/**
 * Columns of a query for an image and where it stands.
 * @param accounts whose rights are the asker's: see `accountsText`
 */
export const imageColumns = (accounts: string | Placeholder) => ({
  collection: columnsOf(collections),
  entity: columnsOf(entities),
  container: columnsOf(containers),
  image: columnsOf(images),
  objectKey: sql<string | null>`${blobs.objectKey}`.as("object_key"),
  verification,
  tags: tagNames,
  facts: factsOfAccounts(accounts),
});

/**
 * The published image a reference names, by one query. A tag is looked up for the architecture asked
 * for; where none is (old clients) amd64 comes first. A digest is found whatever the architecture.
 * @throws `not-found`, also for what the actor may not see; `verifying`; `insufficient-scope`
 */
export async function resolveImage(
  ctx: Context,
  actor: Actor,
  action: Extract<Action, "collection.see" | "collection.pull" | "collection.delete-image" | "collection.manage">,
  reference: ImageReference,
  arch: string | null,
): Promise<PublishedImage> {
  const found = authorize(ctx, actor, action, await findImage(ctx, actor, reference, arch));
  if (wasPublished(found)) return found;
  throw whyNot(found);
}

/**
 * The same for whoever may be pushing it: by its digest an image of theirs is found while its bytes are
 * still to come, or to come again.
 */
export async function resolveImageForPush(
  ctx: Context,
  actor: Actor,
  reference: ImageReference,
  arch: string | null,
): Promise<FoundImage> {
  const found = authorize(ctx, actor, "collection.see", await findImage(ctx, actor, reference, arch));
  const isPushing = reference.selector.kind === "digest" && mayOnCollection(ctx, actor, "collection.push", found.facts);
  if (isPublished(found) || isPushing) return found;
  throw whyNot(found);
}

/** Why an image cannot be pulled. */
export function whyNot(found: FoundImage): RegistryError {
  const { verification } = found;
  if (wasPublished(found)) return new RegistryError("image-corrupt");
  if (verification === null) return new RegistryError("not-found");
  const message = `This image has arrived and is being verified: ${percent(verification)} % are done. Try again in a moment.`;
  return new RegistryError("verifying", message);
}

/** The query for one image whatever its state; `toFoundImage` reads its row. Nothing is decided yet. */
export function imageQuery(ctx: Context, actor: Actor, where: SQL | undefined) {
  return ctx.db
    .select(imageColumns(accountsText(actor)))
    .from(images)
    .innerJoin(containers, eq(containers.id, images.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .leftJoin(blobs, goodBlob)
    .where(where)
    .limit(1);
}

/** By its own id, for the steps of a push. Null where there is none; nothing is decided yet. */
export async function findImageById(ctx: Context, actor: Actor, id: string): Promise<FoundImage | null> {
  return toFoundImage(await imageQuery(ctx, actor, eq(images.id, id)));
}

export type ImageRow = Omit<FoundImage, "tags" | "verification"> & { tags: string; verification: string | null };

export function toFoundImage(rows: ImageRow[]): FoundImage | null {
  const [row] = rows;
  if (row === undefined) return null;
  const progress = row.verification === null ? null : (JSON.parse(row.verification) as Progress);
  return { ...row, tags: JSON.parse(row.tags) as string[], verification: progress };
}

/** Whether its bytes are there and good, so that it can be pulled and need not be pushed. */
export function isPublished(found: FoundImage): found is PublishedImage {
  return wasPublished(found) && found.objectKey !== null;
}

export function wasPublished(found: FoundImage): found is PublishedImage {
  return found.image.state === "published";
}

/** What a reference may look like; each form is a query of its own. */
type Shape = `${"by-entity" | "by-short-name"} ${"digest" | "tag" | "tag-of-arch"}`;

async function findImage(
  ctx: Context,
  actor: Actor,
  { path, selector }: ImageReference,
  arch: string | null,
): Promise<FoundImage | null> {
  const kind = selector.kind === "tag" && arch !== null ? "tag-of-arch" : selector.kind;
  const shape: Shape = `${path.entity === null ? "by-short-name" : "by-entity"} ${kind}`;
  const wanted = selector.kind === "digest" ? selector.digest : selector.tag;
  return toFoundImage(await findQuery(ctx.db, shape).all({ ...path, wanted, arch, accounts: accountsText(actor) }));
}

const asked = (name: "entity" | "collection" | "container" | "wanted" | "arch" | "accounts") => sql.placeholder(name);

const findQuery = preparedOnce((db, shape: Shape) => {
  const isShort = shape.startsWith("by-short-name");
  return db
    .select(imageColumns(asked("accounts")))
    .from(containers)
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .innerJoin(images, isNamed(shape))
    .leftJoin(blobs, goodBlob)
    .where(
      and(
        eq(isShort ? collections.shortName : collections.name, asked("collection")),
        isShort ? undefined : eq(entities.name, asked("entity")),
        eq(containers.name, asked("container")),
      ),
    )
    .prepare();
});

/** Whether an image of the container at hand is the one asked for. */
function isNamed(shape: Shape): SQL | undefined {
  if (shape.endsWith(" digest")) return and(eq(images.containerId, containers.id), eq(images.digest, asked("wanted")));
  const hasArch = shape.endsWith(" tag-of-arch");
  return sql`${images.id} = coalesce(${taggedImage(hasArch)}, ${wantedImage(hasArch)})`;
}

/** The image that a tag of the container at hand is on. */
function taggedImage(hasArch: boolean): SQL {
  const isIt = and(
    eq(tags.containerId, containers.id),
    eq(tags.name, asked("wanted")),
    hasArch ? eq(tags.arch, asked("arch")) : undefined,
  );
  return sql`(
    SELECT ${tags.imageId} FROM ${tags} WHERE ${isIt}
    ORDER BY ${tags.arch} = 'amd64' DESC, ${tags.updatedAt} DESC LIMIT 1)`;
}

/** The image that will have the tag when it is verified. */
export function wantedImage(hasArch: boolean): SQL {
  const wanted = alias(images, "wanted");
  const isIt = and(
    eq(wantedTags.name, asked("wanted")),
    eq(wanted.containerId, containers.id),
    hasArch ? sql`(${wantedTags.arch} IS NULL OR ${wantedTags.arch} = ${asked("arch")})` : undefined,
    sql`EXISTS (SELECT 1 FROM ${uploads} WHERE ${uploads.imageId} = ${wanted.id} AND ${uploads.state} = 'verifying')`,
  );
  return sql`(
    SELECT ${wanted.id} FROM ${wantedTags} INNER JOIN ${images} AS wanted ON ${wanted.id} = ${wantedTags.imageId}
    WHERE ${isIt} LIMIT 1)`;
}
