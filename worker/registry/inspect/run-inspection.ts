import { and, asc, eq, gt, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { collections, containers, entities, images } from "../../storage/db/schema/catalog.ts";
import { inspections } from "../../storage/db/schema/inspection.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnSite } from "../authorize.ts";
import { jobId, newJob } from "../jobs.ts";
import { limits } from "../limits.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import { READER } from "./inspection-job.ts";

export interface InspectionSummary {
  imageId: string;
  /** Without a host: entity/collection/container:digest. */
  image: string;
  /** `old`: by an earlier version of the reader. */
  state: "done" | "failed" | "old" | "absent";
  error: string | null;
}

/** What became of reading an image that was asked for. */
export type InspectionResult = { state: "done" | "gone" | "running" } | { state: "failed"; error: string };

/** Every published image and what is known of its metadata, a page at a time. `after` is the last page's `next`. */
export async function listInspections(
  ctx: Context,
  actor: Actor,
  after: string | null,
): Promise<Page<InspectionSummary>> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const rows = await ctx.db
    .select({
      imageId: sql<string>`${images.id}`.as("image_id"),
      image: sql<string>`${entities.name} || '/' || ${collections.name} || '/' || ${containers.name} || ':' || ${images.digest}`,
      state: sql<InspectionSummary["state"]>`CASE
        WHEN ${inspections.state} IS NULL THEN 'absent' WHEN ${inspections.reader} < ${READER} THEN 'old'
        ELSE ${inspections.state} END`.as("inspection"),
      error: inspections.error,
    })
    .from(images)
    .innerJoin(containers, eq(containers.id, images.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .leftJoin(inspections, eq(inspections.imageId, images.id))
    .where(and(eq(images.state, "published"), after === null ? undefined : gt(images.id, after)))
    .orderBy(asc(images.id))
    .limit(PAGE_ROWS)
    .all();
  return pageOf(rows, ({ imageId }) => imageId);
}

/**
 * Has an image's metadata read, again if it was read before, and waits a while for that. Asked again meanwhile,
 * it goes on waiting for the same reading.
 */
export async function runInspection(ctx: Context, actor: Actor, imageId: string): Promise<InspectionResult> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const image = await ctx.db.select({ id: images.id }).from(images).where(eq(images.id, imageId)).get();
  if (image === undefined) return { state: "gone" };
  await writeTogether(ctx.db, [newJob(ctx, "inspect-image", imageId, 0)]);
  const outcome = await ctx.jobs.run(jobId("inspect-image", imageId), limits.verifyWaitSeconds * 1000);
  if (outcome.state === "running") return { state: "running" };
  // From the row: the reading may have ended before this came to wait for it.
  const row = await ctx.db
    .select({ error: inspections.error })
    .from(inspections)
    .where(eq(inspections.imageId, imageId))
    .get();
  if (row === undefined) return { state: "gone" };
  return row.error === null ? { state: "done" } : { state: "failed", error: row.error };
}
