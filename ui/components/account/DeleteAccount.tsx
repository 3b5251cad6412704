import { createSignal, For, Show } from "solid-js";
import { createAction } from "../../action.ts";
import { ApiError, ask, askWithETag } from "../../api/client.ts";
import type { Deletion } from "../../api/schema.d.ts";
import { ProblemNote } from "../ProblemNote.tsx";
import { deletedThings } from "./deleted-things.ts";

interface Shown {
  deletion: Deletion;
  etag: string;
}

/** Deletes the account: first says what that does, and then wants the name typed. No more goes than was shown. */
export function DeleteAccount(props: { username: string; onDeleted: () => void }) {
  const [shown, setShown] = createSignal<Shown | null>(null);
  const [typed, setTyped] = createSignal("");
  const acting = createAction();
  let opener: HTMLButtonElement | undefined;
  const load = async () => {
    const { answer, etag } = await askWithETag("GET /api/v1/me/deletion");
    setShown({ deletion: answer, etag });
  };
  const cancel = () => {
    setShown(null);
    setTyped("");
    acting.forget();
    opener?.focus();
  };
  const remove = (event: SubmitEvent) => {
    event.preventDefault();
    void acting.run(async () => {
      try {
        await ask("DELETE /api/v1/me", { ifMatch: shown()?.etag ?? "" });
      } catch (error) {
        // More would go than was shown. It is shown anew, and the name wanted again.
        if (error instanceof ApiError && error.code === "precondition-failed") {
          setTyped("");
          await load();
        }
        throw error;
      }
      props.onDeleted();
    });
  };
  const isReady = () => typed() === props.username && shown()?.deletion.obstacles.length === 0;

  return (
    <section aria-labelledby="delete-account">
      <h2 id="delete-account">Delete my account</h2>
      <Show
        when={shown()}
        fallback={
          <>
            <p>First you see exactly what would be deleted, handed over and kept. Nothing happens until you confirm.</p>
            <button
              ref={opener}
              type="button"
              class="button"
              disabled={acting.isBusy()}
              onClick={() => acting.run(load)}
            >
              Show what would be deleted
            </button>
            <ProblemNote problem={acting.problem()} />
          </>
        }
      >
        {(present) => (
          <form class="form danger-zone" onSubmit={remove}>
            <DeletionShown deletion={present().deletion} />
            <Show when={present().deletion.obstacles.length === 0}>
              <div class="field">
                <label for="typed-name">
                  Type your user name, <code>{props.username}</code>
                </label>
                <input
                  id="typed-name"
                  type="text"
                  autocomplete="off"
                  autocapitalize="none"
                  spellcheck={false}
                  value={typed()}
                  onInput={(event) => setTyped(event.currentTarget.value.trim())}
                />
              </div>
            </Show>
            <ProblemNote problem={acting.problem()} />
            <div class="buttons">
              <Show when={present().deletion.obstacles.length === 0}>
                <button type="submit" class="button danger" disabled={acting.isBusy() || !isReady()}>
                  Delete my account for good
                </button>
              </Show>
              <button type="button" class="button" disabled={acting.isBusy()} onClick={cancel}>
                Keep my account
              </button>
            </div>
          </form>
        )}
      </Show>
    </section>
  );
}

function DeletionShown(props: { deletion: Deletion }) {
  return (
    <>
      <Show when={props.deletion.obstacles.length > 0}>
        <div class="problem">
          <h3>Not yet: this must be settled first</h3>
          <Sentences items={props.deletion.obstacles} />
        </div>
      </Show>
      <h3 tabindex={-1} ref={(element) => queueMicrotask(() => element.focus())}>
        Is deleted
      </h3>
      <Sentences items={deletedThings(props.deletion.deletes)} />
      <Show when={props.deletion.handsOver.length > 0}>
        <h3>Goes to somebody else</h3>
        <Sentences items={props.deletion.handsOver.map(({ what, to }) => `${what}: to ${to}`)} />
      </Show>
      <Show when={props.deletion.keeps.length > 0}>
        <h3>Stays</h3>
        <Sentences items={props.deletion.keeps} />
      </Show>
    </>
  );
}

function Sentences(props: { items: readonly string[] }) {
  return (
    <ul>
      <For each={props.items}>{(item) => <li>{item}</li>}</For>
    </ul>
  );
}
