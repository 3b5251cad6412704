import { createSignal, For, onCleanup } from "solid-js";

/** How long the button says what it did. */
const OUTCOME_MS = 2_500;

/** What the button says, and what is said to people who cannot see it change. */
interface Outcome {
  shown: string;
  spoken: string;
}

const copied: Outcome = { shown: "Copied", spoken: "Copied" };
const selected: Outcome = { shown: "Ctrl+C", spoken: "The lines are selected: press Control and C to copy them" };

/** Lines for a shell, or with `isText` some text, and a button that copies it. `label` says which it is. */
export function CopyBlock(props: { label: string; lines: readonly string[]; isText?: boolean }) {
  const [outcome, setOutcome] = createSignal<Outcome | null>(null);
  let code: HTMLElement | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));

  const copy = async () => {
    setOutcome(await copyText(props.lines.join("\n"), code));
    clearTimeout(timer);
    timer = setTimeout(() => setOutcome(null), OUTCOME_MS);
  };

  return (
    <section class="copy-block" classList={{ text: props.isText === true }} aria-label={props.label}>
      <pre>
        <code ref={code}>
          <For each={props.lines}>{(line) => <Line text={line} />}</For>
        </code>
      </pre>
      <button type="button" class="copy-button" onClick={copy}>
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

/** Browsers give pages the clipboard on https and on loopback only; elsewhere the lines are selected instead. */
async function copyText(text: string, shown: HTMLElement | undefined): Promise<Outcome> {
  try {
    await navigator.clipboard.writeText(text);
    return copied;
  } catch {
    if (shown !== undefined) getSelection()?.selectAllChildren(shown);
    return selected;
  }
}
