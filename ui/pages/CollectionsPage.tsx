import { For, Show } from "solid-js";
import { ask } from "../api/client.ts";
import type { ListedCollection } from "../api/schema.d.ts";
import { SignInFirst } from "../components/catalog/Found.tsx";
import { Tally } from "../components/catalog/Tally.tsx";
import { firstLine, visibilityWords } from "../components/catalog/words.ts";
import { ListStatus } from "../components/ListStatus.tsx";
import { Moment } from "../components/Moment.tsx";
import { createList } from "../list.ts";
import { counted, formatBytes } from "../numbers.ts";
import { catalogPath } from "../paths.ts";
import type { Visit } from "../visit.ts";
import { addressOf, sorts, type Wanted, wantedBy } from "./CollectionsPage.data.ts";

/** The collections that the reader may see, or with `?mine=1` those they work in. */
export function CollectionsPage(props: Visit) {
  const wanted = wantedBy(location.search);
  if (wanted.isMine) props.onTitle("My collections");
  const needsUser = wanted.isMine || props.site.policies.isAuthRequired;
  return (
    <Show
      when={props.me !== null || !needsUser}
      fallback={
        <SignInFirst
          what={
            wanted.isMine
              ? "Then you see your collections here."
              : "This registry shows what it has to whoever is signed in."
          }
          next={addressOf(wanted)}
        />
      }
    >
      <div class="hero">
        <h1>{wanted.isMine ? "My collections" : "Collections"}</h1>
        <p class="lede">
          {wanted.isMine
            ? "Those that you own or contribute to, yourself or through a team."
            : "What you may see of this registry's collections."}
        </p>
        <Ways wanted={wanted} hasOwn={props.me !== null} />
      </div>
      <Collections wanted={wanted} />
    </Show>
  );
}

/** The same list otherwise. */
function Ways(props: { wanted: Wanted; hasOwn: boolean }) {
  const current = (isSo: boolean) => (isSo ? "true" : undefined);
  return (
    <>
      <Show when={props.hasOwn}>
        <nav class="ways" aria-label="Whose">
          <For each={[false, true]}>
            {(isMine) => (
              <a href={addressOf({ ...props.wanted, isMine })} aria-current={current(props.wanted.isMine === isMine)}>
                {isMine ? "Mine" : "All"}
              </a>
            )}
          </For>
        </nav>
      </Show>
      <nav class="ways" aria-label="Order">
        <For each={sorts}>
          {({ sort, label }) => (
            <a href={addressOf({ ...props.wanted, sort })} aria-current={current(props.wanted.sort === sort)}>
              {label}
            </a>
          )}
        </For>
      </nav>
    </>
  );
}

function Collections(props: { wanted: Wanted }) {
  const { sort, isMine } = props.wanted;
  const list = createList<ListedCollection>((query) =>
    ask("GET /api/v1/collections", { query: { ...query, sort, ...(isMine ? { mine: "1" } : {}) } }),
  );
  return (
    <div class="results">
      <ul class="cards">
        <For each={list.items()}>{(collection) => <CollectionCard collection={collection} />}</For>
      </ul>
      <ListStatus
        list={list}
        empty={isMine ? "You have no collections yet. A push makes one." : "There are no collections that you may see."}
      />
    </div>
  );
}

function CollectionCard(props: { collection: ListedCollection }) {
  const it = () => props.collection;
  return (
    <li class="card">
      <div class="card-head">
        <h2>
          <a href={catalogPath(it().entity, it().collection)}>
            {/* What the list goes by stands out. */}
            <span class="muted">{it().entity}/</span>
            {it().collection}
          </a>
        </h2>
        <span class="tag">{visibilityWords[it().visibility].short}</span>
      </div>
      <Show when={firstLine(it().summary)}>{(line) => <p>{line()}</p>}</Show>
      <Tally
        items={[
          it().isStarred ? `${counted(it().stars, "star")}, one of them yours` : counted(it().stars, "star"),
          counted(it().pulls, "pull"),
          counted(it().images, "image"),
          formatBytes(it().sizeBytes),
          <>
            changed <Moment at={it().updatedAt} />
          </>,
        ]}
      />
    </li>
  );
}
