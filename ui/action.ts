import { createSignal } from "solid-js";
import { type ApiError, toApiError } from "./api/client.ts";
import { leadingOn, paths } from "./paths.ts";

/** Something a reader does that asks the registry: one at a time, and what went wrong is kept to be shown. */
export interface Action {
  isBusy: () => boolean;
  problem: () => ApiError | null;
  /** Does it; not twice at once. Never rejects. */
  run: (act: () => Promise<void>) => Promise<void>;
  forget: () => void;
}

export function createAction(): Action {
  const [isBusy, setBusy] = createSignal(false);
  const [problem, setProblem] = createSignal<ApiError | null>(null);
  const run = async (act: () => Promise<void>) => {
    if (isBusy()) return;
    setBusy(true);
    setProblem(null);
    try {
      await act();
    } catch (thrown) {
      const error = toApiError(thrown);
      // There are new terms since this page was loaded.
      if (error.code === "terms-required" && location.pathname !== paths.register) {
        location.assign(leadingOn(paths.terms, location.pathname));
      }
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, problem, run, forget: () => setProblem(null) };
}
