import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { containers } from "./catalog.ts";
import { users } from "./people.ts";

/* What was: where tags stood, and names that are not free again. */

/** Which image a tag was on, and since when. Triggers write it; `digest` is null from when the tag was deleted. */
export const tagHistory = sqliteTable(
  "tag_history",
  {
    id: integer("id").primaryKey({ autoIncrement: true }),
    containerId: text("container_id")
      .notNull()
      .references(() => containers.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    arch: text("arch").notNull(),
    digest: text("digest"),
    /** Who set it; not known of who deleted one. */
    setBy: text("set_by").references(() => users.id, { onDelete: "set null" }),
    setAt: integer("set_at").notNull(),
  },
  (table) => [index("tag_history_tag").on(table.containerId, table.name, table.id)],
);

/**
 * Names of deleted things, kept until an administrator frees them, so that
 * nobody takes over a name that others still pull from. `name` is `entity`,
 * `entity/collection` or the short name.
 */
export const tombstones = sqliteTable(
  "tombstones",
  {
    kind: text("kind", { enum: ["entity", "collection", "short-name"] }).notNull(),
    name: text("name").notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.kind, table.name] }),
    check("tombstones_kind", sql`${table.kind} IN ('entity', 'collection', 'short-name')`),
  ],
);
