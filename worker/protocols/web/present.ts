import type { Page } from "../../registry/page.ts";

/** What all parts of the JSON API say in one way. */

export function presentPage<Row, Item>({ items, next }: Page<Row>, present: (row: Row) => Item): Page<Item> {
  return { items: items.map(present), next };
}

export function timeOf(at: number): string {
  return new Date(at).toISOString();
}

export function timeOrNull(at: number | null): string | null {
  return at === null ? null : timeOf(at);
}
