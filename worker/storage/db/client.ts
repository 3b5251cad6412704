import type { SQL } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";

export type Database = DrizzleD1Database & { $client: D1Database };
export type Statement = BatchItem<"sqlite">;

export function openDatabase(d1: D1Database): Database {
  return drizzle(d1);
}

/**
 * A statement in plain SQL, for a batch. drizzle 0.45 binds the parameters of a batch's items to their
 * `stmt`, and leaves raw ones without.
 */
export function statement(db: Database, query: SQL): Statement {
  const raw = db.run(query);
  return Object.assign(raw, { stmt: db.$client.prepare(raw.getQuery().sql) });
}
