import { DurableObject } from "cloudflare:workers";
import type { JobId, JobOutcome } from "../context.ts";
import type { Attempt } from "../registry/run-job.ts";

const ID = "job";

/**
 * Does one job, the one it is named after, in its alarm: an alarm has 15 minutes, outlives the request that
 * made the job necessary, and is called again by the platform when its process went away. What the job has
 * done so far stands in D1; this object only knows which job it is. `index.ts` says how one is attempted.
 */
export abstract class JobRunner<Env> extends DurableObject<Env> {
  #isRunning = false;
  #wasAskedAgain = false;
  #end = Promise.withResolvers<JobOutcome>();

  protected abstract attempt(id: JobId): Promise<Attempt>;

  /** Makes sure that the job is being done, now or when it is due to be tried again. */
  async start(id: JobId): Promise<void> {
    if (this.#isRunning) this.#wasAskedAgain = true;
    if (this.#isRunning || (await this.ctx.storage.getAlarm()) !== null) return;
    this.#end = Promise.withResolvers();
    await this.ctx.storage.put(ID, id);
    await this.ctx.storage.setAlarm(Date.now());
  }

  /** The same, and waits so long for its end. */
  async run(id: JobId, waitMs: number): Promise<JobOutcome> {
    await this.start(id);
    const tooLong = scheduler.wait(waitMs).then((): JobOutcome => ({ state: "running" }));
    return await Promise.race([this.#end.promise, tooLong]);
  }

  override async alarm(): Promise<void> {
    const id = await this.ctx.storage.get<JobId>(ID);
    if (id === undefined) return;
    this.#isRunning = true;
    this.#wasAskedAgain = false;
    try {
      const { outcome, retryInMs, repeats } = await this.attempt(id);
      if (outcome.state === "running") {
        await this.ctx.storage.setAlarm(Date.now() + retryInMs);
      } else if (repeats === true && this.#wasAskedAgain) {
        await this.ctx.storage.setAlarm(Date.now());
      } else {
        await this.ctx.storage.deleteAll();
        this.#end.resolve(outcome);
      }
    } finally {
      this.#isRunning = false;
    }
  }
}
