import { and, eq, type SQL, sql } from "drizzle-orm";
import { type Actor, actorUserId } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { containers, images, tags, uploads } from "../../storage/db/schema/catalog.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { guardPusher } from "../catalog/may-push.ts";
import { moveTagIfAllowed, moveWantedTags } from "../catalog/tags.ts";
import type { Digest } from "../digest.ts";
import { inspectionNeeded, startInspection } from "../inspect/inspection-job.ts";
import { stillGood } from "../people/still-good.ts";
import { inQuotaWords, quotaGuard } from "../quota.ts";
import { auditRow } from "../upkeep/audit.ts";
import type { SifFacts } from "./check-image.ts";
import type { PushTarget } from "./prepare-push.ts";
import { keepBytes } from "./publish.ts";

/** Bytes that are stored, and known by now. */
export interface KnownUpload {
  id: string;
  objectKey: string;
  sizeBytes: number;
  digest: Digest;
}

/**
 * Publishes what came in as a stream, in one batch: container and image, made if need be, the blob, and the tag.
 * The image is found by what it is, so that two who bring the same at once end with one.
 * @throws `tag-frozen`, `quota-exceeded`, `conflict` when meanwhile the upload ended, the container became read-only, or whoever sends it
 *   is not let in any more
 */
export async function publishStreamed(
  ctx: Context,
  actor: Actor,
  target: PushTarget,
  upload: KnownUpload,
  sif: SifFacts,
): Promise<void> {
  const { digest, sizeBytes } = upload;
  const now = ctx.now();
  const containerId = sql`(SELECT ${containers.id} FROM ${containers} WHERE ${and(eq(containers.collectionId, target.collection.id), eq(containers.name, target.container))})`;
  const isIt = sql`${images.containerId} = ${containerId} AND ${images.digest} = ${digest}`;
  const path = `${target.entity.name}/${target.collection.name}/${target.container}`;
  const published = { state: "published" as const, blobDigest: digest, sizeBytes, publishedAt: now, ...sif };
  const addition = { collectionId: target.collection.id, digest, sizeBytes };
  const statements: [Statement, ...Statement[]] = [
    quotaGuard(ctx, addition),
    guardAgainst(
      ctx.db,
      "conflict",
      sql`EXISTS (SELECT 1 FROM ${containers} WHERE ${containers.id} = ${containerId} AND ${containers.readOnly} = 1)`,
    ),
    ...guardPusher(ctx, actor, target.collection.id),
    ...(actor.kind === "user" ? [guardAgainst(ctx.db, "conflict", sql`NOT ${stillGood(actor)}`)] : []),
    makeContainer(ctx, actor, target),
    auditRow(ctx, actor, "container.create", path, { in: target.collection.id, when: sql`changes() > 0` }),
    makeImage(ctx, actor, containerId, digest),
    ctx.db
      .update(uploads)
      .set({
        state: "published",
        digest,
        sizeBytes,
        expiresAt: now,
        imageId: sql`(SELECT ${images.id} FROM ${images} WHERE ${isIt})`,
      })
      .where(and(eq(uploads.id, upload.id), eq(uploads.state, "open"))),
    guardChanged(ctx.db, "conflict"),
    ...keepBytes(ctx, upload, now),
    ctx.db.update(images).set({ refusedReason: null }).where(isIt),
    ctx.db
      .update(images)
      .set(published)
      .where(and(isIt, eq(images.state, "registered"))),
    statement(
      ctx.db,
      sql`
      INSERT INTO ${tags} (container_id, arch, name, image_id, updated_by, updated_at)
      SELECT ${images.containerId}, ${images.arch}, ${target.tag}, ${images.id}, ${actorUserId(actor)}, ${now}
      FROM ${images} WHERE ${isIt}
      ${moveTagIfAllowed}`,
    ),
    guardChanged(ctx.db, "tag-frozen"),
    ...moveWantedTags(ctx, { containerId, digest }),
    inspectionNeeded(ctx, isIt),
    auditRow(ctx, actor, "image.publish", path, { detail: { digest, bytes: sizeBytes }, in: target.collection.id }),
    auditRow(ctx, actor, "tag.set", `${path}:${target.tag}`, {
      detail: { arch: sif.arch, digest },
      in: target.collection.id,
    }),
    ctx.db.select({ id: images.id }).from(images).where(isIt),
  ];
  const results = await inQuotaWords(ctx, addition, () => writeTogether(ctx.db, statements));
  const [image] = results.at(-1) as { id: string }[];
  if (image !== undefined) startInspection(ctx, image.id);
}

function makeContainer(ctx: Context, actor: Actor, { collection, container }: PushTarget): Statement {
  const now = ctx.now();
  const row = { id: crypto.randomUUID(), collectionId: collection.id, name: container, createdBy: actorUserId(actor) };
  return ctx.db
    .insert(containers)
    .values({ ...row, createdAt: now, updatedAt: now })
    .onConflictDoNothing();
}

function makeImage(ctx: Context, actor: Actor, containerId: SQL, digest: Digest): Statement {
  return statement(
    ctx.db,
    sql`
    INSERT INTO ${images} (id, container_id, digest, state, created_by, created_at)
    VALUES (${crypto.randomUUID()}, ${containerId}, ${digest}, 'registered', ${actorUserId(actor)}, ${ctx.now()})
    ON CONFLICT DO NOTHING`,
  );
}
