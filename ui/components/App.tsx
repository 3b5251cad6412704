import { createEffect, createResource, Match, Switch } from "solid-js";
import { Dynamic } from "solid-js/web";
import { loadAnalytics } from "../analytics.ts";
import { toApiError } from "../api/client.ts";
import { fetchSite } from "../api/site.ts";
import { fetchMe, mustAgree } from "../api/visitor.ts";
import { nextPath } from "../next-path.ts";
import { leadingOn, paths, pathsWithSecrets } from "../paths.ts";
import { pageAt } from "../routes.ts";
import { LoadFailure } from "./LoadFailure.tsx";
import { PageFrame } from "./PageFrame.tsx";

/** The page of an address, inside its frame. Links load a whole page: there is nothing to keep between two. */
export function App(props: { pathname: string }) {
  const page = pageAt(props.pathname);
  const [answer, { refetch, mutate }] = createResource(() => loadVisit(props.pathname));
  // Reading a resource that failed throws.
  const visit = () => (answer.state === "ready" ? answer() : undefined);
  const signOut = () => mutate((known) => known && { ...known, me: null });

  createEffect(() => {
    const parts = [page.title, visit()?.site.name];
    const title = parts.filter((part) => part).join(" · ");
    if (title !== "") document.title = title;
  });
  createEffect(() => {
    const id = visit()?.site.analyticsId;
    // The content policy lets it in on the same pages.
    if (id && page.needsVisit && !pathsWithSecrets.includes(props.pathname)) loadAnalytics(id);
  });

  return (
    <PageFrame site={visit()?.site} me={visit()?.me} pathname={props.pathname}>
      {page.needsVisit ? (
        <Switch fallback={<p class="loading">Loading …</p>}>
          <Match when={answer.state === "errored"}>
            <LoadFailure problem={toApiError(answer.error)} onRetry={refetch} />
          </Match>
          <Match when={visit()}>
            {(loaded) => (
              <Dynamic component={page.component} site={loaded().site} me={loaded().me} onSignedOut={signOut} />
            )}
          </Match>
        </Switch>
      ) : (
        <Dynamic component={page.component} />
      )}
    </PageFrame>
  );
}

/**
 * What every page is made of. Whoever has not agreed to the terms is brought to them instead, but from their account,
 * which they may leave without agreeing.
 */
async function loadVisit(pathname: string) {
  const [site, me] = await Promise.all([fetchSite(), fetchMe()]);
  const isFree = pathname === paths.terms || pathname === paths.account;
  if (me !== null && mustAgree(me) && !isFree) {
    const next = pathname === paths.login ? nextPath(location.search, location.origin) : pathname;
    location.replace(leadingOn(paths.terms, next));
    // Nothing is shown until the browser is there.
    await new Promise(() => {});
  }
  return { site, me };
}
