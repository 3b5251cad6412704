import { env } from "cloudflare:workers";
import type { Env } from "../../../worker/env.ts";
import { limits } from "../../../worker/registry/limits.ts";
import { isSettingsRead, observed } from "./calls.ts";
import { environment } from "./registry.ts";

export interface Asked {
  sql: string;
  params: unknown[];
}

/** An environment that notes what it asks the registry's database. The settings, which no request asks for, are left out. */
export function notingStatements(settings: Record<string, string> = {}): { env: Env; asked: Asked[] } {
  const asked: Asked[] = [];
  const watched = observed(environment(settings), (call) => {
    if (call.isSearch || isSettingsRead(call)) return;
    for (const [at, text] of call.sql.entries()) asked.push({ sql: text, params: call.params?.[at] ?? [] });
  });
  return { env: watched, asked };
}

/** Rows a statement may read for each that it returns: a row, its collection, entity, rights and tags. */
const READ_FOR_ONE = 20;
/** And beside that. Everything that is large in the seeded registry has more rows than this. */
const READ_AT_LEAST = 400;

/**
 * A list in the order of an index may walk along it, if it stops soon, and a page that was put together may be sorted:
 * so many rows are read for each that is returned.
 */
const WALKED_FOR_ONE = 9;

const plans = new Map<string, string[]>();

export interface Cost {
  rowsRead: number;
  /** What is wrong with how it finds its rows, as sentences. */
  excess: string[];
}

/**
 * What a statement costs, and whether it reads a table or an index from end to end, sorts more than it returns, or reads
 * much more than it returns. It is run for that; what changes something is not.
 */
export async function costOf({ sql, params }: Asked): Promise<Cost> {
  if (!/^\s*(?:select|with)/i.test(sql)) return { rowsRead: 0, excess: [] };
  const plan = plans.get(sql) ?? (await explain(sql));
  plans.set(sql, plan);
  const { results, meta } = await env.DB.prepare(sql)
    .bind(...params)
    .all();
  const made = new Set(plan.flatMap((step) => /^(?:MATERIALIZE|CO-ROUTINE) (\S+)/.exec(step)?.[1] ?? []));
  const scans = plan.filter((step) => {
    const [, name = ""] = /^SCAN (?!CONSTANT|\w+ VIRTUAL TABLE|\()(\S+)/.exec(step) ?? [];
    return name !== "" && !made.has(name);
  });
  const rowsRead = meta.rows_read;
  // What was sorted was read.
  const isShort = rowsRead <= (results.length + 1) * WALKED_FOR_ONE;
  const isSorted = plan.some((step) => step.includes("TEMP B-TREE"));
  const walks = isShort ? scans.filter((step) => isSorted && !/USING (?:COVERING )?INDEX/.test(step)) : scans;
  const isCut = results.length >= limits.pageSize;
  const sorts = isCut && !isShort ? plan.filter((step) => step.includes("TEMP B-TREE FOR ORDER BY")) : [];
  const isMuch = rowsRead > results.length * READ_FOR_ONE + READ_AT_LEAST;
  const much = isMuch ? [`reads ${rowsRead} rows for ${results.length}`] : [];
  return {
    rowsRead,
    excess: [...walks, ...sorts, ...much].map((excess) => `${excess} (${rowsRead} rows for ${results.length}): ${sql}`),
  };
}

async function explain(sql: string): Promise<string[]> {
  const unbound = sql.replace(/\?\d*/g, "NULL");
  const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${unbound}`).all<{ detail: string }>();
  return results.map(({ detail }) => detail);
}
