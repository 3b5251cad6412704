import { sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import { statement } from "../../storage/db/client.ts";
import { collections, containers } from "../../storage/db/schema/catalog.ts";
import { meterReports, pullCounts } from "../../storage/db/schema/sharing.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { isDigest } from "../digest.ts";
import type { PublishedImage } from "./resolve.ts";

/*
 * A pull is one download URL that was given out, by whichever protocol or share link; what is read from it, in however
 * many ranges, is no further one. The Durable Object of the container adds them up (`durable/pull-meter.ts`).
 */

/** What a meter counted since its last report. */
export interface PullReport {
  containerId: string;
  /** Greater than that of the report before. */
  report: number;
  counts: { day: number; tag: string; arch: string; pulls: number; bytes: number }[];
}

/** Counts a pull, outside the answer. @param name the tag it was asked for by; a digest, or null, counts without one */
export function countPull(ctx: Context, { container, image }: PublishedImage, name: string | null): void {
  const tag = name === null || isDigest(name) ? "" : name;
  const pull = { containerId: container.id, tag, arch: image.arch, bytes: image.sizeBytes };
  ctx.later(ctx.meter.count(pull));
}

/**
 * Writes down a meter's report. One that was written already is not counted again: its answer was lost.
 * @returns `gone` where there is no such container any more
 */
export async function writePullReport(
  ctx: Context,
  { containerId, report, counts }: PullReport,
): Promise<"written" | "gone"> {
  const isThere = sql`EXISTS (SELECT 1 FROM ${containers} WHERE id = ${containerId})`;
  const isNew = sql`(${isThere} AND NOT EXISTS (
    SELECT 1 FROM ${meterReports} WHERE container_id = ${containerId} AND report >= ${report}))`;
  const total = counts.reduce((sum, { pulls }) => sum + pulls, 0);
  const results = await writeTogether(ctx.db, [
    statement(
      ctx.db,
      sql`
      INSERT INTO ${pullCounts} (container_id, day, tag, arch, pulls, bytes)
      SELECT ${containerId}, value ->> 'day', value ->> 'tag', value ->> 'arch', value ->> 'pulls', value ->> 'bytes'
      FROM json_each(${JSON.stringify(counts)}) WHERE ${isNew}
      ON CONFLICT DO UPDATE SET pulls = pulls + excluded.pulls, bytes = bytes + excluded.bytes`,
    ),
    statement(
      ctx.db,
      sql`
      UPDATE ${collections} SET pull_count = pull_count + ${total}
      WHERE id = (SELECT collection_id FROM ${containers} WHERE id = ${containerId}) AND ${isNew}`,
    ),
    statement(
      ctx.db,
      sql`UPDATE ${containers} SET pull_count = pull_count + ${total} WHERE id = ${containerId} AND ${isNew}`,
    ),
    statement(
      ctx.db,
      sql`
      INSERT INTO ${meterReports} (container_id, report) SELECT ${containerId}, ${report} WHERE ${isNew}
      ON CONFLICT DO UPDATE SET report = excluded.report`,
    ),
    ctx.db.select({ id: containers.id }).from(containers).where(sql`${containers.id} = ${containerId}`),
  ]);
  return (results.at(-1) as unknown[]).length === 0 ? "gone" : "written";
}
