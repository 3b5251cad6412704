import { createEffect, createResource, createSignal, Match, Switch } from "solid-js";
import { Dynamic } from "solid-js/web";
import { loadAnalytics } from "../analytics.ts";
import { toApiError } from "../api/client.ts";
import { fetchSite } from "../api/site.ts";
import { fetchMe, mustAgree } from "../api/visitor.ts";
import { nextPath } from "../next-path.ts";
import { leadingOn, paths, pathsWithSecrets, SHARE_PREFIX } from "../paths.ts";
import { pageAt } from "../routes.ts";
import { LoadFailure } from "./LoadFailure.tsx";
import { PageFrame } from "./PageFrame.tsx";

/** The page of an address, inside its frame. Links load a whole page: there is nothing to keep between two. */
export function App(props: { pathname: string }) {
  const page = pageAt(props.pathname);
  if (page.needsVisit) page.onOpen?.();
  const [answer, { refetch, mutate }] = createResource(() => loadVisit(props.pathname));
  // Reading a resource that failed throws.
  const visit = () => (answer.state === "ready" ? answer() : undefined);
  const signOut = () => mutate((known) => known && { ...known, me: null });

  const [title, setTitle] = createSignal(page.title);

  createEffect(() => {
    const parts = [title(), visit()?.site.name];
    const text = parts.filter((part) => part).join(" · ");
    if (text !== "") document.title = text;
  });
  createEffect(() => {
    const id = visit()?.site.analyticsId;
    const mayCount = page.needsVisit && page.mayBePrivate !== true && !pathsWithSecrets.includes(props.pathname);
    // The content policy lets it in on the same pages, and on those that load it by themselves.
    if (id && mayCount) loadAnalytics(id);
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
              <Dynamic
                component={page.component}
                site={loaded().site}
                me={loaded().me}
                onSignedOut={signOut}
                onTitle={setTitle}
              />
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
 * which they may leave without agreeing, and from a share's page: its address would go along.
 */
async function loadVisit(pathname: string) {
  const [site, me] = await Promise.all([fetchSite(), fetchMe()]);
  const isFree = pathname === paths.terms || pathname === paths.account || pathname.startsWith(SHARE_PREFIX);
  if (me !== null && mustAgree(me) && !isFree) {
    const next = pathname === paths.login ? nextPath(location.search, location.origin) : pathname + location.search;
    location.replace(leadingOn(paths.terms, next));
    // Nothing is shown until the browser is there.
    await new Promise(() => {});
  }
  return { site, me };
}
