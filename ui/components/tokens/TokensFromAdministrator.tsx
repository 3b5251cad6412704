import type { Site } from "../../api/schema.d.ts";
import { addToken, addUser, login } from "../../client-lines.ts";
import { paths } from "../../paths.ts";
import { Contact } from "../Contact.tsx";
import { CopyBlock } from "../CopyBlock.tsx";

/** How to get a token from an administrator, for those who cannot sign in. */
export function TokensFromAdministrator(props: { site: Site }) {
  return (
    <section aria-labelledby="without-signing-in">
      <h2 id="without-signing-in">Without signing in</h2>
      <p>An administrator can make a token for you.</p>
      <ol class="steps">
        <li>
          <h3>Ask an administrator</h3>
          <p>
            Say which user name you would like. <Contact site={props.site} />
          </p>
        </li>
        <li>
          <h3>The administrator makes the token</h3>
          <p>
            In the registry's folder, with your user name in place of <code>NAME</code>. If you are new, the user comes
            first:
          </p>
          <CopyBlock label="Create a user" lines={addUser(props.site, "NAME")} />
          <p>
            Then the token, which goes into the file <code>token.txt</code>:
          </p>
          <CopyBlock label="Make a token" lines={addToken(props.site, "NAME")} />
        </li>
        <li>
          <h3>Log in with it</h3>
          <p>
            In the folder that holds <code>token.txt</code>. The registry must be{" "}
            <a href={paths.home}>among your client's remotes</a> first.
          </p>
          <CopyBlock label="Log in" lines={login(props.site)} />
          <p>
            <code>Access Token Verified!</code> says that it worked. The client keeps the token: delete the file.
          </p>
        </li>
      </ol>
    </section>
  );
}
