import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { containers, images } from "./catalog.ts";
import { users } from "./people.ts";

/** What was read of an image's metadata, or why it could not be. Absent while nobody has looked. */
export const inspections = sqliteTable(
  "inspections",
  {
    imageId: text("image_id")
      .primaryKey()
      .references(() => images.id, { onDelete: "cascade" }),
    state: text("state", { enum: ["done", "failed"] }).notNull(),
    /** Why it failed, in words for the image's owner. */
    error: text("error"),
    /** Which version of the reader it was, so that a better one can do it again. */
    reader: integer("reader").notNull(),
    /** The definition file's text. */
    definition: text("definition"),
    /** Header, objects and attributes as they were read, as JSON (`registry/inspect/inspect-image.ts`). */
    metadata: text("metadata"),
    inspectedAt: integer("inspected_at").notNull(),
  },
  (table) => [
    check("inspections_state", sql`${table.state} IN ('done', 'failed')`),
    check("inspections_error", sql`(${table.state} = 'failed') = (${table.error} IS NOT NULL)`),
  ],
);

/** Labels of images, as their builders set them. Found whatever the case of their letters, as sregistry does. */
export const labels = sqliteTable(
  "labels",
  {
    imageId: text("image_id")
      .notNull()
      .references(() => images.id, { onDelete: "cascade" }),
    key: text("key").notNull(),
    value: text("value").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.imageId, table.key] }),
    index("labels_pair").on(sql`${table.key} COLLATE NOCASE`, sql`${table.value} COLLATE NOCASE`),
    index("labels_value").on(sql`${table.value} COLLATE NOCASE`),
  ],
);

/** Topic tags of containers: set by people, or taken from what an image was built from. */
export const topics = sqliteTable(
  "topics",
  {
    containerId: text("container_id")
      .notNull()
      .references(() => containers.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    origin: text("origin", { enum: ["person", "image"] }).notNull(),
    /** Somebody took it away: an image does not bring it back. */
    removed: integer("removed", { mode: "boolean" }).notNull().default(false),
    changedBy: text("changed_by").references(() => users.id, { onDelete: "set null" }),
    changedAt: integer("changed_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.containerId, table.name] }),
    index("topics_name").on(table.name),
    check("topics_origin", sql`${table.origin} IN ('person', 'image')`),
  ],
);
