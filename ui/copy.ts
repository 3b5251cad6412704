import { createSignal, onCleanup } from "solid-js";

/** How long a button says what it did. */
const OUTCOME_MS = 2_500;

/** What the button says, and what is said to people who cannot see it change. */
interface Outcome {
  shown: string;
  spoken: string;
}

const copied: Outcome = { shown: "Copied", spoken: "Copied" };
const selected: Outcome = { shown: "Ctrl+C", spoken: "The text is selected: press Control and C to copy it" };

/** Copying some text, and for a moment what became of it. */
export interface Copying {
  outcome: () => Outcome | null;
  /** @param shown where the text stands whole, to be selected where it cannot be copied */
  copy: (text: string, shown: HTMLElement | undefined) => Promise<void>;
}

export function createCopying(): Copying {
  const [outcome, setOutcome] = createSignal<Outcome | null>(null);
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));
  const copy: Copying["copy"] = async (text, shown) => {
    setOutcome(await copyText(text, shown));
    clearTimeout(timer);
    timer = setTimeout(() => setOutcome(null), OUTCOME_MS);
  };
  return { outcome, copy };
}

/** Browsers give pages the clipboard on https and on loopback only; elsewhere the text is selected instead. */
async function copyText(text: string, shown: HTMLElement | undefined): Promise<Outcome> {
  try {
    await navigator.clipboard.writeText(text);
    return copied;
  } catch {
    if (shown !== undefined) getSelection()?.selectAllChildren(shown);
    return selected;
  }
}
