import { createSignal, For, Show } from "solid-js";
import { createAction } from "../../action.ts";
import { ask } from "../../api/client.ts";
import type { Identity, Site } from "../../api/schema.d.ts";
import { createList } from "../../list.ts";
import { paths } from "../../paths.ts";
import { ConfirmButton } from "../ConfirmButton.tsx";
import { ListStatus } from "../ListStatus.tsx";
import { Moment } from "../Moment.tsx";
import { ProblemNote } from "../ProblemNote.tsx";

/** The accounts elsewhere that one signs in with. */
export function LinkedAccounts(props: { site: Site }) {
  const identities = createList<Identity>(async () => ({ ...(await ask("GET /api/v1/identities")), next: null }));
  const linking = createAction();
  const [done, setDone] = createSignal("");
  let heading: HTMLHeadingElement | undefined;
  const link = (provider: string) =>
    linking.run(async () => {
      const { url } = await ask("POST /api/v1/identities", { body: { provider, next: paths.account } });
      location.assign(url);
    });
  const unlink = async ({ id, provider }: Identity) => {
    await ask("DELETE /api/v1/identities/{id}", { path: { id } });
    await identities.reload();
    setDone(`${provider.name} is unlinked.`);
    heading?.focus();
  };

  return (
    <section aria-labelledby="linked-accounts">
      <h2 id="linked-accounts" tabindex={-1} ref={heading}>
        Accounts you sign in with
      </h2>
      <p class="visually-hidden" role="status">
        {done()}
      </p>
      <ul class="cards">
        <For each={identities.items()}>
          {(identity) => (
            <li class="card">
              <div class="card-head">
                <h3>{identity.provider.name}</h3>
              </div>
              <dl class="facts">
                <dt>As</dt>
                <dd>{identity.name}</dd>
                <Show when={identity.email}>
                  {(email) => (
                    <>
                      <dt>E-mail</dt>
                      <dd>
                        {email()}
                        {identity.isEmailVerified ? "" : " (not verified there)"}
                      </dd>
                    </>
                  )}
                </Show>
                <dt>Linked</dt>
                <dd>
                  <Moment at={identity.createdAt} />
                </dd>
                <dt>Last used</dt>
                <dd>
                  <Moment at={identity.lastUsedAt} />
                </dd>
              </dl>
              <ConfirmButton
                label="Unlink"
                subject={`${identity.provider.name}, ${identity.name}`}
                question="You can no longer sign in with it. Where you are signed in, you stay so."
                confirmLabel="Unlink it"
                onConfirm={() => unlink(identity)}
              />
            </li>
          )}
        </For>
      </ul>
      <ListStatus list={identities} empty="None: you signed in with a link." />
      <Show when={props.site.signIn.providers.length > 0}>
        <div class="buttons">
          <For each={props.site.signIn.providers}>
            {({ id, name }) => (
              <button type="button" class="button small" disabled={linking.isBusy()} onClick={() => link(id)}>
                Link {name}
              </button>
            )}
          </For>
        </div>
      </Show>
      <ProblemNote problem={linking.problem()} />
    </section>
  );
}
