import { sql } from "drizzle-orm";
import { check, index, integer, sqliteTable, text, unique } from "drizzle-orm/sqlite-core";
import { collections } from "./catalog.ts";
import { users } from "./people.ts";

/**
 * Pipelines elsewhere that may push to a collection without a stored secret ("trusted publishers"): who proves by a
 * token of `issuer` to run for `repository` on such a branch or tag gets a short-lived token of `createdBy`'s.
 */
export const publishers = sqliteTable(
  "publishers",
  {
    id: text("id").primaryKey(),
    collectionId: text("collection_id")
      .notNull()
      .references(() => collections.id, { onDelete: "cascade" }),
    issuer: text("issuer").notNull(),
    /** `owner/name`, as the issuer writes it. */
    repository: text("repository").notNull(),
    refKind: text("ref_kind", { enum: ["branch", "tag"] }).notNull(),
    /** Its name; a `*` stands for any characters. */
    ref: text("ref").notNull(),
    /** The issuer's id of the repository, kept from its first token: a name can be given up and taken by somebody else. */
    repositoryId: text("repository_id"),
    createdBy: text("created_by")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    createdAt: integer("created_at").notNull(),
    lastUsedAt: integer("last_used_at"),
  },
  (table) => [
    unique("publishers_rule").on(table.collectionId, table.issuer, table.repository, table.refKind, table.ref),
    index("publishers_creator").on(table.createdBy),
    check("publishers_ref_kind", sql`${table.refKind} IN ('branch', 'tag')`),
  ],
);
