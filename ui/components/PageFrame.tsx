import { type JSX, Show } from "solid-js";
import type { Me, Site } from "../api/schema.d.ts";
import { paths } from "../paths.ts";
import { VisitorLinks } from "./VisitorLinks.tsx";

interface PageFrameProps {
  site: Site | undefined;
  /** Null where nobody is signed in; undefined until that is known. */
  me: Me | null | undefined;
  pathname: string;
  children: JSX.Element;
}

/** What stands around every page. The site's name and version appear as soon as they are known. */
export function PageFrame(props: PageFrameProps) {
  const currentAt = (path: string) => (props.pathname === path ? "page" : undefined);
  return (
    <>
      <a class="skip-link" href="#main">
        Skip to the content
      </a>
      <header class="header">
        <div class="header-row">
          <a class="brand" href={paths.home} aria-current={currentAt(paths.home)}>
            <Mark />
            <span>{props.site?.name ?? "Home"}</span>
          </a>
          <VisitorLinks me={props.me} pathname={props.pathname} />
        </div>
      </header>
      <main id="main" class="main" tabindex={-1}>
        {props.children}
      </main>
      <footer class="footer">
        <Show when={props.site}>
          {(site) => (
            <div class="footer-row">
              <span>sregistry-edge {site().version}</span>
              <Show when={site().institutionUrl}>{(url) => <a href={url()}>{new URL(url()).host}</a>}</Show>
              <Show when={site().termsVersion}>
                <a href={paths.terms}>Terms of use</a>
              </Show>
              <Show when={site().contactEmail}>{(email) => <a href={`mailto:${email()}`}>{email()}</a>}</Show>
            </div>
          )}
        </Show>
      </footer>
    </>
  );
}

/** The same drawing as favicon.svg, in the colour of the text around it. */
function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M12 2.5 21 7l-9 4.5L3 7z" />
      <path d="m3 12 9 4.5 9-4.5" />
      <path d="m3 17 9 4.5 9-4.5" />
    </svg>
  );
}
