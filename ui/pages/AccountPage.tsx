import { createSignal, Match, Show, Switch } from "solid-js";
import type { Me } from "../api/schema.d.ts";
import { mustAgree } from "../api/visitor.ts";
import { DeleteAccount } from "../components/account/DeleteAccount.tsx";
import { LinkedAccounts } from "../components/account/LinkedAccounts.tsx";
import { Sessions } from "../components/account/Sessions.tsx";
import { Moment } from "../components/Moment.tsx";
import { leadingOn, paths } from "../paths.ts";
import type { Visit } from "../visit.ts";

const roles: Record<Me["role"], string> = {
  user: "User",
  admin: "Administrator",
  superuser: "Superuser, who governs the whole registry",
};

/** What somebody is here, where they are signed in, and how they leave. */
export function AccountPage(props: Visit) {
  const [deleted, setDeleted] = createSignal<string | null>(null);
  const leave = (username: string) => {
    setDeleted(username);
    props.onSignedOut();
  };
  return (
    <Switch
      fallback={
        <div class="hero">
          <h1>Account</h1>
          <p class="lede">Sign in to see your account.</p>
          <p>
            <a class="button primary" href={leadingOn(paths.login, paths.account)}>
              Sign in
            </a>
          </p>
        </div>
      }
    >
      <Match when={deleted()}>
        {(username) => (
          <div class="hero">
            <h1 tabindex={-1} ref={(element) => queueMicrotask(() => element.focus())}>
              Your account is deleted
            </h1>
            <p class="lede">{username()} is no longer here, and you are signed out everywhere.</p>
            <p>
              <a class="button" href={paths.home}>
                Go to the home page
              </a>
            </p>
          </div>
        )}
      </Match>
      <Match when={props.me}>{(me) => <Account {...props} me={me()} onDeleted={leave} />}</Match>
    </Switch>
  );
}

function Account(props: Visit & { me: Me; onDeleted: (username: string) => void }) {
  const me = () => props.me;
  return (
    <>
      <div class="hero">
        <h1>{me().username}</h1>
        <dl class="facts">
          <dt>Role</dt>
          <dd>{roles[me().role]}</dd>
          <dt>Here since</dt>
          <dd>
            <Moment at={me().createdAt} />
          </dd>
          <Show when={me().terms.required !== null}>
            <dt>Terms of use</dt>
            <dd>
              <a href={paths.terms}>{mustAgree(me()) ? "not agreed to yet" : "agreed to"}</a>
            </dd>
          </Show>
        </dl>
      </div>
      <Show when={!mustAgree(me())}>
        <LinkedAccounts site={props.site} />
      </Show>
      <Sessions providers={props.site.signIn.providers} />
      <section aria-labelledby="your-data">
        <h2 id="your-data">Your data</h2>
        <p>Everything the registry knows of you, as one JSON file. The images themselves are not in it: pull them.</p>
        <a class="button" href="/api/v1/me/export" download={`${me().username}.json`}>
          Download my data
        </a>
      </section>
      <DeleteAccount username={me().username} onDeleted={() => props.onDeleted(me().username)} />
    </>
  );
}
