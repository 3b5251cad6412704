import type { Context, JobId, Log } from "./context.ts";
import type { JobRunner } from "./durable/job-runner.ts";
import type { RateLimiter } from "./durable/rate-limiter.ts";
import type { Env } from "./env.ts";
import { originOf } from "./origin.ts";
import type { Settings } from "./registry/settings.ts";
import { openDatabase } from "./storage/db/client.ts";

/** Wires one request (or one Cron run or job, without a request) to the platform. */
export function createContext(
  env: Env,
  settings: Settings,
  request: Request | null,
  execution: Pick<ExecutionContext, "waitUntil">,
): Context {
  const requestId = crypto.randomUUID();
  const log = createLog(requestId);
  const jobRunner = (id: JobId) => {
    const namespace = env.JOB_RUNNER as DurableObjectNamespace<JobRunner<Env>>;
    return namespace.get(namespace.idFromName(id));
  };
  return {
    db: openDatabase(env.DB),
    search: env.SEARCH_DB,
    bucket: env.BLOBS,
    settings,
    now: () => Date.now(),
    origin: () => originOf(settings, request),
    requestId,
    log,
    later: (work) => execution.waitUntil(work.catch((thrown) => log.error("later", { error: String(thrown) }))),
    rateLimits: {
      count: async (key, perMinute) => {
        const namespace = env.RATE_LIMITER as DurableObjectNamespace<RateLimiter>;
        return await namespace.get(namespace.idFromName(key)).count(perMinute);
      },
    },
    jobs: {
      start: async (id) => await jobRunner(id).start(id),
      run: async (id, waitMs) => await jobRunner(id).run(id, waitMs),
    },
  };
}

function createLog(requestId: string): Log {
  const line = (event: string, fields: Record<string, unknown> = {}) => JSON.stringify({ event, requestId, ...fields });
  return {
    info: (event, fields) => console.info(line(event, fields)),
    error: (event, fields) => console.error(line(event, fields)),
  };
}
