import type { Operations } from "../api/schema.d.ts";
import { paths } from "../paths.ts";

export type Sort = NonNullable<Operations["GET /api/v1/collections"]["query"]["sort"]>;

export const sorts: readonly { sort: Sort; label: string }[] = [
  { sort: "name", label: "By name" },
  { sort: "updated", label: "Latest change" },
  { sort: "stars", label: "Most stars" },
  { sort: "pulls", label: "Most pulls" },
];

/** Which list an address asks for. */
export interface Wanted {
  sort: Sort;
  isMine: boolean;
}

/** @param search of the address; what it says that no list is sorted by counts for nothing */
export function wantedBy(search: string): Wanted {
  const query = new URLSearchParams(search);
  const { sort = "name" } = sorts.find((one) => one.sort === query.get("sort")) ?? {};
  return { sort, isMine: query.get("mine") === "1" };
}

/** The address that asks for a list. */
export function addressOf({ sort, isMine }: Wanted): string {
  const query = new URLSearchParams({ ...(isMine ? { mine: "1" } : {}), ...(sort === "name" ? {} : { sort }) });
  return query.size === 0 ? paths.collections : `${paths.collections}?${query}`;
}
