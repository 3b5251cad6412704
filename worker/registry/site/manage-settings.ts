import { eq, type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { guardChanged } from "../../storage/db/guard.ts";
import { settings } from "../../storage/db/schema/upkeep.ts";
import { forgetStoredSettings } from "../../storage/db/stored-settings.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnSite } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import type { DescribedVariable } from "../providers.ts";
import type { Definition, Group } from "../setting-kinds.ts";
import { isGiven, runTimeDefinition, type SettingName, settingDefinitions } from "../settings.ts";
import { auditRow } from "../upkeep/audit.ts";

type StoredSetting = typeof settings.$inferSelect;

/** A setting as an administrator sees it. */
export interface SettingState {
  name: string;
  group: Group | "sign-in";
  allowed: string;
  meaning: string;
  default: string;
  /** What counts, as it is written; null where it is unset, or a secret. */
  value: string | null;
  isSet: boolean;
  source: "environment" | "database" | "default";
  isEditable: boolean;
  /** Of what is stored, for If-Match; 0 where nothing is. */
  version: number;
  updatedBy: string | null;
  updatedAt: number | null;
}

/** Every setting, in the order of the documentation; of identity providers those of the ones that are set up. */
export async function listSettings(ctx: Context, actor: Actor): Promise<SettingState[]> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const rows = await ctx.db.select().from(settings).all();
  const stored = new Map(rows.map((row) => [row.name, row]));
  const own = definitions().map(([name, definition]) => stateOf(ctx, name, definition, stored.get(name)));
  return [...own, ...ctx.settings.providerVariables.map(stateOfProvider)];
}

/** @throws `not-found` */
export async function getSetting(ctx: Context, actor: Actor, name: string): Promise<SettingState> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  return await readSetting(ctx, name);
}

/**
 * Sets a value for the whole registry; a blank one goes back to the default. It counts everywhere within
 * `limits.settingsCacheSeconds`.
 * @param change.version the state that is changed; null for whichever it is
 * @throws `not-found`, `setting-locked`, `setting-invalid`, `precondition-failed`, `conflict`
 */
export async function changeSetting(
  ctx: Context,
  actor: Actor,
  change: { name: string; value: string; version: number | null },
): Promise<SettingState> {
  const { name, value } = change;
  if (!isGiven(value)) return await resetSetting(ctx, actor, change);
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const before = await readEditable(ctx, change);
  const parsed = runTimeDefinition(name)?.parse.safeParse(value);
  if (parsed?.success !== true) {
    const reasons = parsed?.error.issues.map(({ message }) => message) ?? [];
    throw new RegistryError("setting-invalid", `${name} ${reasons.join(", ")}.`);
  }
  const now = ctx.now();
  const updatedBy = actor.kind === "user" ? actor.username : actor.kind;
  // The first version is a time, so that what was reset and set again is never taken for what it was before.
  const write = statement(
    ctx.db,
    sql`
    INSERT INTO ${settings} (name, value, version, updated_by, updated_at)
    SELECT ${name}, ${value.trim()}, ${now}, ${updatedBy}, ${now} WHERE ${isStill(before)}
    ON CONFLICT (name) DO UPDATE
    SET value = excluded.value, version = ${settings.version} + 1, updated_by = excluded.updated_by, updated_at = excluded.updated_at`,
  );
  const detail = { from: before.value, to: value.trim() };
  return await writeSetting(ctx, change, write, auditRow(ctx, actor, "setting.change", name, { detail }));
}

/**
 * Goes back to a setting's default. One that was never changed stays as it is.
 * @throws `not-found`, `setting-locked`, `precondition-failed`, `conflict`
 */
export async function resetSetting(
  ctx: Context,
  actor: Actor,
  change: { name: string; version: number | null },
): Promise<SettingState> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const before = await readEditable(ctx, change);
  if (before.version === 0) return before;
  const write = statement(ctx.db, sql`DELETE FROM ${settings} WHERE name = ${change.name} AND ${isStill(before)}`);
  const detail = { from: before.value };
  return await writeSetting(ctx, change, write, auditRow(ctx, actor, "setting.reset", change.name, { detail }));
}

async function writeSetting(
  ctx: Context,
  { name, version }: { name: string; version: number | null },
  write: Statement,
  record: Statement,
): Promise<SettingState> {
  // Without a version somebody was only faster: whoever asks again gets through.
  const guard = guardChanged(ctx.db, version === null ? "conflict" : "precondition-failed");
  const query = ctx.db.select().from(settings).where(eq(settings.name, name));
  const results = await writeTogether(ctx.db, [write, guard, record, query]);
  forgetStoredSettings();
  const [row] = results.at(-1) as StoredSetting[];
  return stateOf(ctx, name, definitionOf(name), row);
}

/** Whether what is stored is what was read. */
function isStill({ name, version }: SettingState): SQL {
  return sql`coalesce((SELECT s.version FROM ${settings} AS s WHERE s.name = ${name}), 0) = ${version}`;
}

async function readSetting(ctx: Context, name: string): Promise<SettingState> {
  const ofProvider = ctx.settings.providerVariables.find((variable) => variable.name === name);
  if (ofProvider !== undefined) return stateOfProvider(ofProvider);
  const definition = definitionOf(name);
  const row = await ctx.db.select().from(settings).where(eq(settings.name, name)).get();
  return stateOf(ctx, name, definition, row);
}

async function readEditable(
  ctx: Context,
  { name, version }: { name: string; version: number | null },
): Promise<SettingState> {
  const before = await readSetting(ctx, name);
  if (runTimeDefinition(name) === null) {
    throw new RegistryError("setting-locked", `${name} belongs to the registry's deployment, and is changed there.`);
  }
  if (!before.isEditable) throw new RegistryError("setting-locked");
  if (version !== null && version !== before.version) throw new RegistryError("precondition-failed");
  return before;
}

/** The environment goes before what is stored, and that before the default; what is not allowed any more says nothing. */
function stateOf(
  ctx: Context,
  name: string,
  definition: Definition<unknown>,
  row: StoredSetting | undefined,
): SettingState {
  const { group, type, meaning, defaultText, parse } = definition;
  const isFixed = ctx.settingsGiven.has(name);
  const isRunTime = runTimeDefinition(name) !== null;
  const stored = isRunTime && isGiven(row?.value) ? parse.safeParse(row?.value) : null;
  const source = isFixed ? "environment" : stored?.success === true ? "database" : "default";
  const value = {
    environment: () => ctx.settings[name as SettingName],
    database: () => stored?.data,
    default: () => parse.parse(undefined),
  }[source]();
  return {
    name,
    group,
    allowed: type,
    meaning,
    default: defaultText,
    value: group === "secrets" ? null : writtenOf(value, type),
    isSet: source !== "default",
    source,
    isEditable: isRunTime && !isFixed,
    version: row?.version ?? 0,
    updatedBy: row?.updatedBy ?? null,
    updatedAt: row?.updatedAt ?? null,
  };
}

/** What the environment says of an identity provider: it belongs to the deployment, as it comes with a secret. */
function stateOfProvider(variable: DescribedVariable): SettingState {
  const { name, allowed, meaning, value, isSet } = variable;
  return {
    name,
    group: "sign-in",
    allowed,
    meaning,
    default: variable.default,
    value,
    isSet,
    source: isSet ? "environment" : "default",
    isEditable: false,
    version: 0,
    updatedBy: null,
    updatedAt: null,
  };
}

/** A value as it is written into the environment. */
function writtenOf(value: unknown, type: string): string | null {
  if (value === null) return type.includes("`unlimited`") ? "unlimited" : null;
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** @throws `not-found` */
function definitionOf(name: string): Definition<unknown> {
  const found = definitions().find(([known]) => known === name);
  if (found === undefined) throw new RegistryError("not-found", "There is no such setting.");
  return found[1];
}

function definitions(): [string, Definition<unknown>][] {
  return Object.entries(settingDefinitions);
}
