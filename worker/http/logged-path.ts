/** A path as the log may have it: whoever reads a share's address could use it. */
export function loggedPath(path: string): string {
  return path.replace(/^\/+(s|api\/v1\/shared)\/.*$/is, "/$1/…");
}
