/** The addresses of the pages. Apart from routes.ts, because the pages that stand there link to one another. */
export const paths = {
  home: "/",
  login: "/login",
  register: "/auth/register",
  link: "/auth/link",
  tokens: "/auth/tokens",
  account: "/account",
  terms: "/terms",
} as const;

/** The addresses where secrets are shown or taken: no script of anybody else's is loaded there. */
export const pathsWithSecrets: readonly string[] = [
  paths.login,
  paths.register,
  paths.link,
  paths.tokens,
  paths.account,
];

/** A page that leads on to `next` when it is done. */
export function leadingOn(path: typeof paths.login | typeof paths.terms, next: string): string {
  return next === paths.home ? path : `${path}?${new URLSearchParams({ next })}`;
}
