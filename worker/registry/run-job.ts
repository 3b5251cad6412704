import type { Context, JobId, JobOutcome } from "../context.ts";
import { describe } from "./errors.ts";
import { giveUpInspection, inspectImage } from "./inspect/inspect-image.ts";
import { beginAttempt, type Job, noteFailure, retryDelayMs } from "./jobs.ts";
import { limits } from "./limits.ts";
import { giveUpUpload, uploadOutcome, verifyUpload } from "./push/verify-upload.ts";
import { indexAll } from "./search/index-pending.ts";
import { INDEX_SEARCH } from "./search/search-soon.ts";
import { giveUpBlob, verifyBlob } from "./upkeep/verify-blobs.ts";

export interface Attempt {
  outcome: JobOutcome;
  /** When to try again while the outcome is `running`, in milliseconds. */
  retryInMs: number;
  /** Whether it must begin again when it was started once more while it was at it. */
  repeats?: boolean;
}

/**
 * One attempt at a job. What went wrong is written down and tried again later, at last given up: nothing is
 * thrown.
 */
export async function attemptJob(ctx: Context, id: JobId): Promise<Attempt> {
  if (id === INDEX_SEARCH) return await attemptIndexing(ctx);
  try {
    const job = await beginAttempt(ctx, id);
    if (job === null) return await withoutJob(ctx, id);
    // Its process went away each time, for want of time or memory: nothing was thrown that would have ended it.
    if (job.attempts > limits.jobAttempts) return { outcome: await giveUp(ctx, job), retryInMs: 0 };
    return { outcome: await doJob(ctx, job), retryInMs: 0 };
  } catch (thrown) {
    const error = describe(thrown);
    ctx.log.error("job", { id, error });
    return await tryLater(ctx, id, error).catch((again) => {
      ctx.log.error("job", { id, error: describe(again) });
      return { outcome: { state: "running" } as const, retryInMs: limits.jobStaleSeconds * 1000 };
    });
  }
}

/** What is to be indexed stands in the outbox, which grows while this runs. */
async function attemptIndexing(ctx: Context): Promise<Attempt> {
  const goOnInMs = await indexAll(ctx);
  return { outcome: { state: goOnInMs === null ? "done" : "running" }, retryInMs: goOnInMs ?? 0, repeats: true };
}

async function doJob(ctx: Context, job: Job): Promise<JobOutcome> {
  switch (job.kind) {
    case "verify-upload":
      return await verifyUpload(ctx, job.subject);
    case "verify-blob":
      return await verifyBlob(ctx, job.subject);
    case "inspect-image":
      return await inspectImage(ctx, job.subject);
    default:
      return job.kind satisfies never;
  }
}

/** What became of a job whose row is gone. An upload that waits all the same is looked at again, but seldom. */
async function withoutJob(ctx: Context, id: JobId): Promise<Attempt> {
  const [kind, subject = ""] = id.split(":");
  const outcome: JobOutcome = kind === "verify-upload" ? await uploadOutcome(ctx, subject) : { state: "done" };
  return { outcome, retryInMs: limits.jobStaleSeconds * 1000 };
}

async function tryLater(ctx: Context, id: JobId, error: string): Promise<Attempt> {
  const job = await noteFailure(ctx, id, error);
  if (job === null) return await withoutJob(ctx, id);
  if (job.attempts < limits.jobAttempts) {
    return { outcome: { state: "running" }, retryInMs: retryDelayMs(job.attempts) };
  }
  return { outcome: await giveUp(ctx, job), retryInMs: 0 };
}

async function giveUp(ctx: Context, job: Job): Promise<JobOutcome> {
  switch (job.kind) {
    case "verify-upload":
      return await giveUpUpload(ctx, job.subject);
    case "verify-blob":
      return await giveUpBlob(ctx, job);
    case "inspect-image":
      return await giveUpInspection(ctx, job);
    default:
      return job.kind satisfies never;
  }
}
