import { For, type JSX } from "solid-js";

/** A few numbers and words on a line. */
export function Tally(props: { items: readonly JSX.Element[] }) {
  return (
    <ul class="tally">
      <For each={props.items}>{(item) => <li>{item}</li>}</For>
    </ul>
  );
}
