import { onCleanup, onMount, Show } from "solid-js";
import { leadingOn, paths } from "../paths.ts";

/** @param props.signInFor where there may be something for whoever is signed in: its address */
export function NotFoundPage(props: { signInFor?: string | null }) {
  // The Worker answers 200 to whatever could be a collection's address; search engines read on.
  onMount(() => {
    const meta = Object.assign(document.createElement("meta"), { name: "robots", content: "noindex" });
    document.head.append(meta);
    onCleanup(() => meta.remove());
  });
  return (
    <div class="hero not-found">
      <p class="status" aria-hidden="true">
        404
      </p>
      <h1>Page not found</h1>
      <p class="lede">There is no page at this address.</p>
      <Show when={props.signInFor}>
        {(next) => (
          <p>
            If it should be something private, <a href={leadingOn(paths.login, next())}>sign in</a> to see it.
          </p>
        )}
      </Show>
      <p>
        <a class="button" href={paths.home}>
          Go to the home page
        </a>
      </p>
    </div>
  );
}
