import { asc, gt, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { collections, containers, entities, images } from "../../storage/db/schema/catalog.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnSite } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { enqueue, isNothingPending } from "./index-pending.ts";
import { INDEX_SEARCH } from "./search-soon.ts";

const tables = { entity: entities, collection: collections, container: containers, image: images } as const;
const kinds = ["entity", "collection", "container", "image"] as const;

/** Everything is pending or indexed. */
const END = "end";

export interface RebuildStep {
  /** Goes into the next step; null when all is indexed. */
  next: string | null;
  /** How many documents the index holds. */
  documents: number;
}

/**
 * One step of making the search index anew from the main database. The first empties it; the following make a page
 * of things pending, oldest first, and wait a while for their being indexed. Meanwhile searches find what is
 * indexed so far. It can be begun again at any time.
 * @param after the last step's `next`; null for the first
 * @throws `body-invalid` for an `after` that is none, and what the policy refuses
 */
export async function rebuildSearch(ctx: Context, actor: Actor, after: string | null): Promise<RebuildStep> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  let next = after === null ? await emptyIndex(ctx) : await enqueuePage(ctx, after);
  if (after !== null) await ctx.jobs.run(INDEX_SEARCH, limits.verifyWaitSeconds * 1000);
  if (next === END && (await isNothingPending(ctx))) next = null;
  const counted = await ctx.search
    .prepare("SELECT count(*) AS documents FROM documents")
    .first<{ documents: number }>();
  return { next, documents: counted?.documents ?? 0 };
}

async function emptyIndex({ search }: Context): Promise<string> {
  await search.batch([
    search.prepare("INSERT INTO document_text (document_text) VALUES ('delete-all')"),
    search.prepare("DELETE FROM documents"),
  ]);
  return cursor("entity", 0);
}

/** Rows go by the order in which they were written, so that the newest are indexed last and found first. */
async function enqueuePage(ctx: Context, after: string): Promise<string | null> {
  if (after === END) return END;
  const [, name = "", start = ""] = /^([a-z]+):(\d{1,15})$/.exec(after) ?? [];
  const kind = kinds.find((known) => known === name);
  if (kind === undefined) throw new RegistryError("body-invalid");
  const table = tables[kind];
  const rowid = sql<number>`rowid`;
  const rows = await ctx.db
    .select({ rowid: rowid.as("row_number") })
    .from(table)
    .where(gt(rowid, Number(start)))
    .orderBy(asc(rowid))
    .limit(limits.searchRebuildPage)
    .all();
  const last = rows.at(-1)?.rowid;
  if (last !== undefined) {
    const page = sql`SELECT id FROM ${table} WHERE rowid > ${Number(start)} AND rowid <= ${last} ORDER BY rowid`;
    await writeTogether(ctx.db, [enqueue(ctx, kind, page)]);
  }
  if (rows.length === limits.searchRebuildPage && last !== undefined) return cursor(kind, last);
  const following = kinds[kinds.indexOf(kind) + 1];
  return following === undefined ? END : cursor(following, 0);
}

function cursor(kind: (typeof kinds)[number], rowid: number): string {
  return `${kind}:${rowid}`;
}
