import { Show } from "solid-js";

// As the registry checks names; it lower-cases them, and the clients take lower-case ones only.
const namePattern = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

export function isUsername(text: string): boolean {
  return namePattern.test(text);
}

/** Asks for the reader's user name, which the lines below it then hold. */
export function UsernameField(props: { value: string; onChange: (value: string) => void }) {
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
        value={props.value}
        aria-invalid={isWrong()}
        aria-describedby="username-hint"
        onInput={(event) => props.onChange(event.currentTarget.value.trim().toLowerCase())}
      />
      <span id="username-hint" class="hint" classList={{ wrong: isWrong() }}>
        <Show when={isWrong()} fallback="It goes into the lines below.">
          Letters and digits, with single dots, dashes or underscores between them.
        </Show>
      </span>
    </div>
  );
}
