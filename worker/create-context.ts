import type { Client, Context, JobId, Log } from "./context.ts";
import type { JobRunner } from "./durable/job-runner.ts";
import type { PullMeter } from "./durable/pull-meter.ts";
import type { RateLimiter } from "./durable/rate-limiter.ts";
import { type Env, settingsGivenBy } from "./env.ts";
import { originOf } from "./origin.ts";
import { limits } from "./registry/limits.ts";
import type { Settings } from "./registry/settings.ts";
import { openDatabase } from "./storage/db/client.ts";
import { hashAddress } from "./storage/hash-address.ts";

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
    // Looked at by few requests.
    get settingsGiven() {
      return settingsGivenBy(env);
    },
    now: () => Date.now(),
    origin: () => originOf(settings, request),
    requestId,
    client: clientOf(settings, request),
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
    meter: {
      count: async (pull) => {
        const namespace = env.PULL_METER as DurableObjectNamespace<PullMeter<Env>>;
        await namespace.get(namespace.idFromName(pull.containerId)).count(pull);
      },
    },
  };
}

function clientOf(settings: Settings, request: Request | null): Client {
  const header = settings.CLIENT_ADDRESS_HEADER || "CF-Connecting-IP";
  const address = header === "none" ? null : (request?.headers.get(header)?.trim() ?? null);
  return {
    // Looked at by few requests.
    get address() {
      return address === null || address === "" ? null : hashAddress(settings, address);
    },
    userAgent: (request?.headers.get("user-agent") ?? "").slice(0, limits.userAgentLength),
  };
}

function createLog(requestId: string): Log {
  const line = (event: string, fields: Record<string, unknown> = {}) => JSON.stringify({ event, requestId, ...fields });
  return {
    info: (event, fields) => console.info(line(event, fields)),
    error: (event, fields) => console.error(line(event, fields)),
  };
}
