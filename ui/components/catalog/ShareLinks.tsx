import { For } from "solid-js";
import type { Collection, Site } from "../../api/schema.d.ts";
import { catalogPath } from "../../paths.ts";
import { shareLinks } from "../../share-links.ts";
import { CopyBlock } from "../CopyBlock.tsx";

/** How to pass the page of a public collection on: its address, and links that others' sites make something of. */
export function ShareLinks(props: { site: Site; collection: Collection }) {
  const path = () => [props.collection.entity, props.collection.collection] as const;
  const url = () => `${props.site.origin}${catalogPath(...path())}`;
  const links = () => shareLinks({ title: `${path().join("/")} on ${props.site.name}`, url: url() });
  return (
    <details class="more">
      <summary>Share this page</summary>
      <CopyBlock label="The address of this page" lines={[url()]} isText />
      <nav class="ways" aria-label="Share by">
        <For each={links()}>
          {({ label, href }) => (
            <a href={href} rel="noopener noreferrer">
              {label}
            </a>
          )}
        </For>
      </nav>
    </details>
  );
}
