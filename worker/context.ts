import type { Settings } from "./registry/settings.ts";
import type { Database } from "./storage/db/client.ts";

/** What a registry function may use. Everything that is not plain computation comes in through here. */
export interface Context {
  db: Database;
  /** The search index, which is made from the other database: nothing is shown from it alone. */
  search: D1Database;
  bucket: R2Bucket;
  settings: Settings;
  /** Names of the settings that the environment gives: nobody changes those at run time. */
  settingsGiven: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** The public origin every absolute URL is made from. @throws `misdirected` where it is not known */
  origin: () => string;
  requestId: string;
  client: Client;
  log: Log;
  /** Work that must not hold up the answer. */
  later: (work: Promise<unknown>) => void;
  rateLimits: RateLimits;
  jobs: JobRuns;
  meter: Meter;
}

/** Where a request comes from. */
export interface Client {
  /** A keyed hash of the network address, 16 hexadecimal digits; null where it is not known. */
  address: string | null;
  /** As the client calls itself; empty where it does not. */
  userAgent: string;
}

/** Structured log lines. Never a credential, a query string or a body. */
export interface Log {
  info: (event: string, fields?: Record<string, unknown>) => void;
  error: (event: string, fields?: Record<string, unknown>) => void;
}

/** What the registry asks of the rate-limiter Durable Object; `create-context.ts` wires it. */
export interface RateLimits {
  /** Counts one event under a key. Answers whether it is still within so many a minute. */
  count: (key: string, perMinute: number) => Promise<boolean>;
}

/** Which job: `kind:subject`. */
export type JobId = `${string}:${string}`;

/** How a job ended, or that it has not yet. */
export type JobOutcome = { state: "done" } | { state: "refused"; code: string; message: string } | { state: "running" };

/** What the registry asks of the job-runner Durable Object; `create-context.ts` wires it. */
export interface JobRuns {
  /** Makes sure that a job is being done. */
  start: (id: JobId) => Promise<void>;
  /** The same, and waits a while for its end. */
  run: (id: JobId, waitMs: number) => Promise<JobOutcome>;
}

/** One download URL that was given out. */
export interface Pull {
  containerId: string;
  /** The tag it was asked for by; empty where it was by digest. */
  tag: string;
  arch: string;
  bytes: number;
}

/** What the registry asks of the pull-meter Durable Object; `create-context.ts` wires it. */
export interface Meter {
  /** Counts a pull. The figures show it within a minute or two. */
  count: (pull: Pull) => Promise<void>;
}
