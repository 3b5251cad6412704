/** Says why there is nothing to show, and lets the reader try again. */
export function LoadFailure(props: { reason: string; onRetry: () => void }) {
  return (
    <section class="failure" role="alert">
      <h1>This page could not be loaded</h1>
      <p>{props.reason}</p>
      <button type="button" class="button" onClick={() => props.onRetry()}>
        Retry
      </button>
    </section>
  );
}
