import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";

/** What SQLite's unicode61 takes for letters of a word; whatever else stands between them ends one. */
const NO_LETTERS = /[^\p{L}\p{N}\p{M}\p{Co}]+/u;

/**
 * The FTS5 expression for what somebody typed: all its words, each as the beginning of a word, in any text of a
 * document. Words of names are found by any part of three characters or more (column `parts`). Case and accents do
 * not matter. A single letter is found only as a whole word: as a beginning it would be nearly everything, and the
 * index holds beginnings of two to four letters ready.
 * @param given has been held against the limits (`searchText`)
 * @returns null for a text without letters or digits, which finds nothing
 */
export function matchOf(given: string): string | null {
  const words = given.split(/\s+/).map(matchWord);
  const terms = words.filter((term) => term !== null);
  return terms.length === 0 ? null : `- facts : (${terms.join(" AND ")})`;
}

/** What somebody typed, without what no document holds. @throws `body-invalid` for one that is too short or too long */
export function searchText(given: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a NUL would end the expression
  const text = given.replace(/[\u0000-\u001f]+/g, " ").trim();
  if (text.length >= limits.searchMinLength && text.length <= limits.searchMaxLength) return text;
  const bounds = `${limits.searchMinLength} to ${limits.searchMaxLength}`;
  throw new RegistryError("body-invalid", `The search text must have ${bounds} characters.`);
}

/** Documents that have at least one of these facts. */
export function anyFact(facts: readonly string[]): string {
  return `facts : (${facts.map(quote).join(" OR ")})`;
}

/** A label as it is indexed, key and value one after the other; of a long one the beginning. Null without a letter. */
export function labelMatch(key: string, value: string | null): string | null {
  const text = value === null ? key : `${key} ${value}`;
  const pieces = piecesOf(text).slice(0, limits.searchLabelWords);
  return pieces.length === 0 ? null : `labels : ${quote(pieces.join(" "))}`;
}

export function both(...expressions: readonly (string | null)[]): string {
  return expressions
    .filter((expression) => expression !== null)
    .map((expression) => `(${expression})`)
    .join(" AND ");
}

/**
 * `alice/to` is a phrase, found as it stands; and in names each of its pieces may be a part: `ice/to` is in
 * alice/tools.
 */
function matchWord(word: string): string | null {
  const pieces = piecesOf(word);
  const last = pieces.at(-1);
  if (last === undefined) return null;
  const phrase = startsWith(pieces.join(" "), last);
  if (pieces.length === 1) return phrase;
  return `(${phrase} OR {names parts} : (${pieces.map((piece) => startsWith(piece, piece)).join(" AND ")}))`;
}

function piecesOf(text: string): string[] {
  return text.split(NO_LETTERS).filter((piece) => piece !== "");
}

function startsWith(text: string, last: string): string {
  return [...last].length > 1 ? `${quote(text)} *` : quote(text);
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
