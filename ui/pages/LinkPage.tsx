import { createSignal, onCleanup, Show } from "solid-js";
import { createAction } from "../action.ts";
import { ask } from "../api/client.ts";
import { mustAgree } from "../api/visitor.ts";
import { ProblemNote } from "../components/ProblemNote.tsx";
import { leadingOn, paths } from "../paths.ts";

/**
 * Signs in with a login link. What looks at links on the way, such as a mail scanner, opens this page: that must
 * change nothing, so a button does it.
 */
export function LinkPage() {
  const [secret, setSecret] = createSignal(takeFragment());
  // A second link in the same tab changes the fragment alone.
  const take = () => setSecret((known) => takeFragment() || known);
  addEventListener("hashchange", take);
  onCleanup(() => removeEventListener("hashchange", take));

  const signingIn = createAction();
  const signIn = () =>
    signingIn.run(async () => {
      const me = await ask("POST /api/v1/sessions", { body: { link: secret() } });
      location.assign(mustAgree(me) ? leadingOn(paths.terms, paths.account) : paths.account);
    });

  return (
    <div class="hero">
      <h1>Sign in with a link</h1>
      <Show
        when={secret() !== ""}
        fallback={
          <>
            <p class="lede">
              There is no link in this page's address. Open the whole link again, to its end, as you got it.
            </p>
            <p>
              <a class="button" href={paths.login}>
                Other ways to sign in
              </a>
            </p>
          </>
        }
      >
        <p class="lede">
          It works once, and signs this browser in. Go on only if you asked for the link, or know who sent it.
        </p>
        <button type="button" class="button primary" disabled={signingIn.isBusy()} onClick={signIn}>
          Sign in
        </button>
        <ProblemNote problem={signingIn.problem()} />
      </Show>
    </div>
  );
}

/** What stands behind the `#`, which then no longer stands in the address bar or in the browser's history. */
function takeFragment(): string {
  const fragment = location.hash.slice(1);
  if (fragment !== "") history.replaceState(null, "", location.pathname);
  return fragment;
}
