import { createResource, createSignal, Match, Show, Switch } from "solid-js";
import { createAction } from "../action.ts";
import { ApiError, ask, toApiError } from "../api/client.ts";
import type { Registration } from "../api/schema.d.ts";
import { LoadFailure } from "../components/LoadFailure.tsx";
import { ProblemNote } from "../components/ProblemNote.tsx";
import { isUsername, UsernameField } from "../components/UsernameField.tsx";
import { recallNext } from "../next-path.ts";
import { paths } from "../paths.ts";

/** Where somebody who signed in for the first time chooses the name that everything of theirs stands under. */
export function RegisterPage() {
  const [registration, { refetch }] = createResource(findRegistration);
  // What is shown stays while it is asked for again.
  const found = () => (registration.state === "errored" ? undefined : registration.latest);
  return (
    <Switch fallback={<p class="loading">Loading …</p>}>
      <Match when={registration.state === "errored"}>
        <LoadFailure problem={toApiError(registration.error)} onRetry={refetch} />
      </Match>
      <Match when={found()}>{(given) => <ChooseName registration={given()} onNewTerms={refetch} />}</Match>
      <Match when={found() === null}>
        <div class="hero">
          <h1>Nobody is signing in here</h1>
          <p class="lede">
            This page is for whoever has just signed in for the first time. That takes half an hour at most.
          </p>
          <p>
            <a class="button primary" href={paths.login}>
              Sign in
            </a>
          </p>
        </div>
      </Match>
    </Switch>
  );
}

function ChooseName(props: { registration: Registration; onNewTerms: () => void }) {
  const [username, setUsername] = createSignal(props.registration.suggestedUsername);
  const [hasAgreed, setAgreed] = createSignal(false);
  const registering = createAction();
  const terms = () => props.registration.terms;
  const isReady = () => isUsername(username()) && (terms() === null || hasAgreed());
  const register = (event: SubmitEvent) => {
    event.preventDefault();
    void registering.run(async () => {
      try {
        await ask("POST /api/v1/registration", { body: { username: username(), terms: terms() } });
      } catch (error) {
        if (error instanceof ApiError && error.code === "terms-required") {
          setAgreed(false);
          props.onNewTerms();
        }
        throw error;
      }
      location.assign(recallNext(location.origin));
    });
  };

  return (
    <>
      <div class="hero">
        <h1>Choose your user name</h1>
        <p class="lede">
          You signed in with {props.registration.provider.name} as <strong>{props.registration.name}</strong>
          <Show when={props.registration.email}>{(email) => <> ({email()})</>}</Show>.
        </p>
      </div>
      <form class="form" onSubmit={register}>
        <UsernameField
          value={username()}
          onChange={setUsername}
          isRequired
          hint="Your collections stand under it, and everybody can see it. It cannot be changed."
        />
        <Show when={terms()}>
          {(version) => (
            <div class="check">
              <input
                id="agree"
                type="checkbox"
                required
                checked={hasAgreed()}
                onChange={(event) => setAgreed(event.currentTarget.checked)}
              />
              <label for="agree">
                I agree to the{" "}
                <a href={paths.terms} target="_blank" rel="noopener">
                  terms of use<span class="visually-hidden"> (in a new tab)</span>
                </a>
                , version {version()}
              </label>
            </div>
          )}
        </Show>
        <ProblemNote problem={registering.problem()} />
        <button type="submit" class="button primary" disabled={registering.isBusy() || !isReady()}>
          Create my account
        </button>
      </form>
    </>
  );
}

async function findRegistration(): Promise<Registration | null> {
  try {
    return await ask("GET /api/v1/registration");
  } catch (error) {
    if (error instanceof ApiError && (error.code === "not-found" || error.code === "sign-in-expired")) return null;
    throw error;
  }
}
