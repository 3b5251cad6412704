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
    /** The id of the token, session or key it was done with. */
    credential: text("credential"),
    /** A keyed hash of the network address: equal addresses can be seen, and none be read. */
    address: text("address"),
    /** The collection it was done to or in. No foreign key: it outlives what it tells of. */
    collectionId: text("collection_id"),
  },
  (table) => [
    index("audit_target").on(table.target, table.id),
    index("audit_actor").on(table.actor, table.id),
    index("audit_action").on(table.action, table.id),
    index("audit_at").on(table.at, table.id),
    index("audit_collection").on(table.collectionId, table.id),
  ],
);

/** Settings that administrators changed. The environment goes before them (`registry/settings.ts`). */
export const settings = sqliteTable("settings", {
  name: text("name").primaryKey(),
  value: text("value").notNull(),
  /** Another one with each change, for If-Match. A setting that was never changed has version 0, and no row. */
  version: integer("version").notNull(),
  updatedBy: text("updated_by").notNull(),
  updatedAt: integer("updated_at").notNull(),
});

/**
 * Work that follows a write: a row of the batch that makes it necessary, gone when it is done. Whoever runs
 * it writes how far it is, which also says that it is alive.
 */
export const jobs = sqliteTable(
  "jobs",
  {
    /** `kind:subject`. */
    id: text("id").primaryKey(),
    kind: text("kind", { enum: ["verify-upload", "verify-blob", "inspect-image"] }).notNull(),
    /** An upload's id, a blob's digest, an image's id. */
    subject: text("subject").notNull(),
    doneBytes: integer("done_bytes").notNull().default(0),
    totalBytes: integer("total_bytes").notNull(),
    attempts: integer("attempts").notNull().default(0),
    /** What went wrong at the last attempt, for administrators. */
    error: text("error"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [
    index("jobs_subject").on(table.subject),
    index("jobs_updated").on(table.updatedAt),
    check("jobs_kind", sql`${table.kind} IN ('verify-upload', 'verify-blob', 'inspect-image')`),
  ],
);

/**
 * Objects that a blob gave up for bytes that came anew, and pictures that were replaced. Written in the batch that does
 * it; upkeep deletes them from `discarded_at` on. A picture that is being written has a time in the future here.
 */
export const discardedObjects = sqliteTable("discarded_objects", {
  objectKey: text("object_key").primaryKey(),
  discardedAt: integer("discarded_at").notNull(),
});

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
  check("guard:precondition-failed", sql`${table.reason} <> 'precondition-failed'`),
  check("guard:identity-taken", sql`${table.reason} <> 'identity-taken'`),
  check("guard:last-identity", sql`${table.reason} <> 'last-identity'`),
  check("guard:link-ended", sql`${table.reason} <> 'link-ended'`),
  check("guard:limit-reached", sql`${table.reason} <> 'limit-reached'`),
  check("guard:last-owner", sql`${table.reason} <> 'last-owner'`),
  check("guard:quota-exceeded", sql`${table.reason} <> 'quota-exceeded'`),
  check("guard:share-ended", sql`${table.reason} <> 'share-ended'`),
]);
