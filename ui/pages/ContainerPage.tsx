import { For, Show } from "solid-js";
import { ask } from "../api/client.ts";
import type { ContainerDetails, Image, Site, Tag } from "../api/schema.d.ts";
import { pull, pullAnonymously } from "../client-lines.ts";
import { CopyBlock } from "../components/CopyBlock.tsx";
import { Found } from "../components/catalog/Found.tsx";
import { TagCard } from "../components/catalog/TagCard.tsx";
import { Topics } from "../components/catalog/Topics.tsx";
import { pullReference, roleWords, signatureWords, stateWords, visibilityWords } from "../components/catalog/words.ts";
import { DigestText } from "../components/DigestText.tsx";
import { ListStatus } from "../components/ListStatus.tsx";
import { Moment } from "../components/Moment.tsx";
import { createList } from "../list.ts";
import { counted, formatBytes } from "../numbers.ts";
import { catalogPath, namesAt, paths } from "../paths.ts";
import type { Visit } from "../visit.ts";
import { type ContainerAndTag, fetchContainer } from "./ContainerPage.data.ts";

/** A container: what it is, how to pull it, and its tags. `?tag=` puts one of them first. */
export function ContainerPage(props: Visit) {
  const [entity = "", collection = "", container = ""] = namesAt(location.pathname) ?? [];
  const tag = new URLSearchParams(location.search).get("tag") || null;
  return (
    <Found visit={props} fetch={() => fetchContainer({ entity, collection, container }, tag)}>
      {(found) => (
        <>
          <About container={found()} />
          <Pull site={props.site} container={found()} tag={tag} />
          <Show when={found().newestImage}>{(image) => <NewestImage image={image()} />}</Show>
          <Tags of={found()} />
        </>
      )}
    </Found>
  );
}

function About(props: { container: ContainerDetails }) {
  const it = () => props.container;
  return (
    <div class="hero">
      <p class="above">
        <a href={catalogPath(it().entity, it().collection)}>
          {it().entity}/{it().collection}
        </a>
      </p>
      <h1>{it().name}</h1>
      <Topics topics={it().topics} />
      <Show when={it().description !== ""}>
        <p class="plain-text">{it().description}</p>
      </Show>
      <dl class="facts">
        <dt>Visibility</dt>
        <dd>{visibilityWords[it().visibility].long}</dd>
        <Show when={roleWords(it())}>
          {(words) => (
            <>
              <dt>Your role</dt>
              <dd>{words()}</dd>
            </>
          )}
        </Show>
        <Show when={it().readOnly}>
          <dt>Read-only</dt>
          <dd>nothing may be pushed, tagged or deleted in it</dd>
        </Show>
        <dt>Content</dt>
        <dd>
          {counted(it().imageCount, "image")}, {formatBytes(it().sizeBytes)}
        </dd>
        <dt>Pulls</dt>
        <dd>{it().pullCount}</dd>
        <dt>Last change</dt>
        <dd>
          <Moment at={it().updatedAt} />
        </dd>
      </dl>
    </div>
  );
}

function Pull(props: { site: Site; container: ContainerAndTag; tag: string | null }) {
  const reference = () => pullReference(props.container, props.container.wanted);
  return (
    <section aria-labelledby="pull">
      <h2 id="pull">Pull</h2>
      <Show when={props.tag !== null && props.container.wanted === null}>
        <p role="status">There is no tag “{props.tag}” here.</p>
      </Show>
      <Show when={reference()} fallback={<p>There is nothing to pull yet.</p>}>
        {(image) => (
          <>
            <p>
              With this registry in use: <a href={paths.home}>how to connect a client</a>.
            </p>
            <CopyBlock label="With this registry in use" lines={pull(props.site, image())} />
            <Show when={props.container.visibility === "public" && !props.site.policies.isAuthRequired}>
              <h3>Without logging in</h3>
              <CopyBlock label="Without logging in" lines={pullAnonymously(props.site, image())} />
            </Show>
          </>
        )}
      </Show>
      <Show when={props.container.wanted}>
        {(tag) => (
          <>
            <p>The tag you came for is on:</p>
            <ul class="cards">
              <TagCard tag={tag()} of="as asked for" />
            </ul>
          </>
        )}
      </Show>
    </section>
  );
}

function NewestImage(props: { image: Image }) {
  const it = () => props.image;
  return (
    <section aria-labelledby="newest">
      <h2 id="newest">Newest image</h2>
      <dl class="facts">
        <dt>Digest</dt>
        <dd>
          <DigestText digest={it().digest} of="the newest image" />
        </dd>
        <Show when={it().tagCount > 0}>
          <dt>Tags</dt>
          <dd>
            {it().tags.join(", ")}
            {it().tagCount > it().tags.length ? ", …" : ""}
          </dd>
        </Show>
        <dt>Architecture</dt>
        <dd>{it().arch ?? "not known yet"}</dd>
        <dt>Size</dt>
        <dd>{formatBytes(it().sizeBytes ?? 0)}</dd>
        <dt>Signature</dt>
        <dd>{signatureWords(it())}</dd>
        <dt>Encryption</dt>
        <dd>{it().encrypted ? "Encrypted: to run it you need its key" : "Not encrypted"}</dd>
        <Show when={it().state}>
          {(state) => (
            <>
              <dt>State</dt>
              <dd>{stateWords(state())}</dd>
            </>
          )}
        </Show>
        <Show when={it().publishedAt}>
          {(at) => (
            <>
              <dt>Published</dt>
              <dd>
                <Moment at={at()} />
              </dd>
            </>
          )}
        </Show>
      </dl>
    </section>
  );
}

function Tags(props: { of: ContainerDetails }) {
  const { entity, collection, name: container, tags: first } = props.of;
  const list = createList<Tag>(
    (query) =>
      ask("GET /api/v1/containers/{entity}/{collection}/{container}/tags", {
        path: { entity, collection, container },
        query,
      }),
    first,
  );
  return (
    <section aria-labelledby="tags">
      <h2 id="tags">Tags</h2>
      <ul class="cards">
        <For each={list.items()}>{(tag) => <TagCard tag={tag} />}</For>
      </ul>
      <ListStatus list={list} empty="There are no tags." />
    </section>
  );
}
