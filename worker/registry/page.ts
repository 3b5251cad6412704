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
