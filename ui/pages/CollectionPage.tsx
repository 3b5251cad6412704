import { For, Show } from "solid-js";
import { ask } from "../api/client.ts";
import type { Collection, ListedContainer } from "../api/schema.d.ts";
import { Found } from "../components/catalog/Found.tsx";
import { ShareLinks } from "../components/catalog/ShareLinks.tsx";
import { StarButton } from "../components/catalog/StarButton.tsx";
import { Tally } from "../components/catalog/Tally.tsx";
import { Topics } from "../components/catalog/Topics.tsx";
import { firstLine, roleWords, visibilityWords } from "../components/catalog/words.ts";
import { ListStatus } from "../components/ListStatus.tsx";
import { Moment } from "../components/Moment.tsx";
import { createList, type List } from "../list.ts";
import { counted, formatBytes } from "../numbers.ts";
import { catalogPath, namesAt } from "../paths.ts";
import type { Visit } from "../visit.ts";

/** A collection: what it is, and the containers in it. */
export function CollectionPage(props: Visit) {
  const [entity = "", collection = ""] = namesAt(location.pathname) ?? [];
  const path = { entity, collection };
  // Asked for together.
  const containers = createList<ListedContainer>((query) =>
    ask("GET /api/v1/collections/{entity}/{collection}/containers", { path, query }),
  );
  return (
    <Found visit={props} fetch={() => ask("GET /api/v1/collections/{entity}/{collection}", { path })}>
      {(found) => (
        <>
          <About collection={found()} />
          <Show when={found().visibility === "public"}>
            <ShareLinks site={props.site} collection={found()} />
          </Show>
          <section aria-labelledby="containers">
            <h2 id="containers">Containers</h2>
            <Containers in={found()} list={containers} />
          </section>
        </>
      )}
    </Found>
  );
}

function About(props: { collection: Collection }) {
  const it = () => props.collection;
  return (
    <div class="hero">
      <h1>
        <span class="muted">{it().entity}/</span>
        {it().collection}
      </h1>
      <Show when={it().description !== ""}>
        <p class="plain-text">{it().description}</p>
      </Show>
      <dl class="facts">
        <dt>Visibility</dt>
        <dd>{visibilityWords[it().visibility].long}</dd>
        <Show when={it().owner}>
          {(owner) => (
            <>
              <dt>Owner</dt>
              <dd>{owner().kind === "team" ? `team ${owner().name}` : owner().name}</dd>
            </>
          )}
        </Show>
        <Show when={roleWords(it())}>
          {(words) => (
            <>
              <dt>Your role</dt>
              <dd>{words()}</dd>
            </>
          )}
        </Show>
        <Show when={it().shortName}>
          {(short) => (
            <>
              <dt>Short name</dt>
              <dd>
                <code>{short()}</code>, for references of two parts
              </dd>
            </>
          )}
        </Show>
        <dt>Content</dt>
        <dd>
          {counted(it().images, "image")}, {formatBytes(it().sizeBytes)}
        </dd>
        <dt>Pulls</dt>
        <dd>{it().pulls}</dd>
        <dt>Last change</dt>
        <dd>
          <Moment at={it().updatedAt} />
        </dd>
        <dt>Stars</dt>
        <dd class="stars">
          <StarButton collection={it()} />
        </dd>
      </dl>
    </div>
  );
}

function Containers(props: { in: Collection; list: List<ListedContainer> }) {
  return (
    <>
      <ul class="cards">
        <For each={props.list.items()}>{(container) => <ContainerCard in={props.in} container={container} />}</For>
      </ul>
      <ListStatus list={props.list} empty="There is nothing in it yet. A push makes a container." />
    </>
  );
}

function ContainerCard(props: { in: Collection; container: ListedContainer }) {
  const it = () => props.container;
  return (
    <li class="card">
      <div class="card-head">
        <h3>
          <a href={catalogPath(props.in.entity, props.in.collection, it().name)}>{it().name}</a>
        </h3>
        <Show when={it().readOnly}>
          <span class="tag">Read-only</span>
        </Show>
      </div>
      <Show when={firstLine(it().description)}>{(line) => <p>{line()}</p>}</Show>
      <Topics topics={it().topics} of={it().name} />
      <Tally
        items={[
          counted(it().imageCount, "image"),
          formatBytes(it().sizeBytes),
          counted(it().pullCount, "pull"),
          <>
            changed <Moment at={it().updatedAt} />
          </>,
        ]}
      />
    </li>
  );
}
