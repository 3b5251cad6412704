import type { Component } from "solid-js";
import { AccountPage } from "./pages/AccountPage.tsx";
import { HomePage } from "./pages/HomePage.tsx";
import { LinkPage } from "./pages/LinkPage.tsx";
import { LoginPage } from "./pages/LoginPage.tsx";
import { NotFoundPage } from "./pages/NotFoundPage.tsx";
import { RegisterPage } from "./pages/RegisterPage.tsx";
import { TermsPage } from "./pages/TermsPage.tsx";
import { TokensPage } from "./pages/TokensPage.tsx";
import { paths } from "./paths.ts";
import type { Visit } from "./visit.ts";

/** A page of the UI. Its title goes before the registry's name; the home page bears the name alone. */
export type Page =
  | { title: string | null; needsVisit: true; component: Component<Visit> }
  | { title: string; needsVisit: false; component: Component };

const notFound: Page = { title: "Page not found", needsVisit: false, component: NotFoundPage };

const pages: Readonly<Record<string, Page>> = {
  [paths.home]: { title: null, needsVisit: true, component: HomePage },
  [paths.login]: { title: "Sign in", needsVisit: true, component: LoginPage },
  [paths.register]: { title: "Choose your user name", needsVisit: true, component: RegisterPage },
  // The secret leaves the address bar at once, whether the registry answers or not.
  [paths.link]: { title: "Sign in with a link", needsVisit: false, component: LinkPage },
  [paths.tokens]: { title: "Access tokens", needsVisit: true, component: TokensPage },
  [paths.account]: { title: "Account", needsVisit: true, component: AccountPage },
  [paths.terms]: { title: "Terms of use", needsVisit: true, component: TermsPage },
};

/** Which page an address shows. The Worker answers with status 404 wherever this is the not-found page. */
export function pageAt(pathname: string): Page {
  return (Object.hasOwn(pages, pathname) ? pages[pathname] : undefined) ?? notFound;
}
