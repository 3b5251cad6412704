import type { Context } from "../../context.ts";
import { describe } from "../errors.ts";
import { forgetUploads } from "./forget-uploads.ts";

/** What the Cron does. Each part is bounded and starts over where it stopped; one that fails does not stop the next. */
export async function runUpkeep(ctx: Context): Promise<void> {
  for (const [name, part] of Object.entries({ forgetUploads })) {
    try {
      const done = await part(ctx);
      if (done > 0) ctx.log.info("upkeep", { part: name, done });
    } catch (thrown) {
      ctx.log.error("upkeep", { part: name, error: describe(thrown) });
    }
  }
}
