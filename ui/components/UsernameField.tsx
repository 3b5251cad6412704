import { Show } from "solid-js";

// As the registry checks names; it lower-cases them, and the clients take lower-case ones only.
const namePattern = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/** The registry takes no longer ones. */
const MAX_LENGTH = 80;

export function isUsername(text: string): boolean {
  return text.length <= MAX_LENGTH && namePattern.test(text);
}

interface UsernameFieldProps {
  value: string;
  onChange: (value: string) => void;
  /** What it is for. "It goes into the lines below." unless said otherwise. */
  hint?: string;
  isRequired?: boolean;
}

/** Asks for the reader's user name, and says at once what cannot be one. */
export function UsernameField(props: UsernameFieldProps) {
  const isWrong = () => props.value !== "" && !isUsername(props.value);
  return (
    <div class="field">
      <label for="username">Your user name</label>
      <input
        id="username"
        type="text"
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        placeholder="alice"
        required={props.isRequired === true}
        value={props.value}
        aria-invalid={isWrong()}
        aria-describedby="username-hint"
        onInput={(event) => props.onChange(event.currentTarget.value.trim().toLowerCase())}
      />
      <span id="username-hint" class="hint" classList={{ wrong: isWrong() }}>
        <Show when={isWrong()} fallback={props.hint ?? "It goes into the lines below."}>
          Letters and digits, with single dots, dashes or underscores between them.
        </Show>
      </span>
    </div>
  );
}
