declare global {
  interface Window {
    dataLayer?: unknown[];
  }
}

/**
 * Loads Google's script, where the registry's administrator set an id for it. The content policy lets it in on the same
 * condition. It is told no more than the page's path: a query may say where somebody wants to go.
 */
export function loadAnalytics(id: string): void {
  window.dataLayer = window.dataLayer ?? [];
  const queue = window.dataLayer;
  // Google's script reads `arguments` objects, and takes arrays for something else.
  function tell(..._words: unknown[]) {
    // biome-ignore lint/complexity/noArguments: see above.
    queue.push(arguments);
  }
  tell("js", new Date());
  tell("config", id, { page_location: `${location.origin}${location.pathname}` });
  const script = document.createElement("script");
  script.async = true;
  script.src = `https://www.googletagmanager.com/gtag/js?id=${encodeURIComponent(id)}`;
  document.head.append(script);
}
