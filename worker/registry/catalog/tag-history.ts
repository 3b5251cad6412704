import { and, desc, eq, lt, type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { tagHistory } from "../../storage/db/schema/history.ts";
import { users } from "../../storage/db/schema/people.ts";
import { authorize, mayOnCollection } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import type { ContainerPath } from "../names.ts";
import { PAGE_ROWS, type Page, pageOf, readCursor, writeCursor } from "../page.ts";
import { containerIdAt, containerQuery } from "./containers.ts";

export interface TagChange {
  arch: string;
  /** What it was set on; null where it was deleted. */
  digest: string | null;
  at: number;
  /** Who set it, for people of the collection; null for others, and where nobody knows. */
  by: string | null;
}

/**
 * A page of what a tag was on, the newest first. A tag that was deleted has its history as long as its container.
 * One call of the database.
 * @throws `not-found`, also for a name that never was a tag; `query-invalid`, and what the policy refuses
 */
export async function listTagHistory(
  ctx: Context,
  actor: Actor,
  path: ContainerPath,
  { tag, after }: { tag: string; after: string | null },
): Promise<Page<TagChange>> {
  const [last] = after === null ? [] : readCursor(after, ["number"]);
  const [found, rows] = await ctx.db.batch([
    containerQuery(ctx, actor, path),
    historyQuery(ctx, and(eq(tagHistory.containerId, containerIdAt(path)), eq(tagHistory.name, tag)), last),
  ]);
  const { facts } = authorize(ctx, actor, "collection.see", found[0] ?? null);
  if (rows.length === 0 && after === null) throw new RegistryError("not-found");
  const seesPeople = mayOnCollection(ctx, actor, "collection.see-people", facts);
  const { items, next } = pageOf(rows, ({ id }) => writeCursor([id]));
  return { items: items.map(({ id: _, by, ...change }) => ({ ...change, by: seesPeople ? by : null })), next };
}

function historyQuery(ctx: Context, where: SQL | undefined, last: string | number | undefined) {
  return ctx.db
    .select({
      id: sql<number>`${tagHistory.id}`.as("change_id"),
      arch: tagHistory.arch,
      digest: tagHistory.digest,
      at: tagHistory.setAt,
      by: users.username,
    })
    .from(tagHistory)
    .leftJoin(users, eq(users.id, tagHistory.setBy))
    .where(and(where, last === undefined ? undefined : lt(tagHistory.id, Number(last))))
    .orderBy(desc(tagHistory.id))
    .limit(PAGE_ROWS);
}
