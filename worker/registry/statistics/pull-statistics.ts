import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { collections, containers, entities } from "../../storage/db/schema/catalog.ts";
import { pullCounts } from "../../storage/db/schema/sharing.ts";
import { authorize } from "../authorize.ts";
import { collectionIs } from "../catalog/collections.ts";
import { factsFor } from "../catalog/facts.ts";
import { limits } from "../limits.ts";

const DAY_MS = 86_400_000;

/** Pulls, and the size of the image for each: what was asked for, not what was read. */
export interface Pulled {
  pulls: number;
  bytes: number;
}

/** Pulls of a collection or a container within some days, as far as they have been reported. */
export interface PullStatistics {
  /** The first day that is counted, in UTC, such as `2026-11-01`. */
  since: string;
  /** Pulls since it was made. */
  allTimePulls: number;
  total: Pulled;
  /** Days without pulls are left out. */
  days: (Pulled & { day: string })[];
  /** Those that were pulled most. `tag` is null for pulls by digest and by share links. */
  tags: (Pulled & { container: string; tag: string | null })[];
  architectures: (Pulled & { arch: string })[];
}

/** What the statistics are of: a collection, or one container of it. */
export interface StatisticsPath {
  entity: string;
  name: string;
  container: string | null;
}

/** Answered by one call of the database. @throws `not-found` */
export async function pullStatistics(
  ctx: Context,
  actor: Actor,
  path: StatisticsPath,
  days: number,
): Promise<PullStatistics> {
  const { db } = ctx;
  const today = Math.floor(ctx.now() / DAY_MS);
  const since = today - days + 1;
  const within = sql`${pullCounts.containerId} IN ${containerIds(path)} AND ${pullCounts.day} >= ${since}`;
  const sums = sql`sum(${pullCounts.pulls}) AS pulls, sum(${pullCounts.bytes}) AS bytes`;
  const grouped = (columns: SQL, rest: SQL): Statement =>
    statement(db, sql`SELECT ${columns}, ${sums} FROM ${pullCounts} WHERE ${within} ${rest}`);
  const results = await db.batch([
    foundQuery(ctx, actor, path),
    grouped(sql`day`, sql`GROUP BY day ORDER BY day`),
    grouped(
      sql`(SELECT name FROM ${containers} WHERE id = container_id) AS container, nullif(tag, '') AS tag`,
      sql`GROUP BY container_id, tag ORDER BY pulls DESC, container_id, tag LIMIT ${limits.statisticsTags}`,
    ),
    grouped(sql`arch`, sql`GROUP BY arch ORDER BY pulls DESC, arch`),
  ]);
  const [found, byDay, byTag, byArch] = results as unknown as [
    FoundRow[],
    { results: (Pulled & { day: number })[] },
    { results: PullStatistics["tags"] },
    { results: PullStatistics["architectures"] },
  ];
  const { allTimePulls } = authorize(ctx, actor, "collection.see", found[0] ?? null);
  return {
    since: dateOf(since),
    allTimePulls,
    total: totalOf(byDay.results),
    days: byDay.results.map(({ day, ...pulled }) => ({ day: dateOf(day), ...pulled })),
    tags: byTag.results,
    architectures: byArch.results,
  };
}

type FoundRow = Awaited<ReturnType<typeof foundQuery>>[number];

function foundQuery(ctx: Context, actor: Actor, path: StatisticsPath) {
  const counted = path.container === null ? collections.pullCount : containers.pullCount;
  const query = ctx.db
    .select({
      collection: columnsOf(collections),
      facts: factsFor(actor),
      allTimePulls: sql<number>`${counted}`.as("all_time_pulls"),
    })
    .from(collections)
    .innerJoin(entities, sql`${entities.id} = ${collections.entityId}`);
  const inIt = sql`${containers.collectionId} = ${collections.id} AND ${containers.name} = ${path.container?.toLowerCase()}`;
  const isIt = collectionIs(path);
  return path.container === null
    ? query.where(isIt).$dynamic()
    : query.innerJoin(containers, inIt).where(isIt).$dynamic();
}

function containerIds({ entity, name, container }: StatisticsPath): SQL {
  const ofContainer = container === null ? sql`` : sql`AND containers.name = ${container.toLowerCase()}`;
  return sql`(
    SELECT containers.id FROM entities
    INNER JOIN collections ON collections.entity_id = entities.id AND collections.name = ${name.toLowerCase()}
    INNER JOIN containers ON containers.collection_id = collections.id ${ofContainer}
    WHERE entities.name = ${entity.toLowerCase()})`;
}

function totalOf(rows: readonly Pulled[]): Pulled {
  return rows.reduce((sum, { pulls, bytes }) => ({ pulls: sum.pulls + pulls, bytes: sum.bytes + bytes }), {
    pulls: 0,
    bytes: 0,
  });
}

function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
