import { RegistryError } from "./errors.ts";
import { limits } from "./limits.ts";

/** A page of a list; `next` goes into the query for the one after, and is null at the end. */
export interface Page<Row> {
  items: Row[];
  next: string | null;
}

/** Rows a query for one page asks for: one more than it shows, to know whether there are more. */
export const PAGE_ROWS = limits.pageSize + 1;

/** @param cursorOf what a row goes by in the list's order */
export function pageOf<Row>(rows: Row[], cursorOf: (row: Row) => string): Page<Row> {
  const last = rows.length > limits.pageSize ? rows[limits.pageSize - 1] : undefined;
  return { items: rows.slice(0, limits.pageSize), next: last === undefined ? null : cursorOf(last) };
}

/** Where a list goes on that is ordered by several values. */
export type Cursor = readonly (string | number)[];

export function writeCursor(values: Cursor): string {
  return Buffer.from(JSON.stringify(values)).toString("base64url");
}

/**
 * @param kinds what each value is
 * @throws `query-invalid` for what `writeCursor` never wrote in that order
 */
export function readCursor(text: string, kinds: readonly ("string" | "number")[]): Cursor {
  try {
    const values: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    const isOne = Array.isArray(values) && values.length === kinds.length;
    if (isOne && values.every((value, index) => typeof value === kinds[index])) return values as Cursor;
  } catch {
    // Answered as every other text that is none.
  }
  throw new RegistryError("query-invalid", "The query is not valid: `after` is not the `next` of a page of this list.");
}
