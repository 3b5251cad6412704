import { sql } from "drizzle-orm";
import { check, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * What the search index does not know yet. Triggers fill it (`migrations/0003_search-outbox.sql`), so that no
 * writer can forget to: a table that is ever made anew needs its triggers made anew too. `in-collection` and
 * `in-container` stand for everything in one.
 */
export const searchOutbox = sqliteTable(
  "search_outbox",
  {
    kind: text("kind", {
      enum: ["entity", "collection", "container", "image", "in-collection", "in-container"],
    }).notNull(),
    subject: text("subject").notNull(),
    /** Drawn anew with each change: what changes while it is indexed is indexed again. */
    version: integer("version").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.kind, table.subject] }),
    check(
      "search_outbox_kind",
      sql`${table.kind} IN ('entity', 'collection', 'container', 'image', 'in-collection', 'in-container')`,
    ),
  ],
);
