import { type SQL, sql } from "drizzle-orm";
import type { Context } from "../context.ts";
import type { Statement } from "../storage/db/client.ts";
import { guardAgainst } from "../storage/db/guard.ts";
import { sha256Hex } from "./digest.ts";
import { RegistryError } from "./errors.ts";

/*
 * What somebody is shown before an act that takes things away. The database makes it, as one JSON text: the text's hash
 * is the preview's ETag, and the act's own batch holds the text against what is there then. So the act does no more than
 * was shown, whatever happens between.
 */

/** What was shown, or would be now. */
export interface Shown<Facts> {
  facts: Facts;
  /** The same state is the same text. */
  text: string;
  /** Names this state. */
  tag: string;
}

/**
 * One query.
 * @param expression all that the act takes away, as one JSON text; null where the thing itself is gone
 * @param about what else was decided upon, and which thing is meant where the text does not say: goes into the tag
 * @throws `not-found`
 */
export async function loadShown<Facts>(ctx: Context, expression: SQL, about = ""): Promise<Shown<Facts>> {
  const { text } = await ctx.db.get<{ text: string | null }>(sql`SELECT ${expression} AS text`);
  if (text === null) throw new RegistryError("not-found");
  return { facts: JSON.parse(text) as Facts, text, tag: (await sha256Hex(`${about}${text}`)).slice(0, 32) };
}

/**
 * @param seen the tag of the preview; null where nobody looked first, which only the operator's commands may
 * @throws `precondition-failed`
 */
export function ensureSeen({ tag }: Pick<Shown<unknown>, "tag">, seen: string | null): void {
  if (seen !== null && seen !== tag) throw new RegistryError("precondition-failed");
}

/** For the act's batch, before it changes anything. @throws (the batch) `precondition-failed` */
export function guardShown(ctx: Context, expression: SQL, { text }: Pick<Shown<unknown>, "text">): Statement {
  return guardAgainst(ctx.db, "precondition-failed", sql`${expression} IS NOT ${text}`);
}

/**
 * Both for an act that needs nothing else of what was shown. One query.
 * @returns in a list, because to await a statement is to run it
 * @throws `precondition-failed`, and so does the batch
 */
export async function guardAsShown(ctx: Context, expression: SQL, seen: string, about = ""): Promise<[Statement]> {
  const shown = await loadShown(ctx, expression, about);
  ensureSeen(shown, seen);
  return [guardShown(ctx, expression, shown)];
}

/** How many rows there are, and which is the last: one that comes after makes another mark, whatever went meanwhile. */
export interface Mark {
  count: number;
  last: string | null;
}

/**
 * An expression for a mark of the rows of a table. It names one by its place in the table and its id: places are used
 * again, ids are not.
 */
export function markOf(table: SQL, id: SQL, where: SQL): SQL {
  return sql`(SELECT json_object('count', count(*), 'last', max(${table}.rowid) || '/' || ${id}) FROM ${table} WHERE ${where})`;
}
