import { and, desc, eq, sql } from "drizzle-orm";
import { type Actor, actorUserId } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { blobs, collections, containers, entities, images } from "../../storage/db/schema/catalog.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize, mayOnCollection } from "../authorize.ts";
import { ensureWritable, findContainer, targetOf } from "../catalog/containers.ts";
import { factsFor, visibleTo } from "../catalog/facts.ts";
import { guardPusher } from "../catalog/may-push.ts";
import { moveWantedTags } from "../catalog/tags.ts";
import type { Digest } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { inspectionNeeded, startInspection } from "../inspect/inspection-job.ts";
import { type FoundImage, imageQuery, isPublished, toFoundImage } from "../pull/resolve.ts";
import { inQuotaWords, quotaGuard } from "../quota.ts";
import { auditRow } from "../upkeep/audit.ts";

/**
 * Registers an image in a container before its bytes come; one that is there is answered as it is. Where
 * the actor may already read an image with that digest, nothing needs to be uploaded: it is published at
 * once. To everybody else the digest says nothing, whether we hold its bytes or not.
 * @throws `read-only`, `quota-exceeded`, `conflict` when the right to push ends meanwhile, and what the policy refuses
 */
export async function registerImage(
  ctx: Context,
  actor: Actor,
  input: { containerId: string; digest: Digest; description: string },
): Promise<FoundImage> {
  const found = await findContainer(ctx, actor, { id: input.containerId });
  const target = authorize(ctx, actor, "collection.push", found);
  const { container } = target;
  ensureWritable(container);
  const twin = await findReadableTwin(ctx, actor, input.digest);
  const id = crypto.randomUUID();
  const now = ctx.now();
  const registered = {
    id,
    containerId: container.id,
    digest: input.digest,
    state: "registered" as const,
    description: input.description,
    createdBy: actorUserId(actor),
    createdAt: now,
  };
  const isIt = and(eq(images.containerId, container.id), eq(images.digest, input.digest));
  const addition = { collectionId: target.collection.id, digest: input.digest, sizeBytes: twin?.sizeBytes ?? 0 };
  const statements: [Statement, ...Statement[]] = [
    ctx.db.insert(images).values(registered).onConflictDoNothing(),
    ...guardPusher(ctx, actor, target.collection.id),
    ...(twin === null ? [] : [quotaGuard(ctx, addition)]),
    publishLike(ctx, twin?.id ?? null, container.id, now),
    auditRow(ctx, actor, "image.publish", targetOf(target), {
      detail: { digest: input.digest, from: twin?.id ?? null },
      in: target.collection.id,
      when: sql`changes() > 0`,
    }),
    ...moveWantedTags(ctx, { containerId: container.id, digest: input.digest }),
    inspectionNeeded(ctx, isIt),
    imageQuery(ctx, actor, isIt),
  ];
  const results = await inQuotaWords(ctx, addition, () => writeTogether(ctx.db, statements));
  const image = toFoundImage(results.at(-1) as Parameters<typeof toFoundImage>[0]);
  if (image === null) throw new RegistryError("conflict");
  if (twin !== null && isPublished(image)) startInspection(ctx, image.image.id);
  return image;
}

/** A published image with this digest that the actor may read, anywhere in the registry. */
async function findReadableTwin(
  ctx: Context,
  actor: Actor,
  digest: Digest,
): Promise<{ id: string; sizeBytes: number } | null> {
  const rows = await ctx.db
    .select({ id: images.id, sizeBytes: blobs.sizeBytes, facts: factsFor(actor) })
    .from(images)
    .innerJoin(blobs, and(eq(blobs.digest, images.blobDigest), eq(blobs.state, "stored")))
    .innerJoin(containers, eq(containers.id, images.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(and(eq(images.blobDigest, digest), eq(images.state, "published"), visibleTo(actor, ctx.settings)))
    .orderBy(desc(images.publishedAt))
    .limit(1)
    .all();
  return rows.find((row) => mayOnCollection(ctx, actor, "collection.pull", row.facts)) ?? null;
}

/** Publishes the image of this digest in a container from one that is published elsewhere, if there is one. */
function publishLike(ctx: Context, twinId: string | null, containerId: string, now: number) {
  return statement(
    ctx.db,
    sql`
    UPDATE ${images}
    SET state = 'published', blob_digest = twin.digest, arch = twin.arch, size_bytes = twin.size_bytes,
      signed = twin.signed, encrypted = twin.encrypted, fingerprints = twin.fingerprints, published_at = ${now}
    FROM (SELECT * FROM ${images} WHERE id = ${twinId} AND state = 'published') AS twin
    WHERE ${images.containerId} = ${containerId} AND ${images.digest} = twin.digest AND ${images.state} = 'registered'`,
  );
}
