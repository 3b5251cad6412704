import { createCopying } from "../copy.ts";

/** The beginning of a digest, and a button that copies all of it. `of` says whose it is. */
export function DigestText(props: { digest: string; of: string }) {
  const { outcome, copy } = createCopying();
  let code: HTMLElement | undefined;
  return (
    <span class="digest">
      {/* All of it stands there, and the style cuts it off: what is selected is whole. */}
      <code ref={code} title={props.digest}>
        {props.digest}
      </code>
      <button type="button" class="copy-button" onClick={() => copy(props.digest, code)}>
        <span aria-hidden="true">{outcome()?.shown ?? "Copy"}</span>
        <span class="visually-hidden">Copy the digest of {props.of}</span>
      </button>
      <span class="visually-hidden" role="status">
        {outcome()?.spoken}
      </span>
    </span>
  );
}
