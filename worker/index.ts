import { app } from "./app.ts";
import type { JobId } from "./context.ts";
import { createContext } from "./create-context.ts";
import { JobRunner as AbstractJobRunner } from "./durable/job-runner.ts";
import { PullMeter as AbstractPullMeter } from "./durable/pull-meter.ts";
import { currentSettings, type Env, settingsOf } from "./env.ts";
import { type PullReport, writePullReport } from "./registry/pull/pull-counts.ts";
import { attemptJob } from "./registry/run-job.ts";
import { runUpkeep } from "./registry/upkeep/run-upkeep.ts";

export { RateLimiter } from "./durable/rate-limiter.ts";

/** Does a job with a context like that of a request. */
export class JobRunner extends AbstractJobRunner<Env> {
  protected override async attempt(id: JobId) {
    const parsed = await currentSettings(this.env);
    if (!parsed.ok) throw new Error(parsed.problems.join("; "));
    return await attemptJob(createContext(this.env, parsed.settings, null, this.ctx), id);
  }
}

/** Writes its reports with a context like that of a request. */
export class PullMeter extends AbstractPullMeter<Env> {
  protected override async write(report: PullReport) {
    const parsed = settingsOf(this.env);
    if (!parsed.ok) throw new Error(parsed.problems.join("; "));
    return await writePullReport(createContext(this.env, parsed.settings, null, this.ctx), report);
  }
}

export default {
  fetch: app.fetch,
  async scheduled(_event, env, execution) {
    const parsed = await currentSettings(env);
    if (parsed.ok) await runUpkeep(createContext(env, parsed.settings, null, execution));
  },
} satisfies ExportedHandler<Env>;
