import { and, desc, eq, lt } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { audit } from "../../storage/db/schema/upkeep.ts";
import { authorize } from "../authorize.ts";
import { PAGE_ROWS, type Page, pageOf, readCursor, writeCursor } from "../page.ts";
import { type CollectionPath, findCollection } from "./collections.ts";

/** Something that was done in a collection. `at` is in milliseconds. */
export interface Act {
  at: number;
  actor: string;
  action: string;
  target: string;
  detail: Record<string, unknown> | null;
}

/** What its readers may know of an act's details. Of a pipeline's, a share's or an offer's they see that there was something. */
const told = new Set([
  "arch",
  "bytes",
  "digest",
  "reason",
  "reference",
  "readOnly",
  "role",
  "shortName",
  "to",
  "topic",
  "username",
  "visibility",
]);
const untold = /^(?:publisher\.|share\.|collection\.offer$)/;

/** A page of what was done in a collection, the newest first, for whoever has a right in it. @throws `not-found`, and what the policy refuses */
export async function listActivity(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  after: string | null,
): Promise<Page<Act>> {
  const found = authorize(ctx, actor, "collection.see-people", await findCollection(ctx, actor, path));
  const before = after === null ? null : Number(readCursor(after, ["number"])[0]);
  const rows = await ctx.db
    .select({
      id: audit.id,
      at: audit.at,
      actor: audit.actor,
      action: audit.action,
      target: audit.target,
      detail: audit.detail,
    })
    .from(audit)
    .where(and(eq(audit.collectionId, found.collection.id), before === null ? undefined : lt(audit.id, before)))
    .orderBy(desc(audit.id))
    .limit(PAGE_ROWS)
    .all();
  const { items, next } = pageOf(rows, ({ id }) => writeCursor([id]));
  return { items: items.map(({ id: _, detail, ...act }) => ({ ...act, detail: tellable(act.action, detail) })), next };
}

function tellable(action: string, detail: Record<string, unknown> | null): Act["detail"] {
  if (detail === null || untold.test(action)) return null;
  return Object.fromEntries(Object.entries(detail).filter(([key]) => told.has(key)));
}
