import { asc, eq, lt, or } from "drizzle-orm";
import type { Context, JobId } from "../../context.ts";
import { jobs } from "../../storage/db/schema/upkeep.ts";
import { describe } from "../errors.ts";
import { limits } from "../limits.ts";

/**
 * Starts again the jobs that nobody does: their process went away, or never came to begin. One that is being
 * done, or waits for its next attempt, is not disturbed: its Durable Object knows. One that was never begun
 * does not wait to become stale: a registry that was killed looks when it starts, and then only at the next Cron.
 * @returns how many
 */
export async function restartJobs(ctx: Context): Promise<number> {
  const stale = await ctx.db
    .select({ id: jobs.id })
    .from(jobs)
    .where(or(eq(jobs.attempts, 0), lt(jobs.updatedAt, ctx.now() - limits.jobStaleSeconds * 1000)))
    .orderBy(asc(jobs.updatedAt))
    .limit(limits.upkeepBatch)
    .all();
  let started = 0;
  for (const { id } of stale) {
    try {
      await ctx.jobs.start(id as JobId);
      started++;
    } catch (thrown) {
      // The others do not wait for it.
      ctx.log.error("job", { id, error: describe(thrown) });
    }
  }
  return started;
}
