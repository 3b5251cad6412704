import { For, Show } from "solid-js";

/** A container's topics. `of` tells them from another container's on the page. */
export function Topics(props: { topics: readonly string[]; of?: string }) {
  return (
    <Show when={props.topics.length > 0}>
      <ul class="topics" aria-label={props.of === undefined ? "Topics" : `Topics of ${props.of}`}>
        <For each={props.topics}>{(topic) => <li class="tag">{topic}</li>}</For>
      </ul>
    </Show>
  );
}
