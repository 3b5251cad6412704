import { type Accessor, createEffect, createResource, type JSX, Match, Switch } from "solid-js";
import { loadAnalytics } from "../../analytics.ts";
import { type ApiError, toApiError } from "../../api/client.ts";
import type { Visibility } from "../../api/schema.d.ts";
import { NotFoundPage } from "../../pages/NotFoundPage.tsx";
import { leadingOn, paths } from "../../paths.ts";
import type { Visit } from "../../visit.ts";
import { LoadFailure } from "../LoadFailure.tsx";

interface FoundProps<Thing> {
  visit: Visit;
  fetch: () => Promise<Thing>;
  children: (thing: Accessor<Thing>) => JSX.Element;
}

/** Shows what an address names, or that there is nothing: what is absent, and what is hidden, look alike. */
export function Found<Thing extends { visibility: Visibility }>(props: FoundProps<Thing>) {
  const [answer, { refetch }] = createResource(() => props.fetch());
  const found = () => (answer.state === "ready" ? answer() : undefined);
  const problem = () => (answer.state === "errored" ? toApiError(answer.error) : null);
  const isAbsent = () => problem()?.code === "not-found";
  const isForUsers = () => problem()?.code === "unauthenticated";
  const address = `${location.pathname}${location.search}`;
  createEffect(() => {
    if (isAbsent()) props.visit.onTitle("Page not found");
  });
  createEffect(() => {
    // Nobody else is told what private things are called.
    const id = props.visit.site.analyticsId;
    if (id && found()?.visibility === "public") loadAnalytics(id);
  });
  return (
    <Switch fallback={<p class="loading">Loading …</p>}>
      <Match when={isAbsent()}>
        <NotFoundPage signInFor={props.visit.me === null ? address : null} />
      </Match>
      <Match when={isForUsers()}>
        <SignInFirst what="This registry shows what it has to whoever is signed in." next={address} />
      </Match>
      <Match when={problem()}>
        {(shown: Accessor<ApiError>) => <LoadFailure problem={shown()} onRetry={refetch} />}
      </Match>
      <Match when={found()}>{(thing) => props.children(thing as Accessor<Thing>)}</Match>
    </Switch>
  );
}

/** For pages that show nobody anything. */
export function SignInFirst(props: { what: string; next: string }) {
  return (
    <div class="hero">
      <h1>Sign in first</h1>
      <p class="lede">{props.what}</p>
      <p>
        <a class="button primary" href={leadingOn(paths.login, props.next)}>
          Sign in
        </a>
      </p>
    </div>
  );
}
