import type { Me, Site } from "./api/schema.d.ts";

/** What pages are made of: the registry, and who is signed in (null: nobody). */
export interface Visit {
  site: Site;
  me: Me | null;
  /** To call when they no longer are. */
  onSignedOut: () => void;
  /** To call when the page turns out to be another than its address says. */
  onTitle: (title: string) => void;
}
