import { createSignal, type JSX, Show } from "solid-js";
import { createAction } from "../action.ts";
import { ProblemNote } from "./ProblemNote.tsx";

interface ConfirmButtonProps {
  label: string;
  /** Names what it is about to those who do not see where the button stands. */
  subject: string;
  /** What will happen, as a question or a sentence. */
  question: JSX.Element;
  /** Says on the second button what it does. */
  confirmLabel: string;
  onConfirm: () => Promise<void>;
}

/** A button for what cannot be undone: it asks first, in its own place. */
export function ConfirmButton(props: ConfirmButtonProps) {
  const [isAsking, setAsking] = createSignal(false);
  const action = createAction();
  let opener: HTMLButtonElement | undefined;
  const keep = () => {
    setAsking(false);
    action.forget();
    opener?.focus();
  };
  const confirm = () =>
    action.run(async () => {
      await props.onConfirm();
      setAsking(false);
    });

  return (
    <Show
      when={isAsking()}
      fallback={
        <button ref={opener} type="button" class="button small" onClick={() => setAsking(true)}>
          {props.label}
          <span class="visually-hidden"> {props.subject}</span>
        </button>
      }
    >
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields; these are two buttons and a question. */}
      <div
        class="confirm"
        role="group"
        aria-label={`${props.label} ${props.subject}`}
        onKeyDown={(event) => event.key === "Escape" && !action.isBusy() && keep()}
      >
        <p>{props.question}</p>
        <div class="buttons">
          <button type="button" class="button small danger" disabled={action.isBusy()} onClick={confirm}>
            {props.confirmLabel}
          </button>
          <button
            type="button"
            class="button small"
            disabled={action.isBusy()}
            onClick={keep}
            ref={(button) => queueMicrotask(() => button.focus())}
          >
            Cancel
          </button>
        </div>
        <ProblemNote problem={action.problem()} />
      </div>
    </Show>
  );
}
