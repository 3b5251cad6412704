import { createSignal } from "solid-js";
import { type Action, createAction } from "./action.ts";

interface PageOf<Item> {
  items: Item[];
  next: string | null;
}

/** A list that comes in pages, one below the other. */
export interface List<Item> {
  /** Null until the first page is there. */
  items: () => readonly Item[] | null;
  hasMore: () => boolean;
  /** Says whether it is loading, and why it could not. */
  loading: Action;
  loadMore: () => Promise<void>;
  /** From the beginning again; what is shown stays until then. */
  reload: () => Promise<void>;
}

/**
 * @param fetchPage asks for the page behind `after`, or the first
 * @param first the first page, where it came with something else
 */
export function createList<Item>(
  fetchPage: (query: { after?: string }) => Promise<PageOf<Item>>,
  first: PageOf<Item> | null = null,
): List<Item> {
  const [page, setPage] = createSignal(first);
  const loading = createAction();
  const load = (known: readonly Item[], after: string | null) =>
    loading.run(async () => {
      const { items, next } = await fetchPage(after === null ? {} : { after });
      setPage({ items: [...known, ...items], next });
    });
  const reload = () => load([], null);
  if (first === null) void reload();
  return {
    items: () => page()?.items ?? null,
    hasMore: () => page()?.next != null,
    loading,
    loadMore: () => load(page()?.items ?? [], page()?.next ?? null),
    reload,
  };
}
