/*
 * Addresses of Singularity Registry Server's pages, which stand in papers and bookmarks, and where the same is now.
 * Told by their form alone: nothing is looked up, and so nothing is told of what there is. What the original called by a
 * number of its own (`/collections/12`, `/teams/3/view`) cannot be named, nor a collection without an owner
 * (`/containers/tools/app:v1`): whose it is now, only a look would tell.
 */

export interface OldAddress {
  from: RegExp;
  to: (names: readonly string[], query: URLSearchParams) => string;
}

// As names are written here, so that a target is always a path of ours.
const name = "([A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*)";
// A number was the original's own, with what to do behind it: `/collections/12/settings`.
const entityName = `(?!\\d+/)${name}`;
const tag = "([A-Za-z0-9_][A-Za-z0-9._-]*)";
const word = "([^/\\\\]+)";

const address = (from: string, to: OldAddress["to"]): OldAddress => ({ from: new RegExp(`^${from}/?$`), to });

const leadsTo = (path: string) => () => path;

/** Those whose pages are there. */
export const oldAddresses: readonly OldAddress[] = [
  address("/about", leadsTo("/")),
  address("/accounts/login", toSignIn),
  // The page itself is the one without a slash.
  { from: /^\/login\/$/, to: toSignIn },
  { from: /^\/terms\/$/, to: leadsTo("/terms") },
  { from: /^\/auth\/tokens\/$/, to: leadsTo("/auth/tokens") },
  address("/token(?:/update)?", leadsTo("/auth/tokens")),
  address("/u/(?:profile|delete)", leadsTo("/account")),
  // The page itself is the one without a slash.
  { from: /^\/collections\/$/, to: leadsTo("/collections") },
  address("/collections/my", leadsTo("/collections?mine=1")),
  address("/collections/stars", leadsTo("/collections?sort=stars")),
  address("/collections/downloads", leadsTo("/collections?sort=pulls")),
  // Only of collections with a slash in their names, where that before it became the entity.
  address(`/collections/${entityName}/${name}`, ([entity, collection]) => `/${entity}/${collection}`),
  address(
    `/containers/${entityName}/${name}/${name}:${tag}`,
    ([entity, collection, container, version]) => `/${entity}/${collection}/${container}?tag=${version}`,
  ),
];

/** Those whose pages are still to come: each goes into the list above together with its page. */
export const oldAddressesToCome: readonly OldAddress[] = [
  address("/tags", leadsTo("/topics")),
  address(`/labels/key/${word}`, ([key]) => `/labels/${key}`),
  address(`/labels/key/${word}/value/${word}`, ([key, value]) => `/labels/${key}/${value}`),
  address("/tools/sizes", leadsTo("/statistics")),
  address(`/u/profile/${name}`, ([username]) => `/${username}`),
  address(`/search/${word}`, ([text]) => `/search?q=${text}`),
];

/**
 * Where what stood at an address of the original is now; null for every other address.
 * @param path as it stands in the URL
 */
export function addressNow(
  path: string,
  query: URLSearchParams,
  addresses: readonly OldAddress[] = oldAddresses,
): string | null {
  for (const { from, to } of addresses) {
    const match = from.exec(path);
    if (match !== null) return to(match.slice(1), query);
  }
  return null;
}

/** Where to go on comes along, if it is a path of this registry. */
function toSignIn(_: readonly string[], query: URLSearchParams): string {
  const next = query.get("next") ?? "";
  return /^\/(?![/\\])/.test(next) ? `/login?next=${encodeURIComponent(next)}` : "/login";
}
