import { For } from "solid-js";
import { createCopying } from "../copy.ts";

/** Lines for a shell, or with `isText` some text, and a button that copies it. `label` says which it is. */
export function CopyBlock(props: { label: string; lines: readonly string[]; isText?: boolean }) {
  const { outcome, copy } = createCopying();
  let code: HTMLElement | undefined;
  return (
    <section class="copy-block" classList={{ text: props.isText === true }} aria-label={props.label}>
      <pre>
        <code ref={code}>
          <For each={props.lines}>{(line) => <Line text={line} />}</For>
        </code>
      </pre>
      <button type="button" class="copy-button" onClick={() => copy(props.lines.join("\n"), code)}>
        <span aria-hidden="true">{outcome()?.shown ?? "Copy"}</span>
        <span class="visually-hidden">
          {props.isText === true ? "Copy:" : "Copy the lines:"} {props.label}
        </span>
      </button>
      <span class="visually-hidden" role="status">
        {outcome()?.spoken}
      </span>
    </section>
  );
}

function Line(props: { text: string }) {
  const words = () => props.text.split(" ");
  return (
    <span class="line">
      <For each={words()}>
        {(word, index) => (
          <>
            <span class="word">{word}</span>
            {index() < words().length - 1 ? " " : "\n"}
          </>
        )}
      </For>
    </span>
  );
}
