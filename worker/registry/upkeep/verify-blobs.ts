import { and, asc, eq, gt, ne, sql } from "drizzle-orm";
import { type Actor, operator } from "../../access/roles.ts";
import type { Context, JobOutcome } from "../../context.ts";
import { blobs, collections, containers, entities, images, tags } from "../../storage/db/schema/catalog.ts";
import { jobs } from "../../storage/db/schema/upkeep.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { hashObject } from "../../storage/hash-object.ts";
import { authorizeOnSite } from "../authorize.ts";
import { digestHex, parseDigest } from "../digest.ts";
import { endJob, type Job, jobId, newJob, progressWriter } from "../jobs.ts";
import { limits } from "../limits.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import { auditRow } from "./audit.ts";

type Blob = typeof blobs.$inferSelect;

export interface BlobSummary extends Pick<Blob, "digest" | "sizeBytes" | "state" | "verifiedAt"> {}

/** What a check says of a blob, or how far it is. */
export type BlobCheck =
  | { state: "stored" | "deleting" | "gone" }
  /** The first names it has, as references without a host. */
  | { state: "corrupt"; images: string[] }
  | { state: "verifying"; doneBytes: number; totalBytes: number }
  | { state: "failed"; error: string };

/** Everything stored, a page at a time. `after` is the last page's `next`. */
export async function listBlobs(ctx: Context, actor: Actor, after: string | null): Promise<Page<BlobSummary>> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const rows = await ctx.db
    .select({ digest: blobs.digest, sizeBytes: blobs.sizeBytes, state: blobs.state, verifiedAt: blobs.verifiedAt })
    .from(blobs)
    .where(after === null ? undefined : gt(blobs.digest, after))
    .orderBy(asc(blobs.digest))
    .limit(PAGE_ROWS)
    .all();
  return pageOf(rows, ({ digest }) => digest);
}

/**
 * Has a stored blob read from beginning to end, and waits a while for what is found. Asked again, it goes on
 * waiting for the same reading. Upkeep may have deleted it since it was listed: then it is `gone`.
 */
export async function checkBlob(ctx: Context, actor: Actor, digestText: string): Promise<BlobCheck> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const digest = parseDigest(digestText);
  const blob = await findBlob(ctx, digest);
  if (blob === null) return { state: "gone" };
  await writeTogether(ctx.db, [newJob(ctx, "verify-blob", digest, blob.sizeBytes)]);
  const id = jobId("verify-blob", digest);
  const outcome = await ctx.jobs.run(id, limits.verifyWaitSeconds * 1000);
  if (outcome.state === "refused") return { state: "failed", error: outcome.message };
  if (outcome.state === "done") {
    const state = (await findBlob(ctx, digest))?.state ?? "gone";
    return state === "corrupt" ? { state, images: await namesOf(ctx, digest) } : { state };
  }
  const job = await ctx.db.select().from(jobs).where(eq(jobs.id, id)).get();
  return { state: "verifying", doneBytes: job?.doneBytes ?? 0, totalBytes: blob.sizeBytes };
}

/** Reads a blob, and writes down whether it still is what its digest says. Its bytes stay as they are. */
export async function verifyBlob(ctx: Context, digestText: string): Promise<JobOutcome> {
  const digest = parseDigest(digestText);
  const blob = await findBlob(ctx, digest);
  if (blob === null || blob.state === "deleting") {
    await writeTogether(ctx.db, [endJob(ctx, "verify-blob", digest)]);
    return { state: "done" };
  }
  const progress = progressWriter(ctx, jobId("verify-blob", digest));
  const sha256Hex = await hashObject(ctx.bucket, blob.objectKey, blob.sizeBytes, progress);
  const state = sha256Hex === digestHex(digest) ? "stored" : "corrupt";
  // A push may have brought other bytes, and upkeep have begun to delete these, while they were read.
  const isStillIt = and(eq(blobs.digest, digest), eq(blobs.objectKey, blob.objectKey), ne(blobs.state, "deleting"));
  await writeTogether(ctx.db, [
    ctx.db
      .update(blobs)
      .set({ state, ...(state === "stored" ? { verifiedAt: ctx.now() } : {}) })
      .where(isStillIt),
    ...(state === blob.state ? [] : [auditRow(ctx, operator, `blob.${state}`, digest, { when: sql`changes() > 0` })]),
    endJob(ctx, "verify-blob", digest),
  ]);
  return { state: "done" };
}

/** The blob stays as it is: that it could not be read says nothing of its bytes. */
export async function giveUpBlob(ctx: Context, job: Job): Promise<JobOutcome> {
  const detail = { error: job.error };
  await writeTogether(ctx.db, [
    endJob(ctx, "verify-blob", job.subject),
    auditRow(ctx, operator, "blob.unreadable", job.subject, { detail }),
  ]);
  return { state: "refused", code: "verification-failed", message: job.error ?? "It could not be read." };
}

/** By its first tag in each container, or by its digest where it has none. */
async function namesOf(ctx: Context, digest: string): Promise<string[]> {
  const selector = sql<string>`coalesce(
    (SELECT min(${tags.name}) FROM ${tags} WHERE ${eq(tags.imageId, images.id)}), ${images.digest})`;
  const rows = await ctx.db
    .select({
      name: sql<string>`${entities.name} || '/' || ${collections.name} || '/' || ${containers.name} || ':' || ${selector}`,
    })
    .from(images)
    .innerJoin(containers, eq(containers.id, images.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(eq(images.blobDigest, digest))
    .limit(limits.namesOfBlob)
    .all();
  return rows.map(({ name }) => name);
}

async function findBlob(ctx: Context, digest: string): Promise<Blob | null> {
  return (await ctx.db.select().from(blobs).where(eq(blobs.digest, digest)).get()) ?? null;
}
