import { Show } from "solid-js";
import type { List } from "../list.ts";
import { ProblemNote } from "./ProblemNote.tsx";

/** Below a list: that it is coming, that there is nothing in it, that it could not be loaded, or more of it. */
export function ListStatus(props: { list: List<unknown>; empty: string }) {
  const list = () => props.list;
  return (
    <>
      <Show when={list().items() === null && list().loading.problem() === null}>
        <p class="loading">Loading …</p>
      </Show>
      <Show when={list().items()?.length === 0}>
        <p class="muted">{props.empty}</p>
      </Show>
      <ProblemNote problem={list().loading.problem()} />
      <Show when={list().loading.problem() !== null}>
        <button type="button" class="button" disabled={list().loading.isBusy()} onClick={() => list().reload()}>
          Retry
        </button>
      </Show>
      <Show when={list().hasMore()}>
        <button type="button" class="button" disabled={list().loading.isBusy()} onClick={() => list().loadMore()}>
          Show more
        </button>
      </Show>
    </>
  );
}
