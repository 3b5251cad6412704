import { createEffect, createResource, Match, Switch } from "solid-js";
import { Dynamic } from "solid-js/web";
import { fetchSite, SiteError } from "../api/site.ts";
import { pageAt } from "../routes.ts";
import { LoadFailure } from "./LoadFailure.tsx";
import { PageFrame } from "./PageFrame.tsx";

/** The page of an address, inside its frame. Links load a whole page: there is nothing to keep between two. */
export function App(props: { pathname: string }) {
  const [answer, { refetch }] = createResource(fetchSite);
  // Reading a resource that failed throws.
  const site = () => (answer.state === "ready" ? answer() : undefined);
  const page = pageAt(props.pathname);

  createEffect(() => {
    const parts = [page.title, site()?.name];
    const title = parts.filter((part) => part).join(" · ");
    if (title !== "") document.title = title;
  });

  return (
    <PageFrame site={site()} pathname={props.pathname}>
      {page.needsSite ? (
        <Switch fallback={<p class="loading">Loading …</p>}>
          <Match when={answer.state === "errored"}>
            <LoadFailure reason={reasonOf(answer.error)} onRetry={refetch} />
          </Match>
          <Match when={site()}>{(loaded) => <Dynamic component={page.component} site={loaded()} />}</Match>
        </Switch>
      ) : (
        <Dynamic component={page.component} />
      )}
    </PageFrame>
  );
}

function reasonOf(error: unknown): string {
  return error instanceof SiteError ? error.message : "Something went wrong in this page. Reload it.";
}
