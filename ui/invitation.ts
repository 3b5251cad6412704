/*
 * The secret of an invitation, behind the `#` of its link. It leaves the address bar and the browser's history at once,
 * and is kept in this tab until it was used: whoever must sign in first, perhaps elsewhere, comes back with the path
 * alone, so that it is never sent in an address.
 */
const KEY = "invitation";

/** Takes it out of the address, where there is one. */
export function keepInvitation(): void {
  const fragment = location.hash.slice(1);
  if (fragment === "") return;
  sessionStorage.setItem(KEY, fragment);
  history.replaceState(null, "", location.pathname);
}

/** Empty where there is none. */
export function keptInvitation(): string {
  return sessionStorage.getItem(KEY) ?? "";
}

/** It leads nowhere any more. */
export function forgetInvitation(): void {
  sessionStorage.removeItem(KEY);
}
