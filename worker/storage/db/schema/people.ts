import { sql } from "drizzle-orm";
import { check, index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** People who may sign in or hold tokens. A user owns the entity of the same name. Times are milliseconds. */
export const users = sqliteTable("users", {
  id: text("id").primaryKey(),
  username: text("username").notNull().unique(),
  isAdmin: integer("is_admin", { mode: "boolean" }).notNull().default(false),
  isSuperuser: integer("is_superuser", { mode: "boolean" }).notNull().default(false),
  disabledAt: integer("disabled_at"),
  createdAt: integer("created_at").notNull(),
});

/** Access tokens. Only the SHA-256 is kept; `hint` is the token's last characters, to tell them apart. */
export const tokens = sqliteTable(
  "tokens",
  {
    id: text("id").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    hash: text("hash").notNull().unique(),
    hint: text("hint").notNull(),
    /** Space-separated: `pull`, `push`, `manage`. */
    scopes: text("scopes").notNull(),
    /** When set, the token is good for this collection alone. No foreign key: it must not widen when that is deleted. */
    collectionId: text("collection_id"),
    expiresAt: integer("expires_at"),
    lastUsedAt: integer("last_used_at"),
    revokedAt: integer("revoked_at"),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [index("tokens_user").on(table.userId), check("tokens_hash", sql`length(${table.hash}) = 64`)],
);

/**
 * The keys sregistry-cli signs with, one for each user. A signature is checked with the key itself, so it is
 * sealed instead of hashed (`storage/sealed.ts`), with the key's and the user's id as additional data.
 */
export const sregistryKeys = sqliteTable("sregistry_keys", {
  userId: text("user_id")
    .primaryKey()
    .references(() => users.id, { onDelete: "cascade" }),
  id: text("id").notNull().unique(),
  sealed: text("sealed").notNull(),
  createdAt: integer("created_at").notNull(),
  lastUsedAt: integer("last_used_at"),
});

/** Signatures that work once and were used; kept until they would not be valid any more. */
export const usedSignatures = sqliteTable(
  "used_signatures",
  { signature: text("signature").primaryKey(), expiresAt: integer("expires_at").notNull() },
  (table) => [index("used_signatures_expiry").on(table.expiresAt)],
);
