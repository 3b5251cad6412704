import { createSignal, For, Show } from "solid-js";
import { createStore } from "solid-js/store";
import { createAction } from "../../action.ts";
import { ask } from "../../api/client.ts";
import type { MadeToken, Scope, Site } from "../../api/schema.d.ts";
import { Field } from "../Field.tsx";
import { ProblemNote } from "../ProblemNote.tsx";
import {
  type DraftFaults,
  type Expiry,
  emptyDraft,
  expiryChoices,
  faultsOf,
  requestOf,
  scopeChoices,
  type TokenDraft,
} from "./NewTokenForm.data.ts";

/** Asks what a token is for, and makes it. */
export function NewTokenForm(props: { site: Site; onMade: (made: MadeToken) => void }) {
  const [draft, setDraft] = createStore<TokenDraft>({ ...emptyDraft });
  // Nothing is called wrong before somebody wanted to make a token of it.
  const [isTried, setTried] = createSignal(false);
  const faults = (): DraftFaults => (isTried() ? faultsOf(draft, props.site.limits.tokenDays) : {});
  const making = createAction();
  let form: HTMLFormElement | undefined;

  const make = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(faults()).length > 0) {
      form?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
      return;
    }
    void making.run(async () => props.onMade(await ask("POST /api/v1/tokens", { body: requestOf(draft) })));
  };

  return (
    <form class="form" ref={form} onSubmit={make} novalidate>
      <Field
        id="token-name"
        label="Name"
        hint="To tell it from others: the machine it is for, say."
        fault={faults().name}
      >
        {(bound) => (
          <input
            {...bound}
            type="text"
            autocomplete="off"
            maxlength={100}
            value={draft.name}
            onInput={(event) => setDraft("name", event.currentTarget.value)}
          />
        )}
      </Field>
      <ScopeBoxes scopes={draft.scopes} fault={faults().scopes} onChange={(scopes) => setDraft("scopes", scopes)} />
      <Field
        id="token-collection"
        label="Only for one collection"
        hint="Empty: for all that you may use. Else such as alice/tools."
        fault={faults().collection}
      >
        {(bound) => (
          <input
            {...bound}
            type="text"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            value={draft.collection}
            onInput={(event) => setDraft("collection", event.currentTarget.value)}
          />
        )}
      </Field>
      <ExpiryFields draft={draft} fault={faults().days} onChange={(change) => setDraft(change)} />
      <ProblemNote problem={making.problem()} />
      <button type="submit" class="button primary" disabled={making.isBusy()}>
        Make the token
      </button>
    </form>
  );
}

function ScopeBoxes(props: {
  scopes: readonly Scope[];
  fault: string | undefined;
  onChange: (scopes: readonly Scope[]) => void;
}) {
  // In their own order, whatever the order of the clicks.
  const toggled = (scope: Scope) =>
    scopeChoices.map((choice) => choice.scope).filter((one) => (one === scope) !== props.scopes.includes(one));
  return (
    <fieldset class="choices" aria-describedby="scopes-fault">
      <legend>It may</legend>
      <For each={scopeChoices}>
        {({ scope, label, about }) => (
          <div class="check">
            <input
              id={`scope-${scope}`}
              type="checkbox"
              checked={props.scopes.includes(scope)}
              aria-invalid={props.fault !== undefined}
              aria-describedby={`scope-${scope}-about`}
              onChange={() => props.onChange(toggled(scope))}
            />
            <label for={`scope-${scope}`}>{label}</label>
            <span id={`scope-${scope}-about`} class="hint">
              {about}
            </span>
          </div>
        )}
      </For>
      <span id="scopes-fault" class="hint wrong">
        {props.fault}
      </span>
    </fieldset>
  );
}

function ExpiryFields(props: {
  draft: TokenDraft;
  fault: string | undefined;
  onChange: (change: Partial<TokenDraft>) => void;
}) {
  return (
    <>
      <Field id="token-expiry" label="Expires">
        {(bound) => (
          <select {...bound} onChange={(event) => props.onChange({ expiry: event.currentTarget.value as Expiry })}>
            {/* Not the select's own value: it is set before there is an option to choose. */}
            <For each={expiryChoices}>
              {({ value, label }) => (
                <option value={value} selected={value === props.draft.expiry}>
                  {label}
                </option>
              )}
            </For>
          </select>
        )}
      </Field>
      <Show when={props.draft.expiry === "other"}>
        <Field id="token-days" label="Days" fault={props.fault}>
          {(bound) => (
            <input
              {...bound}
              type="text"
              inputmode="numeric"
              autocomplete="off"
              value={props.draft.days}
              onInput={(event) => props.onChange({ days: event.currentTarget.value.trim() })}
            />
          )}
        </Field>
      </Show>
    </>
  );
}
