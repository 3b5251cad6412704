import { and, asc, eq, gte, lt, type SQL, sql } from "drizzle-orm";
import { anonymous } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { collections, containers, entities } from "../../storage/db/schema/catalog.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Settings } from "../settings.ts";
import { visibleTo } from "./facts.ts";

/*
 * What search engines may be told of: collections and containers that anybody may see. The list comes in parts by the
 * first digits of an id. Ids are random, so that all parts are as large as each other, and nobody needs to count.
 */

export const sitemapKinds = ["collections", "containers"] as const;
export type SitemapKind = (typeof sitemapKinds)[number];

export interface SitemapEntry {
  /** Such as `alice/tools/app`. */
  path: string;
  /** In milliseconds. */
  updatedAt: number;
}

/** Whether search engines are told of anything. */
export function hasSitemap(settings: Pick<Settings, "PRIVATE_ONLY" | "API_REQUIRE_AUTH">): boolean {
  return !settings.PRIVATE_ONLY && !settings.API_REQUIRE_AUTH;
}

/** The parts of the list: first digits of ids, none where one part is enough. @throws `not-found` where there is no list */
export async function listSitemapParts(ctx: Context): Promise<{ kind: SitemapKind; part: string }[]> {
  ensureOpen(ctx);
  // The last row's number is as many as there ever were, or more, and is known without looking at the others.
  const [last] = await ctx.db.all<Record<SitemapKind, number>>(
    sql`SELECT (SELECT coalesce(max(rowid), 0) FROM ${collections}) AS collections,
      (SELECT coalesce(max(rowid), 0) FROM ${containers}) AS containers`,
  );
  return sitemapKinds.flatMap((kind) => partsFor(last?.[kind] ?? 0).map((part) => ({ kind, part })));
}

/** @param rows how many there are at most */
export function partsFor(rows: number): string[] {
  let digits = 0;
  // Half full on the average: chance fills none of them.
  while (rows / 16 ** digits > limits.sitemapAddresses / 2 && digits < limits.sitemapDigits) digits++;
  if (digits === 0) return [""];
  return Array.from({ length: 16 ** digits }, (_, at) => at.toString(16).padStart(digits, "0"));
}

/** One part of it. @throws `not-found` where there is no list */
export async function listSitemap(ctx: Context, kind: SitemapKind, part: string): Promise<SitemapEntry[]> {
  ensureOpen(ctx);
  return kind === "containers" ? await containersIn(ctx, part) : await collectionsIn(ctx, part);
}

async function collectionsIn(ctx: Context, part: string): Promise<SitemapEntry[]> {
  const path = sql<string>`${entities.name} || '/' || ${collections.name}`;
  return await ctx.db
    .select({ path: path.as("path"), updatedAt: sql<number>`${collections.updatedAt}`.as("updated_at") })
    .from(collections)
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(and(beginsWith(collections.id, part), visibleTo(anonymous, ctx.settings)))
    .orderBy(asc(collections.id))
    .limit(limits.sitemapAddresses)
    .all();
}

async function containersIn(ctx: Context, part: string): Promise<SitemapEntry[]> {
  const path = sql<string>`${entities.name} || '/' || ${collections.name} || '/' || ${containers.name}`;
  return await ctx.db
    .select({ path: path.as("path"), updatedAt: sql<number>`${containers.updatedAt}`.as("updated_at") })
    .from(containers)
    // SQLite would begin with all public collections; a cross join is made in the order that is written.
    .crossJoin(collections)
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(
      and(
        beginsWith(containers.id, part),
        eq(collections.id, containers.collectionId),
        visibleTo(anonymous, ctx.settings),
      ),
    )
    .orderBy(asc(containers.id))
    .limit(limits.sitemapAddresses)
    .all();
}

/** Nothing in an id comes behind "f". */
function beginsWith(id: typeof collections.id | typeof containers.id, part: string): SQL | undefined {
  return and(gte(id, part), lt(id, `${part}g`));
}

function ensureOpen(ctx: Context): void {
  if (!hasSitemap(ctx.settings)) throw new RegistryError("not-found");
}
