import { createSignal, For, Show } from "solid-js";
import { ask } from "../../api/client.ts";
import type { Session, Site } from "../../api/schema.d.ts";
import { createList } from "../../list.ts";
import { paths } from "../../paths.ts";
import { ConfirmButton } from "../ConfirmButton.tsx";
import { ListStatus } from "../ListStatus.tsx";
import { Moment } from "../Moment.tsx";
import { browserName } from "./browser-name.ts";

/** Where one is signed in, and signing out there. */
export function Sessions(props: { providers: Site["signIn"]["providers"] }) {
  const sessions = createList<Session>((query) => ask("GET /api/v1/sessions", { query }));
  const [done, setDone] = createSignal("");
  let heading: HTMLHeadingElement | undefined;
  const end = async ({ id, isCurrent, userAgent }: Session) => {
    await ask("DELETE /api/v1/sessions/{id}", { path: { id } });
    if (isCurrent) return location.assign(paths.home);
    await sessions.reload();
    setDone(`${browserName(userAgent)} is signed out.`);
    heading?.focus();
  };
  const endAll = async () => {
    await ask("DELETE /api/v1/sessions");
    location.assign(paths.home);
  };
  const wayOf = ({ signedInWith }: Session) =>
    signedInWith === "login-link"
      ? "a login link"
      : (props.providers.find(({ id }) => id === signedInWith)?.name ?? signedInWith);

  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions" tabindex={-1} ref={heading}>
        Where you are signed in
      </h2>
      <p class="visually-hidden" role="status">
        {done()}
      </p>
      <ul class="cards">
        <For each={sessions.items()}>
          {(session) => (
            <li class="card">
              <div class="card-head">
                <h3 title={session.userAgent}>{browserName(session.userAgent)}</h3>
                <Show when={session.isCurrent}>
                  <span class="tag good">This browser</span>
                </Show>
              </div>
              <dl class="facts">
                <dt>Signed in</dt>
                <dd>
                  <Moment at={session.createdAt} /> with {wayOf(session)}
                </dd>
                <dt>Last used</dt>
                <dd>
                  <Moment at={session.lastUsedAt} />
                </dd>
                <dt>Ends</dt>
                <dd>
                  <Moment at={session.expiresAt} />, or earlier when it is not used
                </dd>
              </dl>
              <ConfirmButton
                label="Sign out"
                subject={browserName(session.userAgent)}
                question={session.isCurrent ? "This is the browser you are using." : "It has to sign in again."}
                confirmLabel="Sign it out"
                onConfirm={() => end(session)}
              />
            </li>
          )}
        </For>
      </ul>
      <ListStatus list={sessions} empty="You are signed in nowhere." />
      <Show when={(sessions.items()?.length ?? 0) > 1}>
        <ConfirmButton
          label="Sign out everywhere"
          subject=""
          question="In this browser too. Your tokens stay as they are."
          confirmLabel="Sign out everywhere"
          onConfirm={endAll}
        />
      </Show>
    </section>
  );
}
