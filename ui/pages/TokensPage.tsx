import { Show } from "solid-js";
import type { Site } from "../api/site.ts";
import { addToken, addUser, login } from "../client-lines.ts";
import { CopyBlock } from "../components/CopyBlock.tsx";
import { paths } from "../paths.ts";

/** How to get a token. `apptainer remote login` prints the address of this page. */
export function TokensPage(props: { site: Site }) {
  return (
    <>
      <div class="hero">
        <h1>Access tokens</h1>
        <p class="lede">Clients log in with a token in place of a password. An administrator makes it for you.</p>
      </div>

      <ol class="steps">
        <li>
          <h2>Ask an administrator</h2>
          <p>
            Say which user name you would like.{" "}
            <Show when={props.site.contactEmail} fallback="Whoever runs this registry can make the token.">
              {(email) => (
                <>
                  Write to <a href={`mailto:${email()}`}>{email()}</a>.
                </>
              )}
            </Show>
          </p>
        </li>
        <li>
          <h2>The administrator makes the token</h2>
          <p>
            In the registry's folder, with your user name in place of <code>NAME</code>. If you are new, the user comes
            first:
          </p>
          <CopyBlock label="Create a user" lines={addUser(props.site, "NAME")} />
          <p>
            Then the token, which goes into the file <code>token.txt</code>:
          </p>
          <CopyBlock label="Make a token" lines={addToken(props.site, "NAME")} />
        </li>
        <li>
          <h2>Log in with it</h2>
          <p>
            In the folder that holds <code>token.txt</code>. The registry must be{" "}
            <a href={paths.home}>among your client's remotes</a> first.
          </p>
          <CopyBlock label="Log in" lines={login(props.site)} />
          <p>
            <code>Access Token Verified!</code> says that it worked. The client keeps the token: delete the file.
          </p>
        </li>
      </ol>

      <section class="note" aria-labelledby="good-to-know">
        <h2 id="good-to-know">Good to know</h2>
        <ul>
          <li>A token is shown once. The registry keeps only a hash of it; a lost one is replaced by a new one.</li>
          <li>
            It has at least 200 characters, because the client refuses shorter ones in a file. Copy all of it, on one
            line.
          </li>
          <li>Whoever has it can act as you. Keep it like a password.</li>
        </ul>
      </section>
    </>
  );
}
