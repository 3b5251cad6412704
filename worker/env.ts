import { type ParsedSettings, parseSettings } from "./registry/settings.ts";

/** What the platform binds. Variables and secrets come along as strings; `settingsOf` parses them. */
export interface Env {
  DB: D1Database;
  SEARCH_DB: D1Database;
  BLOBS: R2Bucket;
  ASSETS: Fetcher;
  RATE_LIMITER: DurableObjectNamespace;
  JOB_RUNNER: DurableObjectNamespace;
}

// One parse for each environment object: an isolate keeps the same one.
const parsed = new WeakMap<Env, ParsedSettings>();

export function settingsOf(env: Env): ParsedSettings {
  const known = parsed.get(env) ?? parseSettings(variablesOf(env));
  parsed.set(env, known);
  return known;
}

function variablesOf(env: Env): Record<string, unknown> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => typeof value !== "object"));
}
