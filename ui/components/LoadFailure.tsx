import { Show } from "solid-js";
import type { ApiError } from "../api/client.ts";

/** Says why there is nothing to show, and lets the reader try again. */
export function LoadFailure(props: { problem: ApiError; onRetry: () => void }) {
  return (
    <section class="failure" role="alert">
      <h1>This page could not be loaded</h1>
      <p>{props.problem.message}</p>
      <Show when={props.problem.help !== ""}>
        <p>{props.problem.help}</p>
      </Show>
      <button type="button" class="button" onClick={() => props.onRetry()}>
        Retry
      </button>
    </section>
  );
}
