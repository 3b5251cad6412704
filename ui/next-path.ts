import { paths } from "./paths.ts";

/**
 * Where to go on, from the address bar: a path of this registry, whatever stands there. Browsers drop tabs and line
 * breaks from an address and read `\` as `/`, so what they make of the text is looked at, not the text.
 */
export function nextPath(search: string, origin: string): string {
  const given = new URLSearchParams(search).get("next") ?? "";
  // 1024 is what the registry takes.
  if (!given.startsWith("/") || given.length > 1024 || !URL.canParse(given, origin)) return paths.home;
  const url = new URL(given, origin);
  const path = `${url.pathname}${url.search}${url.hash}`;
  // `/.//elsewhere` becomes `//elsewhere`, which names another host.
  return url.origin === origin && !path.startsWith("//") ? path : paths.home;
}

const KEY = "next";

/** Keeps where to go on while the browser is at an identity provider, from where it may come back to choose a name. */
export function rememberNext(path: string): void {
  sessionStorage.setItem(KEY, path);
}

/** The same, once; the home page where there is none. */
export function recallNext(origin: string): string {
  const kept = sessionStorage.getItem(KEY) ?? paths.home;
  sessionStorage.removeItem(KEY);
  return nextPath(new URLSearchParams({ next: kept }).toString(), origin);
}
