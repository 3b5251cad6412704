import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { describe, RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { type DocumentKind, kindFact, seenBy } from "./facts.ts";
import { anyFact, both } from "./match.ts";

/** One question to the index. */
export interface Wanted {
  kind: DocumentKind;
  /** More FTS5 expressions that must hold. */
  also?: readonly (string | null)[];
  limit: number;
}

/**
 * Asks the index, once for everything wanted: ids of things that may match, the best first. They are only
 * candidates, as old as the index: whoever asked must have the main database decide which of them the actor sees.
 * Of a word that more have than `searchRanked`, the newest of those are ranked.
 * @param match see `matchOf`
 * @throws `unavailable`
 */
export async function findCandidates(
  { search, settings, log }: Context,
  actor: Actor,
  match: string,
  wanted: readonly Wanted[],
): Promise<string[][]> {
  const seen = seenBy(actor, settings);
  if (seen?.length === 0) return wanted.map(() => []);
  const statements = wanted.map(({ kind, also = [], limit }) => {
    const facts = [anyFact([kindFact(kind)]), ...(seen === null ? [] : [anyFact(seen)])];
    return search.prepare(query).bind(both(match, ...facts, ...also), limits.searchRanked, limit);
  });
  try {
    const answers = await search.batch<{ subject: string }>(statements);
    return answers.map(({ results }) => results.map(({ subject }) => subject));
  } catch (thrown) {
    log.error("search", { error: describe(thrown) });
    throw new RegistryError("unavailable", "The search does not work at the moment. Try again later.", {
      cause: thrown,
    });
  }
}

/** A match in a name counts most, one in a definition file least, a fact not at all. */
const query = `
  SELECT documents.subject FROM (
    SELECT rowid AS id, bm25(document_text, 10, 6, 4, 6, 3, 1, 0) AS score
    FROM document_text WHERE document_text MATCH ?1 ORDER BY rowid DESC LIMIT ?2) AS found
  CROSS JOIN documents ON documents.id = found.id
  ORDER BY found.score, found.id DESC LIMIT ?3`;
