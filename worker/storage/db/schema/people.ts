import { sql } from "drizzle-orm";
import { type AnySQLiteColumn, check, index, integer, sqliteTable, text, unique } from "drizzle-orm/sqlite-core";

/**
 * Accounts: people who may sign in, robots, which only hold tokens, and teams, which do nothing themselves. A person
 * or a team owns the entity of the same name; a robot has none. Names are one space for all. Times are milliseconds.
 */
export const users = sqliteTable(
  "users",
  {
    id: text("id").primaryKey(),
    username: text("username").notNull().unique(),
    isAdmin: integer("is_admin", { mode: "boolean" }).notNull().default(false),
    isSuperuser: integer("is_superuser", { mode: "boolean" }).notNull().default(false),
    disabledAt: integer("disabled_at"),
    createdAt: integer("created_at").notNull(),
    isRobot: integer("is_robot", { mode: "boolean" }).notNull().default(false),
    /** No credential is ever made for a team: its members act. See teams.ts. */
    isTeam: integer("is_team", { mode: "boolean" }).notNull().default(false),
    /** Whose robot it is: a person's or a team's; null for people, and for a robot whose owner is gone, which administrators look after. */
    ownerUserId: text("owner_user_id").references((): AnySQLiteColumn => users.id, { onDelete: "set null" }),
    /** What it is for. */
    description: text("description").notNull().default(""),
    /** Until when a claim of an identity provider makes them an administrator, and of which identity: see sign-in. */
    claimedAdminUntil: integer("claimed_admin_until"),
    claimedAdminBy: text("claimed_admin_by"),
    /** The version of the terms they agreed to last. */
    agreedTerms: text("agreed_terms"),
    agreedTermsAt: integer("agreed_terms_at"),
    /** Bytes that the collections of its entities may hold; null for what the settings say. */
    quotaBytes: integer("quota_bytes"),
    /** Counts changes, for If-Match. */
    version: integer("version").notNull().default(1),
  },
  (table) => [
    index("users_owner").on(table.ownerUserId, table.username),
    // Each list is of one kind, by name.
    index("users_kind").on(table.isTeam, table.isRobot, table.username),
    // To find what they leave behind.
    index("users_disabled").on(table.id).where(sql`${table.disabledAt} IS NOT NULL`),
  ],
);

/** Accounts elsewhere that a person signs in with. Only the pair of issuer and subject says who somebody is. */
export const identities = sqliteTable(
  "identities",
  {
    id: text("id").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    /** The provider's id in the settings, at the last sign-in. */
    provider: text("provider").notNull(),
    issuer: text("issuer").notNull(),
    subject: text("subject").notNull(),
    /** `admission`: the account was made by this identity, whose claims are judged anew each time. `link`: added by its user. */
    origin: text("origin", { enum: ["admission", "link"] }).notNull(),
    /** What the provider calls them, to show. Never a way to find anybody. */
    name: text("name").notNull().default(""),
    email: text("email"),
    emailVerified: integer("email_verified", { mode: "boolean" }).notNull().default(false),
    createdAt: integer("created_at").notNull(),
    lastUsedAt: integer("last_used_at").notNull(),
  },
  (table) => [
    unique("identities_issuer_subject").on(table.issuer, table.subject),
    index("identities_user").on(table.userId),
    check("identities_origin", sql`${table.origin} IN ('admission', 'link')`),
  ],
);

/** Browsers that are signed in. Only the SHA-256 of the cookie is kept. Signing out deletes the row. */
export const sessions = sqliteTable(
  "sessions",
  {
    id: text("id").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    hash: text("hash").notNull().unique(),
    /** A provider's id, or `login-link`. */
    signedInWith: text("signed_in_with").notNull(),
    /** As the browser calls itself, shortened. */
    userAgent: text("user_agent").notNull(),
    createdAt: integer("created_at").notNull(),
    lastUsedAt: integer("last_used_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [
    index("sessions_user").on(table.userId),
    index("sessions_expiry").on(table.expiresAt),
    check("sessions_hash", sql`length(${table.hash}) = 64`),
  ],
);

/** Links that sign somebody in once. Using one deletes it. */
export const loginLinks = sqliteTable(
  "login_links",
  {
    hash: text("hash").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [index("login_links_user").on(table.userId), index("login_links_expiry").on(table.expiresAt)],
);

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
    /** The publisher it was given to; it ends with that. Null for tokens that people made. */
    publisherId: text("publisher_id"),
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

/** Signatures, and tokens of pipelines, that work once and were used; kept until they would not be valid any more. */
export const usedSignatures = sqliteTable(
  "used_signatures",
  { signature: text("signature").primaryKey(), expiresAt: integer("expires_at").notNull() },
  (table) => [index("used_signatures_expiry").on(table.expiresAt)],
);
