import { sql } from "drizzle-orm";
import { check, index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Who did what, when, in which request. Written in the batch of the act itself. */
export const audit = sqliteTable(
  "audit",
  {
    id: integer("id").primaryKey({ autoIncrement: true }),
    at: integer("at").notNull(),
    actor: text("actor").notNull(),
    action: text("action").notNull(),
    target: text("target").notNull(),
    detail: text("detail", { mode: "json" }).$type<Record<string, unknown>>(),
    requestId: text("request_id").notNull(),
  },
  (table) => [index("audit_target").on(table.target, table.id)],
);

/**
 * Always empty. A statement in a batch that must change a row is followed by
 * one that inserts the reason here if it did not; the reason's CHECK then
 * aborts the whole batch and names itself in the error (see guard.ts).
 */
export const guards = sqliteTable("guards", { reason: text("reason").notNull() }, (table) => [
  check("guard:conflict", sql`${table.reason} <> 'conflict'`),
  check("guard:not-found", sql`${table.reason} <> 'not-found'`),
  check("guard:tag-frozen", sql`${table.reason} <> 'tag-frozen'`),
  check("guard:frozen", sql`${table.reason} <> 'frozen'`),
  check("guard:collection-limit", sql`${table.reason} <> 'collection-limit'`),
  check("guard:name-taken", sql`${table.reason} <> 'name-taken'`),
  check("guard:already-so", sql`${table.reason} <> 'already-so'`),
]);
