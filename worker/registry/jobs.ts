import { eq, sql } from "drizzle-orm";
import type { Context, JobId } from "../context.ts";
import type { Statement } from "../storage/db/client.ts";
import { jobs } from "../storage/db/schema/upkeep.ts";
import { limits } from "./limits.ts";

/*
 * Work that follows a write. The row is written in the batch that makes the work necessary; a Durable Object
 * named after it (`durable/job-runner.ts`) does it, again and again until it is done or given up. Whatever
 * state there is stands in D1, so that a job can begin anew anywhere.
 */

export type JobKind = (typeof jobs.$inferSelect)["kind"];

export type Job = typeof jobs.$inferSelect;

/** How far a job is, as those see it who wait for it. */
export interface Progress {
  doneBytes: number;
  totalBytes: number;
}

export function jobId(kind: JobKind, subject: string): JobId {
  return `${kind}:${subject}`;
}

/** The statement that makes a job necessary. One that is there stays as it is. */
export function newJob(ctx: Context, kind: JobKind, subject: string, totalBytes: number): Statement {
  const now = ctx.now();
  return ctx.db
    .insert(jobs)
    .values({ id: jobId(kind, subject), kind, subject, totalBytes, createdAt: now, updatedAt: now })
    .onConflictDoNothing();
}

export function endJob(ctx: Context, kind: JobKind, subject: string): Statement {
  return ctx.db.delete(jobs).where(eq(jobs.id, jobId(kind, subject)));
}

/** Begins an attempt. Null when there is no such job any more. */
export async function beginAttempt(ctx: Context, id: JobId): Promise<Job | null> {
  const [job] = await ctx.db
    .update(jobs)
    .set({ attempts: sql`${jobs.attempts} + 1`, doneBytes: 0, updatedAt: ctx.now() })
    .where(eq(jobs.id, id))
    .returning();
  return job ?? null;
}

/** Says what went wrong. @returns the job; null when there is no such one any more */
export async function noteFailure(ctx: Context, id: JobId, error: string): Promise<Job | null> {
  const [job] = await ctx.db.update(jobs).set({ error, updatedAt: ctx.now() }).where(eq(jobs.id, id)).returning();
  return job ?? null;
}

/** A function that writes how far a job is, at most every few seconds, which also says that it is alive. */
export function progressWriter(ctx: Context, id: JobId): (doneBytes: number) => Promise<void> {
  let writtenAt = ctx.now();
  return async (doneBytes) => {
    const now = ctx.now();
    if (now - writtenAt < limits.jobProgressSeconds * 1000) return;
    writtenAt = now;
    await ctx.db.update(jobs).set({ doneBytes, updatedAt: now }).where(eq(jobs.id, id)).run();
  };
}

/** How long to wait before the next attempt, in milliseconds. */
export function retryDelayMs(attempts: number): number {
  const seconds = limits.jobRetryMinSeconds * 2 ** Math.max(attempts - 1, 0);
  return Math.min(seconds, limits.jobRetryMaxSeconds) * 1000;
}

export function percent({ doneBytes, totalBytes }: Progress): number {
  return totalBytes === 0 ? 0 : Math.min(Math.floor((doneBytes / totalBytes) * 100), 99);
}
