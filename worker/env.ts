import { isGiven, type ParsedSettings, parseSettings, parseWithStored } from "./registry/settings.ts";
import { readStoredSettings, type StoredSettings } from "./storage/db/stored-settings.ts";

/** What the platform binds. Variables and secrets come along as strings; `settingsOf` parses them. */
export interface Env {
  DB: D1Database;
  SEARCH_DB: D1Database;
  BLOBS: R2Bucket;
  ASSETS: Fetcher;
  RATE_LIMITER: DurableObjectNamespace;
  JOB_RUNNER: DurableObjectNamespace;
  PULL_METER: DurableObjectNamespace;
}

// One parse for each environment object, of which an isolate has one, and for each set of stored settings.
const parsed = new WeakMap<Env, ParsedSettings>();
const parsedWithStored = new WeakMap<Env, { stored: StoredSettings; settings: ParsedSettings }>();

/** What the environment alone says: for what must not ask the database. */
export function settingsOf(env: Env): ParsedSettings {
  const known = parsed.get(env) ?? parseSettings(variablesOf(env));
  parsed.set(env, known);
  return known;
}

/** The settings as they are now, with what administrators changed. */
export async function currentSettings(env: Env): Promise<ParsedSettings> {
  const fixed = settingsOf(env);
  if (!fixed.ok) return fixed;
  const stored = await readStoredSettings(env.DB, Date.now());
  const known = parsedWithStored.get(env);
  if (known?.stored === stored) return known.settings;
  const settings = stored.size === 0 ? fixed : parseWithStored(variablesOf(env), stored);
  parsedWithStored.set(env, { stored, settings });
  return settings;
}

/** Names of the variables that say something: of the settings, those that nobody changes while it runs. */
export function settingsGivenBy(env: Env): ReadonlySet<string> {
  return new Set(Object.entries(variablesOf(env)).flatMap(([name, value]) => (isGiven(value) ? [name] : [])));
}

function variablesOf(env: Env): Record<string, unknown> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => typeof value !== "object"));
}
