import { createSignal, For } from "solid-js";
import { CopyBlock } from "../components/CopyBlock.tsx";
import { isUsername, UsernameField } from "../components/UsernameField.tsx";
import { paths } from "../paths.ts";
import type { Visit } from "../visit.ts";
import { anonymousWays, connectSteps } from "./HomePage.data.ts";

/** What this registry is, and how to use it from a shell. */
export function HomePage(props: Visit) {
  const [username, setUsername] = createSignal(props.me?.username ?? "");
  const image = () => `${isUsername(username()) ? username() : "alice"}/tools/image:v1`;
  return (
    <>
      <div class="hero">
        <h1>{props.site.name}</h1>
        <p class="lede">Stores Singularity and Apptainer container images, and serves them to your client.</p>
      </div>

      <section aria-labelledby="connect">
        <h2 id="connect">Connect a client</h2>
        <UsernameField value={username()} onChange={setUsername} />
        <ol class="steps">
          <li>
            <h3>Get a token</h3>
            <p>
              It takes the place of a password. <a href={paths.tokens}>How to get an access token</a>
            </p>
          </li>
          <For each={connectSteps(props.site, image())}>
            {(step) => (
              <li>
                <h3>{step.title}</h3>
                <p>{step.about}</p>
                <CopyBlock label={step.title} lines={step.lines} />
              </li>
            )}
          </For>
        </ol>
      </section>

      <section aria-labelledby="anonymous">
        <h2 id="anonymous">Pull without logging in</h2>
        <p>
          Images in public collections need no token, and the registry need not be among your client's remotes. The
          client wants some remote to be in use, whichever; curl needs none.
        </p>
        <For each={anonymousWays(props.site, image())}>
          {(way) => (
            <>
              <h3>{way.title}</h3>
              <CopyBlock label={way.title} lines={way.lines} />
            </>
          )}
        </For>
      </section>
    </>
  );
}
