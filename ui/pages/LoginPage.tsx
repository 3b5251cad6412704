import { createResource, For, Match, Show, Switch } from "solid-js";
import { createAction } from "../action.ts";
import { ask } from "../api/client.ts";
import type { ErrorCode, Operations, Site } from "../api/schema.d.ts";
import { makeLoginLink } from "../client-lines.ts";
import { Contact } from "../components/Contact.tsx";
import { CopyBlock } from "../components/CopyBlock.tsx";
import { ProblemNote } from "../components/ProblemNote.tsx";
import { nextPath, recallNext, rememberNext } from "../next-path.ts";
import type { Visit } from "../visit.ts";

/** The ways to sign in. `?error=` says why the last attempt did not work; `?next=` where to go on. */
export function LoginPage(props: Visit) {
  const error = new URLSearchParams(location.search).get("error");
  // From a provider one comes back here only when it did not work, and without what one wanted.
  const next = error === null ? nextPath(location.search, location.origin) : recallNext(location.origin);
  const [failure] = createResource(() => error, explain);
  return (
    <>
      <div class="hero">
        <h1>Sign in</h1>
      </div>
      <Show when={failure()}>
        {(error) => (
          <div class="problem" role="alert">
            <p>
              <strong>{error().title}</strong>
            </p>
            <p>{error().help}</p>
          </div>
        )}
      </Show>
      <Switch fallback={<Providers site={props.site} next={next} />}>
        <Match when={props.me}>
          {(me) => (
            <>
              <p class="lede">
                You are signed in as <strong>{me().username}</strong>.
              </p>
              <p>
                <a class="button primary" href={next}>
                  Go on
                </a>
              </p>
            </>
          )}
        </Match>
        <Match when={props.site.signIn.obstacle === "https-required"}>
          <HttpsRequired site={props.site} />
        </Match>
        <Match when={props.site.signIn.obstacle === "no-providers"}>
          <p class="lede">This registry has no identity provider to sign in with.</p>
          <LinkFromAdministrator site={props.site} />
        </Match>
      </Switch>
    </>
  );
}

function Providers(props: { site: Site; next: string }) {
  const begin = createAction();
  const signIn = (provider: string) =>
    begin.run(async () => {
      const { url } = await ask("POST /api/v1/sign-ins", { body: { provider, next: props.next } });
      rememberNext(props.next);
      location.assign(url);
    });
  return (
    <>
      <p class="lede">With an account that you have already. {props.site.name} never sees its password.</p>
      <ul class="providers">
        <For each={props.site.signIn.providers}>
          {({ id, name }) => (
            <li>
              <button type="button" class="button wide" disabled={begin.isBusy()} onClick={() => signIn(id)}>
                Sign in with {name}
              </button>
            </li>
          )}
        </For>
      </ul>
      <ProblemNote problem={begin.problem()} />
      <details class="more">
        <summary>You have no such account?</summary>
        <LinkFromAdministrator site={props.site} />
      </details>
    </>
  );
}

function LinkFromAdministrator(props: { site: Site }) {
  return (
    <section class="plain-section" aria-label="A link from an administrator">
      <p>
        An administrator can send you a link that signs you in, once and within ten minutes.{" "}
        <Contact site={props.site} />
      </p>
      <p>
        Administrators make it in the registry's folder, with the user's name in place of <code>NAME</code>:
      </p>
      <CopyBlock label="Make a login link" lines={makeLoginLink(props.site, "NAME")} />
    </section>
  );
}

function HttpsRequired(props: { site: Site }) {
  return (
    <>
      <p class="lede">Signing in needs https.</p>
      <section class="note plain-section" aria-labelledby="why-https">
        <h2 id="why-https">Why, and the way out</h2>
        <p>
          This registry's address is <code>{props.site.origin}</code>. On the way there everybody could read what keeps
          you signed in, so browsers keep it on https only, or on the machine that the registry runs on.
        </p>
        <p>
          Its administrator puts https in front of it, or opens it there as <code>http://localhost</code> with its port.
          Tokens that an administrator makes work without signing in. <Contact site={props.site} />
        </p>
      </section>
    </>
  );
}

/** The registry's words for a code. What is no code of it says nothing: anybody can write a link to this page. */
async function explain(text: string): Promise<ErrorCode | null> {
  if (!/^[a-z][a-z-]{0,40}$/.test(text)) return null;
  const code = text as Operations["GET /api/v1/errors/{code}"]["path"]["code"];
  return await ask("GET /api/v1/errors/{code}", { path: { code } }).catch(() => null);
}
