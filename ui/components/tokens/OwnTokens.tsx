import { createSignal, For, Show } from "solid-js";
import { ask } from "../../api/client.ts";
import type { MadeToken, Site, Token } from "../../api/schema.d.ts";
import { createList } from "../../list.ts";
import { ConfirmButton } from "../ConfirmButton.tsx";
import { ListStatus } from "../ListStatus.tsx";
import { Moment } from "../Moment.tsx";
import { NewTokenForm } from "./NewTokenForm.tsx";
import { NewTokenShown } from "./NewTokenShown.tsx";

const states: Record<Token["state"], string> = { active: "Active", expired: "Expired", revoked: "Revoked" };

/** One's tokens: a new one, and those there are. */
export function OwnTokens(props: { site: Site }) {
  const tokens = createList<Token>((query) => ask("GET /api/v1/tokens", { query }));
  const [made, setMade] = createSignal<MadeToken | null>(null);
  const [done, setDone] = createSignal("");
  let heading: HTMLHeadingElement | undefined;
  const showMade = (token: MadeToken) => {
    setMade(token);
    void tokens.reload();
  };
  const revoke = async ({ id, name }: Token) => {
    await ask("DELETE /api/v1/tokens/{id}", { path: { id } });
    if (made()?.token.id === id) setMade(null);
    await tokens.reload();
    setDone(`${name} is revoked.`);
    heading?.focus();
  };

  return (
    <>
      <section aria-labelledby="new-token">
        <h2 id="new-token">New token</h2>
        <Show when={made()} keyed fallback={<NewTokenForm site={props.site} onMade={showMade} />}>
          {(token) => <NewTokenShown site={props.site} made={token} onDone={() => setMade(null)} />}
        </Show>
      </section>
      <section aria-labelledby="your-tokens">
        <h2 id="your-tokens" tabindex={-1} ref={heading}>
          Your tokens
        </h2>
        <p class="visually-hidden" role="status">
          {done()}
        </p>
        <ul class="cards">
          <For each={tokens.items()}>{(token) => <TokenCard token={token} onRevoke={() => revoke(token)} />}</For>
        </ul>
        <ListStatus list={tokens} empty="You have no tokens yet." />
      </section>
    </>
  );
}

function TokenCard(props: { token: Token; onRevoke: () => Promise<void> }) {
  const token = () => props.token;
  const isActive = () => token().state === "active";
  return (
    <li class="card" classList={{ ended: !isActive() }}>
      <div class="card-head">
        <h3>{token().name}</h3>
        <span class="tag" classList={{ good: isActive() }}>
          {states[token().state]}
        </span>
      </div>
      <dl class="facts">
        <dt>May</dt>
        <dd>{token().scopes.join(", ")}</dd>
        <dt>Where</dt>
        <dd>{token().collection === null ? "everywhere you may" : whereOf(token().collection)}</dd>
        <dt>{token().state === "expired" ? "Expired" : "Expires"}</dt>
        <dd>
          <Show when={token().expiresAt} fallback="never">
            {(at) => <Moment at={at()} />}
          </Show>
        </dd>
        <dt>Last used</dt>
        <dd>
          <Show when={token().lastUsedAt} fallback="never">
            {(at) => <Moment at={at()} />}
          </Show>
        </dd>
        <dt>Made</dt>
        <dd>
          <Moment at={token().createdAt} />
          <Show when={token().publisher}>{(publisher) => <> for {publisher()}</>}</Show>
        </dd>
        <dt>Ends with</dt>
        <dd>
          <code>…{token().hint}</code>
        </dd>
      </dl>
      <Show when={isActive()}>
        <ConfirmButton
          label="Revoke"
          subject={`${token().name}, which ends with ${token().hint}`}
          question={`Clients that use “${token().name}” stop working at once. It cannot be brought back.`}
          confirmLabel="Revoke it"
          onConfirm={props.onRevoke}
        />
      </Show>
    </li>
  );
}

/** @param collection as the registry says it: a path, or that it is gone */
function whereOf(collection: string | null): string {
  return collection === "deleted" ? "nowhere: its collection was deleted" : `only ${collection}`;
}
