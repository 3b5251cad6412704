import { onMount } from "solid-js";
import type { MadeToken, Site } from "../../api/schema.d.ts";
import { addRemote, login, saveToken } from "../../client-lines.ts";
import { CopyBlock } from "../CopyBlock.tsx";

/** A new token, this once, and what to do with it. */
export function NewTokenShown(props: { site: Site; made: MadeToken; onDone: () => void }) {
  let heading: HTMLHeadingElement | undefined;
  onMount(() => heading?.focus());
  return (
    <div class="secret">
      <h3 tabindex={-1} ref={heading}>
        “{props.made.token.name}” is made. Copy it now
      </h3>
      <p>It is not shown again. Whoever has it can act as you.</p>
      <CopyBlock label="The token" lines={[props.made.secret]} isText />
      <p>Put it into a file: after this line paste it, press Enter, and then Control and D.</p>
      <CopyBlock label="Save the token" lines={saveToken()} />
      <p>Then add the registry to your client's remotes, unless it is there already, and log in:</p>
      <CopyBlock label="Add the registry and log in" lines={[...addRemote(props.site), ...login(props.site)]} />
      <p>
        <code>Access Token Verified!</code> says that it worked. The client keeps the token: delete the file.
      </p>
      <button type="button" class="button" onClick={() => props.onDone()}>
        I have copied it
      </button>
    </div>
  );
}
