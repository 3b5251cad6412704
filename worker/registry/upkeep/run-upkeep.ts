import type { Context } from "../../context.ts";
import { describe } from "../errors.ts";
import { limits } from "../limits.ts";
import { resumeIndexing } from "../search/index-pending.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { forgetExpired } from "./forget-expired.ts";
import { forgetUploads } from "./forget-uploads.ts";
import { restartJobs } from "./restart-jobs.ts";

type Part = (ctx: Context) => Promise<number>;

const parts: Record<string, Part> = {
  restartJobs,
  resumeIndexing,
  forgetUploads: untilDone(forgetUploads),
  forgetSignatures: untilDone((ctx) => forgetExpired(ctx, "signatures")),
  forgetSessions: untilDone((ctx) => forgetExpired(ctx, "sessions")),
  forgetLoginLinks: untilDone((ctx) => forgetExpired(ctx, "loginLinks")),
  forgetShares: untilDone((ctx) => forgetExpired(ctx, "shares")),
  forgetHandOvers: untilDone((ctx) => forgetExpired(ctx, "handOvers")),
  forgetInvitations: untilDone((ctx) => forgetExpired(ctx, "invitations")),
  collectGarbage: untilDone(collectGarbage),
};

/** What the Cron does. Each part is bounded and starts over where it stopped; one that fails does not stop the next. */
export async function runUpkeep(ctx: Context): Promise<void> {
  for (const [name, part] of Object.entries(parts)) {
    try {
      const done = await part(ctx);
      if (done > 0) ctx.log.info("upkeep", { part: name, done });
    } catch (thrown) {
      ctx.log.error("upkeep", { part: name, error: describe(thrown) });
    }
  }
}

/** Repeats what does a batch at a time, so that it keeps up, within bounds. */
function untilDone(part: Part): Part {
  return async (ctx) => {
    let done = 0;
    for (let round = 0; round < limits.upkeepRounds; round++) {
      const count = await part(ctx);
      done += count;
      if (count < limits.upkeepBatch) break;
    }
    return done;
  };
}
