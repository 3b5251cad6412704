import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { D1Database } from "@cloudflare/workers-types";

/**
 * Applies the migrations that are not applied yet, each in one transaction, and notes them where
 * `wrangler d1 migrations apply` does: a database may go through either.
 * @returns the names of those applied
 */
export async function migrate(database: D1Database, folder: string): Promise<string[]> {
  await database
    .prepare(
      `CREATE TABLE IF NOT EXISTS d1_migrations (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
        applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`,
    )
    .run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map((row) => row.name));
  const files = readdirSync(folder).filter((file) => file.endsWith(".sql"));
  const pending = files.filter((file) => !applied.has(file)).sort();
  for (const file of pending) {
    const statements = readFileSync(join(folder, file), "utf8").split("--> statement-breakpoint");
    await database.batch([
      ...statements.map((statement) => database.prepare(statement)),
      database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(file),
    ]);
  }
  return pending;
}
