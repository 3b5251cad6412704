import { Show } from "solid-js";
import { OwnTokens } from "../components/tokens/OwnTokens.tsx";
import { SregistryKeySection } from "../components/tokens/SregistryKeySection.tsx";
import { TokensFromAdministrator } from "../components/tokens/TokensFromAdministrator.tsx";
import { leadingOn, paths } from "../paths.ts";
import type { Visit } from "../visit.ts";

/** The credentials of one's clients, and how to get one. `apptainer remote login` prints the address of this page. */
export function TokensPage(props: Visit) {
  return (
    <>
      <div class="hero">
        <h1>Access tokens</h1>
        <p class="lede">Clients log in with a token in place of a password.</p>
        <Show when={props.me === null}>
          <p>
            <a class="button primary" href={leadingOn(paths.login, paths.tokens)}>
              Sign in to make a token
            </a>
          </p>
        </Show>
      </div>
      <Show when={props.me} fallback={<TokensFromAdministrator site={props.site} />}>
        {(me) => (
          <>
            <OwnTokens site={props.site} />
            <SregistryKeySection site={props.site} username={me().username} />
          </>
        )}
      </Show>
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
