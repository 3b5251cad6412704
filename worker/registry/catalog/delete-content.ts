import { and, eq, inArray, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { blobs, containers, images, tags } from "../../storage/db/schema/catalog.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize } from "../authorize.ts";
import { type Digest, parseDigest } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import type { ContainerPath } from "../names.ts";
import { searchSoon } from "../search/search-soon.ts";
import { guardAsShown, loadShown } from "../shown.ts";
import { auditRow } from "../upkeep/audit.ts";
import {
  ensureWritable,
  type FoundContainer,
  findContainer,
  guardSeen,
  guardWritable,
  targetOf,
} from "./containers.ts";
import {
  type ContentDeletion,
  type ContentFacts,
  contentFactsOf,
  type Doomed,
  describeContentDeletion,
} from "./content-deletion.ts";
import { noteUnreferenced } from "./delete-image.ts";
import { guardOwner } from "./guard-owner.ts";

/*
 * Deleting a container, an image by its digest, and a tag. Each has a preview, whose tag is of all that it says and
 * of the container's version: with that, no more is deleted than was shown. The bytes stay until no download URL of them can be alive.
 */

/** What to delete: a whole container, where nothing in it is named. */
export type Content =
  | { path: ContainerPath; digest: Digest }
  | { path: ContainerPath; tag: string; arch: string | null }
  | { path: ContainerPath };

/** What a deletion would take along. @throws `not-found`, and what the policy refuses */
export async function previewContentDeletion(
  ctx: Context,
  actor: Actor,
  content: Content,
): Promise<{ shown: ContentDeletion; tag: string }> {
  const { found, doomed, what } = await findTarget(ctx, actor, content);
  const { facts, tag } = await loadShown<ContentFacts>(ctx, contentFactsOf(ctx, found, doomed), what);
  // Gone meanwhile.
  if (facts.version === null) throw new RegistryError("not-found");
  return { shown: describeContentDeletion(facts), tag };
}

/**
 * Deletes it.
 * @param seen the tag of the preview that was shown
 * @throws `not-found`, `frozen`, `read-only`, `precondition-failed`, `conflict`, and what the policy refuses
 */
export async function deleteContent(ctx: Context, actor: Actor, content: Content, seen: string): Promise<void> {
  const { found, doomed, digests, what, audited } = await findTarget(ctx, actor, content);
  const { container, collection } = found;
  ensureWritable(container);
  const isFrozen = sql`(EXISTS (SELECT 1 FROM ${images} WHERE ${and(doomed.touched, eq(images.frozen, true))})
    OR EXISTS (SELECT 1 FROM ${tags} WHERE ${and(doomed.tags, eq(tags.frozen, true))}))`;
  await writeTogether(ctx.db, [
    ...guardSeen(ctx, container, null),
    ...(await guardAsShown(ctx, contentFactsOf(ctx, found, doomed), seen, what)),
    guardWritable(ctx, container),
    ...guardOwner(ctx, actor, found),
    guardAgainst(ctx.db, "frozen", isFrozen),
    ctx.db.delete(tags).where(doomed.tags),
    ...(digests === null ? emptyContainer(ctx, container.id) : loseImages(ctx, doomed, digests)),
    auditRow(ctx, actor, audited.action, targetOf(found), { in: collection.id, detail: audited.detail }),
  ]);
  searchSoon(ctx);
}

interface Target {
  found: FoundContainer;
  doomed: Doomed;
  /** Of images that may go; null for all of the container, and the container itself. */
  digests: string[] | null;
  /** What is meant, for the preview's tag: what it names may come to the same in two ways. */
  what: string;
  audited: { action: string; detail: Record<string, unknown> };
}

async function findTarget(ctx: Context, actor: Actor, content: Content): Promise<Target> {
  const isWhole = !("digest" in content || "tag" in content);
  const action = isWhole ? "collection.manage" : "collection.delete-image";
  const found = authorize(ctx, actor, action, await findContainer(ctx, actor, content.path));
  if ("digest" in content) return await imageTarget(ctx, found, content.digest);
  if ("tag" in content) return await tagTarget(ctx, found, content.tag, content.arch);
  const { id, imageCount } = found.container;
  const isInIt = eq(images.containerId, id);
  const doomed = {
    images: and(isInIt, eq(images.state, "published")),
    all: isInIt,
    tags: eq(tags.containerId, id),
    touched: isInIt,
  };
  const audited = { action: "container.delete", detail: { images: imageCount } };
  return { found, doomed, digests: null, what: `container ${id}`, audited };
}

async function imageTarget(ctx: Context, found: FoundContainer, digest: Digest): Promise<Target> {
  const isIt = and(eq(images.containerId, found.container.id), eq(images.digest, digest));
  const image = await ctx.db.select({ id: images.id }).from(images).where(isIt).get();
  if (image === undefined) throw new RegistryError("not-found");
  const isImage = eq(images.id, image.id);
  const audited = { action: "image.delete", detail: { digest, reference: { kind: "digest", digest } } };
  return {
    found,
    doomed: { images: isImage, all: isImage, tags: eq(tags.imageId, image.id), touched: isImage },
    digests: [digest],
    what: `image ${image.id}`,
    audited,
  };
}

/** A tag takes those images along of which it is the last one. */
async function tagTarget(ctx: Context, found: FoundContainer, tag: string, arch: string | null): Promise<Target> {
  const isTag = and(
    eq(tags.containerId, found.container.id),
    eq(tags.name, tag),
    arch === null ? undefined : eq(tags.arch, arch),
  );
  const rows = await ctx.db
    .select({ id: sql<string>`${images.id}`.as("image_id"), digest: images.digest, arch: tags.arch })
    .from(tags)
    .innerJoin(images, eq(images.id, tags.imageId))
    .where(isTag)
    .all();
  if (rows.length === 0) throw new RegistryError("not-found");
  const isOn = sql`${images.id} IN (SELECT value FROM json_each(${JSON.stringify(rows.map(({ id }) => id))}))`;
  const elsewhere = sql`EXISTS (
    SELECT 1 FROM ${tags} AS kept WHERE kept.image_id = ${images.id} AND kept.name <> ${tag})`;
  const isLast = sql`${isOn} AND NOT ${elsewhere}`;
  // The container's version is in the tag too, and counts whatever is set on it or taken away.
  const pairs = rows.map(({ id, arch: of }) => `${of} ${id}`).sort();
  const digests = rows.map(({ digest }) => digest);
  const detail = { digests, architectures: rows.map((row) => row.arch), reference: { kind: "tag", tag } };
  return {
    found,
    doomed: { images: isLast, all: isLast, tags: isTag, touched: isOn },
    digests,
    what: `tag ${JSON.stringify([tag, arch, pairs])}`,
    audited: { action: "image.delete", detail },
  };
}

/** Behind the statement that deletes their tags. */
function loseImages(ctx: Context, doomed: Doomed, digests: readonly string[]): Statement[] {
  return [
    ctx.db.delete(images).where(doomed.images),
    ...digests.map((digest) => noteUnreferenced(ctx, parseDigest(digest))),
  ];
}

function emptyContainer(ctx: Context, id: string): Statement[] {
  return [
    statement(
      ctx.db,
      sql`
      UPDATE ${blobs} SET unreferenced_at = ${ctx.now()}
      WHERE ${inArray(blobs.digest, ctx.db.select({ digest: images.blobDigest }).from(images).where(eq(images.containerId, id)))}
        AND unreferenced_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM ${images} AS other WHERE other.blob_digest = ${blobs.digest} AND other.container_id <> ${id})`,
    ),
    ctx.db.delete(images).where(eq(images.containerId, id)),
    ctx.db.delete(containers).where(eq(containers.id, id)),
    guardChanged(ctx.db, "not-found"),
  ];
}
