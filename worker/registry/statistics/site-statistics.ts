import { sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { authorizeList } from "../authorize.ts";
import { visibleBranches } from "../catalog/visible-branches.ts";

/** How much there is that the actor may see, and nothing of what they may not. */
export interface SiteStatistics {
  collections: number;
  containers: number;
  images: number;
  /** Each content once in a collection. */
  bytes: number;
  pulls: number;
}

const fields = ["collections", "containers", "images", "bytes", "pulls"] as const satisfies (keyof SiteStatistics)[];

/** One call of the database, which looks at each collection that is counted. @throws `unauthenticated` */
export async function siteStatistics(ctx: Context, actor: Actor): Promise<SiteStatistics> {
  authorizeList(ctx, actor);
  const none = { collections: 0, containers: 0, images: 0, bytes: 0, pulls: 0 };
  const parts = visibleBranches(actor, ctx.settings, null).map(
    ({ from, where }) => sql`
      SELECT count(*) AS collections, sum(collections.image_count) AS images, sum(collections.size_bytes) AS bytes,
        sum(collections.pull_count) AS pulls,
        sum(collections.container_count) AS containers
      FROM ${from} WHERE ${where}`,
  );
  if (parts.length === 0) return none;
  const rows = await ctx.db.all<Record<keyof SiteStatistics, number | null>>(sql.join(parts, sql` UNION ALL `));
  return rows.reduce<SiteStatistics>(
    (sums, row) => Object.fromEntries(fields.map((field) => [field, sums[field] + (row[field] ?? 0)])) as never,
    none,
  );
}
