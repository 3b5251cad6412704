import type { Me, Site } from "./api/schema.d.ts";

/** What pages are made of: the registry, who is signed in (null: nobody), and what to call when they no longer are. */
export interface Visit {
  site: Site;
  me: Me | null;
  onSignedOut: () => void;
}
