import { type SQL, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { images } from "../../storage/db/schema/catalog.ts";
import { inspections } from "../../storage/db/schema/inspection.ts";
import { jobs } from "../../storage/db/schema/upkeep.ts";
import { jobId } from "../jobs.ts";

/** The version of what reads images. Raise it when it reads more: `npm run admin -- inspect --all` does the rest again. */
export const READER = 1;

/**
 * The statement, for the batch that publishes an image, that has its metadata read. Nothing happens where it is
 * not published, or was read already: bytes that heal an image are the same bytes.
 */
export function inspectionNeeded(ctx: Context, isImage: SQL | undefined): Statement {
  const now = ctx.now();
  return statement(
    ctx.db,
    sql`
    INSERT INTO ${jobs} (id, kind, subject, total_bytes, created_at, updated_at)
    SELECT ${"inspect-image:"} || ${images.id}, 'inspect-image', ${images.id}, 0, ${now}, ${now}
    FROM ${images}
    WHERE ${isImage} AND ${images.state} = 'published' AND NOT EXISTS (
      SELECT 1 FROM ${inspections}
      WHERE ${inspections.imageId} = ${images.id} AND ${inspections.state} = 'done' AND ${inspections.reader} = ${READER})
    ON CONFLICT DO NOTHING`,
  );
}

/** Begins it outside the answer. Should that fail, Cron does it. */
export function startInspection(ctx: Context, imageId: string): void {
  ctx.later(ctx.jobs.start(jobId("inspect-image", imageId)));
}
