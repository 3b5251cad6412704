import { limits } from "../../registry/limits.ts";
import { openDatabase } from "./client.ts";
import { settings } from "./schema/upkeep.ts";

/** What administrators set, by name. */
export type StoredSettings = ReadonlyMap<string, string>;

// One for the isolate: it has one database. Tests of one file share theirs too.
let known: { stored: StoredSettings; until: number } | null = null;

/**
 * The settings in the database, read again when those at hand are too old. So a request costs no query for them, and
 * a change counts everywhere within some seconds. Where they cannot be read the request fails: what was allowed may
 * not be any more.
 */
export async function readStoredSettings(d1: D1Database, now: number): Promise<StoredSettings> {
  if (known !== null && now < known.until) return known.stored;
  const rows = await openDatabase(d1).select({ name: settings.name, value: settings.value }).from(settings).all();
  const stored = new Map(rows.map(({ name, value }) => [name, value]));
  known = { stored, until: now + limits.settingsCacheSeconds * 1000 };
  return stored;
}

/** For after a change: whoever made it sees it at once. */
export function forgetStoredSettings(): void {
  known = null;
}
