import { Match, Switch } from "solid-js";
import { createAction } from "../action.ts";
import { ask } from "../api/client.ts";
import type { Me } from "../api/schema.d.ts";
import { leadingOn, namesAt, paths } from "../paths.ts";
import { ProblemNote } from "./ProblemNote.tsx";

/** The pages, and the way in or out. `me` is null where nobody is signed in, and undefined until that is known. */
export function VisitorLinks(props: { me: Me | null | undefined; pathname: string }) {
  const currentAt = (path: string) => (props.pathname === path ? "page" : undefined);
  // Whoever signs in on a page about signing in goes on from there, not back to it.
  const returning: readonly string[] = [paths.tokens, paths.account, paths.invitations, paths.collections];
  const isReturning = () => returning.includes(props.pathname) || namesAt(props.pathname) !== null;
  const next = () => (isReturning() ? `${props.pathname}${location.search}` : paths.home);
  const signingOut = createAction();
  const signOut = () =>
    signingOut.run(async () => {
      await ask("DELETE /api/v1/sessions/{id}", { path: { id: "current" } });
      location.assign(paths.home);
    });

  return (
    <>
      <nav aria-label="Pages">
        <a href={paths.collections} aria-current={currentAt(paths.collections)}>
          Collections
        </a>
        <a href={paths.tokens} aria-current={currentAt(paths.tokens)}>
          Access tokens
        </a>
        <Switch
          fallback={
            // Keeps the place of what comes.
            <span class="placeholder" aria-hidden="true">
              Sign in
            </span>
          }
        >
          <Match when={props.me}>
            {(me) => (
              <>
                <a href={paths.account} aria-current={currentAt(paths.account)} class="own-name">
                  <span class="visually-hidden">Account of </span>
                  {me().username}
                </a>
                <button type="button" class="text-button" disabled={signingOut.isBusy()} onClick={signOut}>
                  Sign out
                </button>
              </>
            )}
          </Match>
          <Match when={props.me === null}>
            <a href={leadingOn(paths.login, next())} aria-current={currentAt(paths.login)}>
              Sign in
            </a>
          </Match>
        </Switch>
      </nav>
      <ProblemNote problem={signingOut.problem()} />
    </>
  );
}
