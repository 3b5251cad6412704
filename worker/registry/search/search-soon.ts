import type { Context, JobId } from "../../context.ts";

/** Its Durable Object is the only one that writes the index. It has no row in `jobs`: its state is the outbox. */
export const INDEX_SEARCH: JobId = "index-search:outbox";

/**
 * Has what just changed indexed, outside the answer. For every function that writes what can be found; should it be
 * forgotten, or fail, Cron does it.
 */
export function searchSoon(ctx: Context): void {
  ctx.later(ctx.jobs.start(INDEX_SEARCH));
}
