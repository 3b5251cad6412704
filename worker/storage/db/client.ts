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

/**
 * A query with placeholders, built once for each shape it has and each database object, of which an isolate
 * has one. For the few that every pull asks: drizzle takes longer to put a large one together than D1 takes to
 * answer it.
 */
export function preparedOnce<Shape extends string, Query>(
  build: (db: Database, shape: Shape) => Query,
): (db: Database, shape: Shape) => Query {
  const built = new WeakMap<D1Database, Map<Shape, Query>>();
  return (db, shape) => {
    const shapes = built.get(db.$client) ?? new Map<Shape, Query>();
    built.set(db.$client, shapes);
    const query = shapes.get(shape) ?? build(db, shape);
    shapes.set(shape, query);
    return query;
  };
}
