import { createResource, createSignal, Match, Show, Switch } from "solid-js";
import { createAction } from "../action.ts";
import { type ApiError, ask, toApiError } from "../api/client.ts";
import type { SharedImage } from "../api/schema.d.ts";
import { downloadShared, pullShared } from "../client-lines.ts";
import { CopyBlock } from "../components/CopyBlock.tsx";
import { LoadFailure } from "../components/LoadFailure.tsx";
import { Moment } from "../components/Moment.tsx";
import { ProblemNote } from "../components/ProblemNote.tsx";
import { formatBytes } from "../numbers.ts";
import { SHARE_PREFIX } from "../paths.ts";

/** The image of a share link, for whoever has it. Opening this uses no download up: a button does. */
export function SharedImagePage() {
  const [secret = ""] = location.pathname.slice(SHARE_PREFIX.length).split("/");
  const [answer, { refetch, mutate }] = createResource(() => ask("GET /api/v1/shared/{secret}", { path: { secret } }));
  const useOne = () =>
    mutate(
      (known) => known && { ...known, downloadsLeft: known.downloadsLeft === null ? null : known.downloadsLeft - 1 },
    );
  const problem = () => (answer.state === "errored" ? toApiError(answer.error) : null);
  return (
    <Switch fallback={<p class="loading">Loading …</p>}>
      <Match when={problem()}>{(shown) => <Ended problem={shown()} onRetry={refetch} />}</Match>
      <Match when={answer.latest}>{(image) => <Shared secret={secret} image={image()} onUsed={useOne} />}</Match>
    </Switch>
  );
}

function Ended(props: { problem: ApiError; onRetry: () => void }) {
  return (
    <Show
      when={props.problem.code === "share-ended" || props.problem.code === "image-corrupt"}
      fallback={<LoadFailure problem={props.problem} onRetry={props.onRetry} />}
    >
      <div class="hero">
        <h1>{props.problem.code === "share-ended" ? "This link has ended" : "This image is damaged"}</h1>
        <p class="lede">{props.problem.message}</p>
      </div>
    </Show>
  );
}

function Shared(props: { secret: string; image: SharedImage; onUsed: () => void }) {
  const image = () => props.image;
  const hex = () => image().digest.replace(/^sha256\./, "");
  const downloading = createAction();
  const [hasBegun, setBegun] = createSignal(false);
  const download = () =>
    downloading.run(async () => {
      const { url } = await ask("POST /api/v1/shared/{secret}/downloads", { path: { secret: props.secret } });
      location.assign(url);
      setBegun(true);
      props.onUsed();
    });
  return (
    <>
      <div class="hero">
        <h1>{image().tag === null ? image().container : `${image().container}:${image().tag}`}</h1>
        <p class="lede">A container image for Apptainer and Singularity that somebody shares with you.</p>
        <dl class="facts">
          <dt>Size</dt>
          <dd>{formatBytes(image().sizeBytes)}</dd>
          <dt>Architecture</dt>
          <dd>{image().arch}</dd>
          <dt>SHA-256</dt>
          <dd>{hex()}</dd>
          <dt>Link ends</dt>
          <dd>
            <Moment at={image().expiresAt} />
          </dd>
          <Show when={image().downloadsLeft !== null}>
            <dt>Downloads left</dt>
            <dd>{image().downloadsLeft}</dd>
          </Show>
          <Show when={image().encrypted}>
            <dt>Encrypted</dt>
            <dd>yes: to run it you need its key</dd>
          </Show>
        </dl>
        <button
          type="button"
          class="button primary"
          disabled={downloading.isBusy() || image().downloadsLeft === 0}
          onClick={download}
        >
          Download
        </button>
        <p role="status">
          <Show when={hasBegun()}>
            The download has begun.
            {image().downloadsLeft === 0 ? " It was the last one of this link; it goes on to its end." : ""}
          </Show>
        </p>
        <ProblemNote problem={downloading.problem()} />
      </div>
      <section aria-labelledby="shell">
        <h2 id="shell">From a shell</h2>
        <Show when={image().downloadsLeft !== null}>
          <p>Each of these, and the button, uses one download.</p>
        </Show>
        <h3>With Apptainer</h3>
        <CopyBlock label="With Apptainer" lines={pullShared(image().url)} />
        <h3>With curl</h3>
        <p>The second line checks that it is the very image.</p>
        <CopyBlock label="With curl" lines={downloadShared(image().url, hex())} />
      </section>
    </>
  );
}
