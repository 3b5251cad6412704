import { createSignal, Show } from "solid-js";
import { createAction } from "../../action.ts";
import { ask } from "../../api/client.ts";
import type { Collection } from "../../api/schema.d.ts";
import { counted } from "../../numbers.ts";
import { ProblemNote } from "../ProblemNote.tsx";

/** How many stars a collection has, and for who may star it a button. */
export function StarButton(props: { collection: Collection }) {
  const { entity, collection, stars, isStarred, may } = props.collection;
  const [now, setNow] = createSignal({ stars, isStarred });
  const starring = createAction();
  const path = { entity, collection };
  const toggle = () =>
    starring.run(async () => {
      const wasStarred = now().isStarred;
      if (wasStarred) await ask("DELETE /api/v1/collections/{entity}/{collection}/star", { path });
      else await ask("PUT /api/v1/collections/{entity}/{collection}/star", { path });
      setNow(({ stars: before }) => ({ stars: before + (wasStarred ? -1 : 1), isStarred: !wasStarred }));
    });
  return (
    <>
      <span role="status">{counted(now().stars, "star")}</span>
      <Show when={may.includes("star")}>
        <button
          type="button"
          class="button small star"
          aria-pressed={now().isStarred}
          disabled={starring.isBusy()}
          onClick={toggle}
        >
          {/* The state is pressed or not; the word stays. */}
          <span aria-hidden="true">{now().isStarred ? "★" : "☆"}</span> Star
        </button>
      </Show>
      <ProblemNote problem={starring.problem()} />
    </>
  );
}
