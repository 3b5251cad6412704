import { type JSX, Show } from "solid-js";

interface FieldProps {
  id: string;
  label: string;
  hint?: string;
  fault?: string | undefined;
  /** Gets what it must bear, so that the hint and the fault are read with it. */
  children: (bound: { id: string; "aria-describedby": string; "aria-invalid": boolean }) => JSX.Element;
}

/** A labelled control, with a hint that gives way to what is wrong. */
export function Field(props: FieldProps) {
  return (
    <div class="field">
      <label for={props.id}>{props.label}</label>
      {props.children({
        id: props.id,
        "aria-describedby": `${props.id}-hint`,
        get "aria-invalid"() {
          return props.fault !== undefined;
        },
      })}
      <span id={`${props.id}-hint`} class="hint" classList={{ wrong: props.fault !== undefined }}>
        <Show when={props.fault} fallback={props.hint}>
          {props.fault}
        </Show>
      </span>
    </div>
  );
}
