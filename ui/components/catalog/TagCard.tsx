import { For, Show } from "solid-js";
import type { Tag } from "../../api/schema.d.ts";
import { formatBytes } from "../../numbers.ts";
import { DigestText } from "../DigestText.tsx";
import { Moment } from "../Moment.tsx";

/** A tag, and the image it is on for each architecture. `of` tells it from the same tag elsewhere on the page. */
export function TagCard(props: { tag: Tag; of?: string }) {
  const it = () => props.tag;
  const subject = (arch: string) => [`${it().name} for ${arch}`, ...(props.of ? [props.of] : [])].join(", ");
  return (
    <li class="card">
      <h3>{it().name}</h3>
      <ul class="architectures">
        <For each={it().architectures}>
          {(one) => (
            <li>
              <span class="arch">{one.arch}</span>
              <DigestText digest={one.digest} of={subject(one.arch)} />
              <span>{formatBytes(one.sizeBytes)}</span>
              <span class="muted">
                set <Moment at={one.updatedAt} />
              </span>
              <Show when={one.frozen}>
                <span class="tag">Frozen</span>
              </Show>
            </li>
          )}
        </For>
      </ul>
    </li>
  );
}
