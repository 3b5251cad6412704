/** The addresses of the pages. Apart from routes.ts, because the pages that stand there link to one another. */
export const paths = {
  home: "/",
  collections: "/collections",
  login: "/login",
  register: "/auth/register",
  link: "/auth/link",
  tokens: "/auth/tokens",
  account: "/account",
  terms: "/terms",
  invitations: "/invitations",
} as const;

/** The addresses where secrets are shown or taken: no script of anybody else's is loaded there. */
export const pathsWithSecrets: readonly string[] = [
  paths.login,
  paths.register,
  paths.link,
  paths.tokens,
  paths.account,
  paths.invitations,
];

/** Where share links begin. Their pages take the secret from the address, and load nothing of anybody else's either. */
export const SHARE_PREFIX = "/s/";

/** A page that leads on to `next` when it is done. */
export function leadingOn(path: typeof paths.login | typeof paths.terms, next: string): string {
  return next === paths.home ? path : `${path}?${new URLSearchParams({ next })}`;
}

const name = "[a-z0-9]+(?:[._-][a-z0-9]+)*";
const catalogAddress = new RegExp(`^/${name}/${name}(?:/${name})?$`, "i");
const NAME_LENGTH = 80;

/**
 * The names in the address of a collection's page (two) or a container's (three); null for every other address. What may
 * not be an entity's name is no exception here: the registry knows nothing by it.
 */
export function namesAt(pathname: string): string[] | null {
  if (!catalogAddress.test(pathname)) return null;
  const names = pathname.slice(1).toLowerCase().split("/");
  return names.every((one) => one.length <= NAME_LENGTH) ? names : null;
}

/** The address of the page of what these name: an entity's collection, or a container in it. */
export function catalogPath(...names: readonly string[]): string {
  return `/${names.map((one) => encodeURIComponent(one)).join("/")}`;
}
