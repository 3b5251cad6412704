import { Show } from "solid-js";
import type { ApiError } from "../api/client.ts";
import { leadingOn, paths } from "../paths.ts";

/** Says beside what was done why it did not work, and the way out. */
export function ProblemNote(props: { problem: ApiError | null }) {
  const needsSignIn = (code: string | null) =>
    code === "unauthenticated" || code === "invalid-credential" || code === "session-required";
  return (
    <div role="alert">
      <Show when={props.problem}>
        {(problem) => (
          <div class="problem">
            <p>
              <strong>{problem().message}</strong>
            </p>
            <Show when={problem().help !== ""}>
              <p>{problem().help}</p>
            </Show>
            <Show when={needsSignIn(problem().code)}>
              <p>
                <a href={leadingOn(paths.login, location.pathname)}>Sign in again</a>
              </p>
            </Show>
          </div>
        )}
      </Show>
    </div>
  );
}
