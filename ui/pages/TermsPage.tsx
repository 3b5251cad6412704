import { createResource, For, Match, Show, Switch } from "solid-js";
import { createAction } from "../action.ts";
import { ApiError, ask, toApiError } from "../api/client.ts";
import type { Me, Terms } from "../api/schema.d.ts";
import { mustAgree } from "../api/visitor.ts";
import { LoadFailure } from "../components/LoadFailure.tsx";
import { Moment } from "../components/Moment.tsx";
import { ProblemNote } from "../components/ProblemNote.tsx";
import { nextPath } from "../next-path.ts";
import { paths } from "../paths.ts";
import type { Visit } from "../visit.ts";

/** The terms of use, and where users agree to them. */
export function TermsPage(props: Visit) {
  const [terms, { refetch }] = createResource(async () =>
    props.site.termsVersion === null ? null : await findTerms(),
  );
  // What is shown stays while it is asked for again.
  const found = () => (terms.state === "errored" ? undefined : terms.latest);
  return (
    <Switch fallback={<p class="loading">Loading …</p>}>
      <Match when={terms.state === "errored"}>
        <LoadFailure problem={toApiError(terms.error)} onRetry={refetch} />
      </Match>
      <Match when={found()}>
        {(given) => (
          <>
            <div class="hero">
              <h1>Terms of use</h1>
              <p class="lede">Version {given().version}</p>
            </div>
            <div class="terms">
              <For each={paragraphsOf(given().text)}>{(paragraph) => <p>{paragraph}</p>}</For>
            </div>
            <Show when={props.me}>{(me) => <Agreement me={me()} terms={given()} onNewTerms={refetch} />}</Show>
          </>
        )}
      </Match>
      <Match when={found() === null}>
        <div class="hero">
          <h1>Terms of use</h1>
          <p class="lede">This registry has none.</p>
        </div>
      </Match>
    </Switch>
  );
}

function Agreement(props: { me: Me; terms: Terms; onNewTerms: () => void }) {
  const agreeing = createAction();
  const agree = () =>
    agreeing.run(async () => {
      try {
        await ask("PUT /api/v1/me/terms", { body: { version: props.terms.version } });
      } catch (error) {
        // They changed while they were read: whoever agrees must have seen the new ones.
        if (error instanceof ApiError && error.code === "conflict") props.onNewTerms();
        throw error;
      }
      location.assign(nextPath(location.search, location.origin));
    });
  return (
    <section class="note" aria-label="Your agreement">
      <Show
        when={mustAgree(props.me)}
        fallback={
          <p>
            You agreed to this version
            <Show when={props.me.terms.agreedAt}>
              {(at) => (
                <>
                  {" "}
                  on <Moment at={at()} />
                </>
              )}
            </Show>
            .
          </p>
        }
      >
        <p>
          {props.me.terms.agreed === null
            ? "The registry asks you to agree before you go on. "
            : `They have changed since you agreed to version ${props.me.terms.agreed}. `}
          Until then your tokens do nothing either. If you do not agree, you can take your data along and delete{" "}
          <a href={paths.account}>your account</a>.
        </p>
        <button type="button" class="button primary" disabled={agreeing.isBusy()} onClick={agree}>
          I agree
        </button>
        <ProblemNote problem={agreeing.problem()} />
      </Show>
    </section>
  );
}

async function findTerms(): Promise<Terms | null> {
  try {
    return await ask("GET /api/v1/terms");
  } catch (error) {
    if (error instanceof ApiError && error.code === "not-found") return null;
    throw error;
  }
}

/** Empty lines part paragraphs; line breaks within one are kept by the style. */
function paragraphsOf(text: string): string[] {
  return text
    .replaceAll("\r\n", "\n")
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== "");
}
