import { Show } from "solid-js";
import type { Site } from "../api/schema.d.ts";

/** Whom to ask. */
export function Contact(props: { site: Site }) {
  return (
    <Show when={props.site.contactEmail} fallback="Ask whoever runs this registry.">
      {(email) => (
        <>
          Write to <a href={`mailto:${email()}`}>{email()}</a>.
        </>
      )}
    </Show>
  );
}
