import { createResource, createSignal, Match, Show, Switch } from "solid-js";
import { createAction } from "../../action.ts";
import { ApiError, ask, toApiError } from "../../api/client.ts";
import type { MadeSregistryKey, Site, SregistryKey } from "../../api/schema.d.ts";
import { sregistryFile } from "../../client-lines.ts";
import { ConfirmButton } from "../ConfirmButton.tsx";
import { CopyBlock } from "../CopyBlock.tsx";
import { Moment } from "../Moment.tsx";
import { ProblemNote } from "../ProblemNote.tsx";

/** The one key that sregistry-cli signs its requests with. It is no token, and no token takes its place. */
export function SregistryKeySection(props: { site: Site; username: string }) {
  const [key, { mutate }] = createResource(findKey);
  const known = () => (key.state === "errored" ? undefined : key.latest);
  const [made, setMade] = createSignal<MadeSregistryKey | null>(null);
  let heading: HTMLHeadingElement | undefined;
  const make = async () => {
    const answer = await ask("POST /api/v1/sregistry-key");
    setMade(answer);
    mutate(answer.key);
  };
  const end = async () => {
    await ask("DELETE /api/v1/sregistry-key");
    setMade(null);
    mutate(null);
    heading?.focus();
  };

  return (
    <section aria-labelledby="sregistry-key">
      <h2 id="sregistry-key" tabindex={-1} ref={heading}>
        Key for sregistry-cli
      </h2>
      <p>The older client signs its requests with a key of its own. You have one at most; Apptainer needs none.</p>
      <Show when={made()} keyed>
        {(answer) => <KeyShown site={props.site} username={props.username} secret={answer.secret} />}
      </Show>
      <Switch>
        <Match when={key.state === "errored"}>
          <ProblemNote problem={toApiError(key.error)} />
        </Match>
        <Match when={known() === null}>
          <FirstKey onMake={make} />
        </Match>
        <Match when={known()}>
          {(present) => <PresentKey sregistryKey={present()} onReplace={make} onEnd={end} />}
        </Match>
      </Switch>
    </section>
  );
}

function FirstKey(props: { onMake: () => Promise<void> }) {
  const making = createAction();
  return (
    <>
      <button type="button" class="button" disabled={making.isBusy()} onClick={() => making.run(props.onMake)}>
        Make a key
      </button>
      <ProblemNote problem={making.problem()} />
    </>
  );
}

function PresentKey(props: { sregistryKey: SregistryKey; onReplace: () => Promise<void>; onEnd: () => Promise<void> }) {
  return (
    <>
      <p>
        You have a key since <Moment at={props.sregistryKey.createdAt} />,{" "}
        <Show when={props.sregistryKey.lastUsedAt} fallback="not used yet">
          {(at) => (
            <>
              last used <Moment at={at()} />
            </>
          )}
        </Show>
        .
      </p>
      <div class="buttons">
        <ConfirmButton
          label="Replace"
          subject="the key"
          question="The key you have ends at once; what uses it needs the new one."
          confirmLabel="Make a new key"
          onConfirm={props.onReplace}
        />
        <ConfirmButton
          label="End"
          subject="the key"
          question="sregistry-cli cannot do anything in your name from then on."
          confirmLabel="End it"
          onConfirm={props.onEnd}
        />
      </div>
    </>
  );
}

function KeyShown(props: { site: Site; username: string; secret: string }) {
  return (
    <div class="secret">
      <h3 tabindex={-1} ref={(element) => queueMicrotask(() => element.focus())}>
        Your new key. Copy it now
      </h3>
      <p>
        It is not shown again. This is how it stands in <code>~/.sregistry</code>, which must be readable by you alone:
      </p>
      <CopyBlock label="~/.sregistry" lines={sregistryFile(props.site, props.username, props.secret)} isText />
    </div>
  );
}

async function findKey(): Promise<SregistryKey | null> {
  try {
    return await ask("GET /api/v1/sregistry-key");
  } catch (error) {
    if (error instanceof ApiError && error.code === "not-found") return null;
    throw error;
  }
}
