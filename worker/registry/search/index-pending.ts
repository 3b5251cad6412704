import { eq, type SQL, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { containers, images } from "../../storage/db/schema/catalog.ts";
import { searchOutbox } from "../../storage/db/schema/search.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { describe } from "../errors.ts";
import { limits } from "../limits.ts";
import type { DocumentKind } from "./facts.ts";
import { type Document, isOneOf, loadDocuments, type Subjects } from "./load-documents.ts";
import { INDEX_SEARCH } from "./search-soon.ts";

type Pending = typeof searchOutbox.$inferSelect;

/**
 * Indexes what changed, a bounded number of things: their documents as they are now, none for those that are gone.
 * Index and outbox are written one after the other, so a crash in between does it once more. Only one may run at a
 * time, or an older document could come after a newer one: the Durable Object `INDEX_SEARCH` sees to that.
 * @returns how many were pending
 */
export async function indexPending(ctx: Context): Promise<number> {
  const pending = await ctx.db.select().from(searchOutbox).limit(limits.searchIndexBatch).all();
  if (pending.length === 0) return 0;
  const subjects = subjectsOf(pending);
  if (Object.values(subjects).some((ids) => ids.length > 0)) {
    await writeDocuments(ctx, subjects, await loadDocuments(ctx, subjects));
  }
  await writeTogether(ctx.db, [forget(ctx, pending), ...fanOut(ctx, pending)]);
  return pending.length;
}

/**
 * One run of the Durable Object: all that is pending, within bounds. Throws nothing.
 * @returns milliseconds after which to go on; null when all is done
 */
export async function indexAll(ctx: Context): Promise<number | null> {
  try {
    for (let round = 0; round < limits.upkeepRounds; round++) {
      if ((await indexPending(ctx)) < limits.searchIndexBatch && (await isNothingPending(ctx))) return null;
    }
    return 0;
  } catch (thrown) {
    ctx.log.error("index-search", { error: describe(thrown) });
    return limits.searchRetrySeconds * 1000;
  }
}

/** The safety net: has indexed what somebody forgot to, or could not. @returns how many things at least */
export async function resumeIndexing(ctx: Context): Promise<number> {
  if (await isNothingPending(ctx)) return 0;
  await ctx.jobs.start(INDEX_SEARCH);
  return 1;
}

export async function isNothingPending(ctx: Context): Promise<boolean> {
  return (await ctx.db.select({ kind: searchOutbox.kind }).from(searchOutbox).limit(1).all()).length === 0;
}

function subjectsOf(pending: readonly Pending[]): Subjects {
  const of = (kind: DocumentKind) => pending.filter((row) => row.kind === kind).map((row) => row.subject);
  return { entity: of("entity"), collection: of("collection"), container: of("container"), image: of("image") };
}

/** Replaces the documents of these things, in one call. A new one gets a new id: the newest are found first. */
async function writeDocuments(ctx: Context, subjects: Subjects, documents: readonly Document[]): Promise<void> {
  const { search } = ctx;
  const keys = Object.entries(subjects).flatMap(([kind, ids]) => ids.map((subject) => ({ kind, subject })));
  const theirs = `SELECT documents.id FROM json_each(?1) AS each CROSS JOIN documents
    ON documents.kind = each.value ->> 'kind' AND documents.subject = each.value ->> 'subject'`;
  const replaced = JSON.stringify(keys);
  await search.batch([
    search.prepare(`DELETE FROM document_text WHERE rowid IN (${theirs})`).bind(replaced),
    search.prepare(`DELETE FROM documents WHERE id IN (${theirs})`).bind(replaced),
    ...chunksOf(documents).flatMap((chunk) => [
      search
        .prepare(
          `INSERT INTO documents (kind, subject)
           SELECT each.value ->> 'kind', each.value ->> 'subject' FROM json_each(?1) AS each`,
        )
        .bind(JSON.stringify(chunk.map(({ kind, subject }) => ({ kind, subject })))),
      search.prepare(insertTexts).bind(JSON.stringify(chunk)),
    ]),
  ]);
}

const columns = ["names", "parts", "description", "topics", "labels", "definition", "facts"] as const;

const insertTexts = `INSERT INTO document_text (rowid, ${columns.join(", ")})
  SELECT documents.id, ${columns.map((name) => `each.value ->> '${name}'`).join(", ")}
  FROM json_each(?1) AS each CROSS JOIN documents
  ON documents.kind = each.value ->> 'kind' AND documents.subject = each.value ->> 'subject'`;

/** So many at once as one parameter holds. */
function chunksOf(documents: readonly Document[]): Document[][] {
  const chunks: Document[][] = [];
  let room = 0;
  for (const document of documents) {
    const length = JSON.stringify(document).length;
    if (length > room) {
      chunks.push([]);
      room = limits.searchIndexParameter;
    }
    chunks.at(-1)?.push(document);
    room -= length;
  }
  return chunks;
}

/** What is in a collection or container becomes pending itself, in the batch that forgets the row that stood for it. */
function fanOut(ctx: Context, pending: readonly Pending[]): Statement[] {
  const of = (kind: Pending["kind"]) => pending.filter((row) => row.kind === kind).map((row) => row.subject);
  const [inCollections, inContainers] = [of("in-collection"), of("in-container")];
  const inThem = isOneOf(containers.collectionId, inCollections);
  return [
    ...(inCollections.length === 0
      ? []
      : [
          enqueue(ctx, "container", sql`SELECT ${containers.id} AS id FROM ${containers} WHERE ${inThem}`),
          enqueue(
            ctx,
            "image",
            sql`SELECT ${images.id} AS id FROM ${containers} INNER JOIN ${images} ON ${eq(images.containerId, containers.id)}
              WHERE ${inThem} AND ${images.state} = 'published'`,
          ),
        ]),
    ...(inContainers.length === 0
      ? []
      : [
          enqueue(
            ctx,
            "image",
            sql`SELECT ${images.id} AS id FROM ${images}
              WHERE ${isOneOf(images.containerId, inContainers)} AND ${images.state} = 'published'`,
          ),
        ]),
  ];
}

/** The statement that makes things pending. @param ids a query with one column, `id` */
export function enqueue(ctx: Context, kind: DocumentKind, ids: SQL): Statement {
  return statement(
    ctx.db,
    sql`
    INSERT INTO ${searchOutbox} (kind, subject, version)
    SELECT ${kind}, id, abs(random() % 9007199254740991) FROM (${ids}) WHERE true
    ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version`,
  );
}

/** But for what changed since it was read. */
function forget(ctx: Context, pending: readonly Pending[]): Statement {
  return statement(
    ctx.db,
    sql`
    DELETE FROM ${searchOutbox} WHERE rowid IN (
      SELECT seen.rowid FROM json_each(${JSON.stringify(pending)}) AS each CROSS JOIN ${searchOutbox} AS seen
      ON seen.kind = each.value ->> 'kind' AND seen.subject = each.value ->> 'subject'
        AND seen.version = each.value ->> 'version')`,
  );
}
