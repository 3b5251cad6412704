import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { collections, containers, entities, images } from "./catalog.ts";
import { users } from "./people.ts";

/** Links by which anybody pulls one image. Only the SHA-256 is kept. Revoking one deletes it; it goes with its image. */
export const shares = sqliteTable(
  "shares",
  {
    id: text("id").primaryKey(),
    hash: text("hash").notNull().unique(),
    imageId: text("image_id")
      .notNull()
      .references(() => images.id, { onDelete: "cascade" }),
    /** Whom it is for, to tell them apart. */
    note: text("note").notNull(),
    createdBy: text("created_by")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    /** How many download URLs it may give out; null for any number. */
    maxDownloads: integer("max_downloads"),
    downloads: integer("downloads").notNull().default(0),
  },
  (table) => [
    index("shares_image").on(table.imageId, table.id),
    index("shares_creator").on(table.createdBy, table.id),
    index("shares_expiry").on(table.expiresAt),
    check("shares_hash", sql`length(${table.hash}) = 64`),
    check("shares_downloads", sql`${table.maxDownloads} IS NULL OR ${table.downloads} <= ${table.maxDownloads}`),
  ],
);

/** Collections that people marked. `collections.star_count` follows by triggers. */
export const stars = sqliteTable(
  "stars",
  {
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    collectionId: text("collection_id")
      .notNull()
      .references(() => collections.id, { onDelete: "cascade" }),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.collectionId] }),
    index("stars_collection").on(table.collectionId),
    index("stars_by_time").on(table.userId, table.createdAt, table.collectionId),
  ],
);

/**
 * Pulls of a container by day, as the meter reports them. A pull is one download URL that was given out; its bytes are
 * the image's size.
 */
export const pullCounts = sqliteTable(
  "pull_counts",
  {
    containerId: text("container_id")
      .notNull()
      .references(() => containers.id, { onDelete: "cascade" }),
    /** Days since the epoch, UTC. */
    day: integer("day").notNull(),
    /** The tag it was asked for by; empty for a digest. */
    tag: text("tag").notNull(),
    arch: text("arch").notNull(),
    pulls: integer("pulls").notNull(),
    bytes: integer("bytes").notNull(),
  },
  (table) => [primaryKey({ columns: [table.containerId, table.day, table.tag, table.arch] })],
);

/** The last report of each container's meter that was written down: one that comes again is not counted again. */
export const meterReports = sqliteTable("meter_reports", {
  containerId: text("container_id")
    .primaryKey()
    .references(() => containers.id, { onDelete: "cascade" }),
  report: integer("report").notNull(),
});

/** A collection that its owner offers to the owner of another entity. */
export const handOvers = sqliteTable(
  "hand_overs",
  {
    collectionId: text("collection_id")
      .primaryKey()
      .references(() => collections.id, { onDelete: "cascade" }),
    toEntityId: text("to_entity_id")
      .notNull()
      .references(() => entities.id, { onDelete: "cascade" }),
    /** Who owns that: a person or a team. The offer is to them, not to whoever owns it later. */
    toUserId: text("to_user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    offeredBy: text("offered_by").references(() => users.id, { onDelete: "cascade" }),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [
    index("hand_overs_to").on(table.toUserId),
    index("hand_overs_to_entity").on(table.toEntityId),
    index("hand_overs_offered_by").on(table.offeredBy),
    index("hand_overs_expiry").on(table.expiresAt),
  ],
);
