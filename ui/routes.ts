import type { Component } from "solid-js";
import type { Site } from "./api/site.ts";
import { HomePage } from "./pages/HomePage.tsx";
import { NotFoundPage } from "./pages/NotFoundPage.tsx";
import { TokensPage } from "./pages/TokensPage.tsx";
import { paths } from "./paths.ts";

/** A page of the UI. Its title goes before the registry's name; the home page bears the name alone. */
export type Page =
  | { title: string | null; needsSite: true; component: Component<{ site: Site }> }
  | { title: string; needsSite: false; component: Component };

const notFound: Page = { title: "Page not found", needsSite: false, component: NotFoundPage };

/** Which page an address shows. The Worker answers with status 404 wherever this is the not-found page. */
export function pageAt(pathname: string): Page {
  switch (pathname) {
    case paths.home:
      return { title: null, needsSite: true, component: HomePage };
    case paths.tokens:
      return { title: "Access tokens", needsSite: true, component: TokensPage };
    default:
      return notFound;
  }
}
