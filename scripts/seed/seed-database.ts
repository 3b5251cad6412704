import type { Rows, SeedSize } from "./rows.ts";
import { seedRows } from "./seed-rows.ts";

/** What is needed of a D1 database, whichever types it has. */
interface Statement {
  bind: (...values: string[]) => { run: () => Promise<unknown> };
  run: () => Promise<unknown>;
}

export interface Database {
  prepare: (sql: string) => Statement;
}

/** Rows in one statement: as one parameter of JSON, which D1 takes up to 2 MB of. */
const ROWS = 1000;

/**
 * Writes a seeded registry into a database that has its tables. Triggers do what they do for everybody: sizes, counts,
 * the history of tags and what is to be indexed are theirs.
 * @returns how many rows of each table
 */
export async function seedDatabase(database: Database, size: SeedSize): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { table, columns, rows } of seedRows(size)) {
    for (let at = 0; at < rows.length; at += ROWS)
      await insert(database, { table, columns, rows: rows.slice(at, at + ROWS) });
    counts[table] = (counts[table] ?? 0) + rows.length;
  }
  // As the meter does, which reports both.
  await database
    .prepare(
      `UPDATE containers SET pull_count = (
        SELECT coalesce(sum(pulls), 0) FROM pull_counts WHERE container_id = containers.id) WHERE pull_count = 0`,
    )
    .run();
  await database
    .prepare(
      `UPDATE collections SET pull_count = (
        SELECT coalesce(sum(pull_count), 0) FROM containers WHERE collection_id = collections.id) WHERE pull_count = 0`,
    )
    .run();
  return counts;
}

async function insert(database: Database, { table, columns, rows }: Rows): Promise<void> {
  // Names of ours, and nothing else.
  const values = columns.map((_, at) => `value ->> ${at}`);
  const sql = `INSERT INTO ${table} (${columns.join(", ")}) SELECT ${values.join(", ")} FROM json_each(?)`;
  await database.prepare(sql).bind(JSON.stringify(rows)).run();
}
