/* What images are made of that say something: texts, and numbers in a few characters. */

/** Such as `987`, `1.2k`, `34M`. */
export function shortNumber(value: number): string {
  const units = ["", "k", "M", "G", "T"];
  const power = value < 1000 ? 0 : Math.min(Math.floor(Math.log10(value) / 3), units.length - 1);
  // Cut, not rounded: 999,999 are no million.
  const scaled = value / 1000 ** power;
  const shown = power > 0 && scaled < 10 ? Math.floor(scaled * 10) / 10 : Math.floor(scaled);
  return `${shown}${units[power]}`;
}

/** Such as `987 B`, `1.2 MiB`. */
export function shortBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  const scaled = bytes / 1024 ** power;
  return `${power > 0 && scaled < 10 ? scaled.toFixed(1) : Math.floor(scaled)} ${units[power]}`;
}

/** The same text, or its beginning and an ellipsis. */
export function shorten(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, Math.max(0, most - 1)).join("")}…`;
}

/** Text as XML has it, without what XML cannot have at all. */
export function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, "?").replace(/[&<>"']/g, (one) => entities[one] ?? "");
}
