import type { Component } from "solid-js";
import { keepInvitation } from "./invitation.ts";
import { AccountPage } from "./pages/AccountPage.tsx";
import { CollectionPage } from "./pages/CollectionPage.tsx";
import { CollectionsPage } from "./pages/CollectionsPage.tsx";
import { ContainerPage } from "./pages/ContainerPage.tsx";
import { HomePage } from "./pages/HomePage.tsx";
import { InvitationPage } from "./pages/InvitationPage.tsx";
import { LinkPage } from "./pages/LinkPage.tsx";
import { LoginPage } from "./pages/LoginPage.tsx";
import { NotFoundPage } from "./pages/NotFoundPage.tsx";
import { RegisterPage } from "./pages/RegisterPage.tsx";
import { SharedImagePage } from "./pages/SharedImagePage.tsx";
import { TermsPage } from "./pages/TermsPage.tsx";
import { TokensPage } from "./pages/TokensPage.tsx";
import { namesAt, paths, SHARE_PREFIX } from "./paths.ts";
import type { Visit } from "./visit.ts";

/** A page of the UI. Its title goes before the registry's name; the home page bears the name alone. */
export type Page =
  | {
      title: string | null;
      needsVisit: true;
      component: Component<Visit>;
      /** Done as soon as it is opened, whether the registry answers or not. */
      onOpen?: () => void;
      /** Whether it may be something private: then no script that counts readers is loaded before it is known not to be. */
      mayBePrivate?: boolean;
    }
  | { title: string; needsVisit: false; component: Component };

const notFound: Page = { title: "Page not found", needsVisit: false, component: NotFoundPage };

const pages: Readonly<Record<string, Page>> = {
  [paths.home]: { title: null, needsVisit: true, component: HomePage },
  [paths.collections]: { title: "Collections", needsVisit: true, component: CollectionsPage },
  [paths.login]: { title: "Sign in", needsVisit: true, component: LoginPage },
  [paths.register]: { title: "Choose your user name", needsVisit: true, component: RegisterPage },
  // The secret leaves the address bar at once, whether the registry answers or not.
  [paths.link]: { title: "Sign in with a link", needsVisit: false, component: LinkPage },
  [paths.tokens]: { title: "Access tokens", needsVisit: true, component: TokensPage },
  [paths.account]: { title: "Account", needsVisit: true, component: AccountPage },
  [paths.invitations]: {
    title: "Invitation",
    needsVisit: true,
    component: InvitationPage,
    // Before anybody is sent to sign in.
    onOpen: keepInvitation,
  },
  [paths.terms]: { title: "Terms of use", needsVisit: true, component: TermsPage },
};

/** For whoever has the link: it is nobody's visit, and no script for visits is loaded. */
const sharedImage: Page = { title: "Shared image", needsVisit: false, component: SharedImagePage };

/** Which page an address shows. The Worker answers with status 404 wherever this is the not-found page. */
export function pageAt(pathname: string): Page {
  if (pathname.startsWith(SHARE_PREFIX)) return sharedImage;
  return (Object.hasOwn(pages, pathname) ? pages[pathname] : undefined) ?? catalogPageAt(pathname) ?? notFound;
}

function catalogPageAt(pathname: string): Page | null {
  const names = namesAt(pathname);
  if (names === null) return null;
  const component = names.length === 2 ? CollectionPage : ContainerPage;
  return { title: names.join("/"), needsVisit: true, mayBePrivate: true, component };
}
