import { sql } from "drizzle-orm";
import {
  type AnySQLiteColumn,
  check,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  unique,
} from "drizzle-orm/sqlite-core";
import { users } from "./people.ts";

/** The first part of a reference. An account owns it: a person or a team. */
export const entities = sqliteTable(
  "entities",
  {
    id: text("id").primaryKey(),
    name: text("name").notNull().unique(),
    ownerUserId: text("owner_user_id")
      .notNull()
      .references(() => users.id, { onDelete: "restrict" }),
    description: text("description").notNull().default(""),
    createdAt: integer("created_at").notNull(),
    /** Bytes of all its collections; triggers keep it. */
    sizeBytes: integer("size_bytes").notNull().default(0),
    /** How many of its collections are open to all, and to whoever is signed in. Triggers keep both. */
    publicCollections: integer("public_collections").notNull().default(0),
    internalCollections: integer("internal_collections").notNull().default(0),
  },
  (table) => [
    index("entities_owner").on(table.ownerUserId, table.name),
    // The list of entities is merged from those that hold something open, and the reader's.
    index("entities_public").on(table.name).where(sql`${table.publicCollections} > 0`),
    index("entities_internal").on(table.name).where(sql`${table.internalCollections} > 0`),
  ],
);

export const collections = sqliteTable(
  "collections",
  {
    id: text("id").primaryKey(),
    entityId: text("entity_id")
      .notNull()
      .references(() => entities.id, { onDelete: "restrict" }),
    name: text("name").notNull(),
    /** The name two-part references find it by; at most one collection in the registry holds it. */
    shortName: text("short_name").unique(),
    description: text("description").notNull().default(""),
    visibility: text("visibility", { enum: ["public", "internal", "private"] }).notNull(),
    createdBy: text("created_by").references(() => users.id, { onDelete: "set null" }),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    /** Bytes of the images in it, each content once; and how many images. Triggers keep both. */
    sizeBytes: integer("size_bytes").notNull().default(0),
    imageCount: integer("image_count").notNull().default(0),
    containerCount: integer("container_count").notNull().default(0),
    starCount: integer("star_count").notNull().default(0),
    pullCount: integer("pull_count").notNull().default(0),
    /** Triggers count it up with whatever changes in the collection, but for numbers: for previews and If-Match. */
    version: integer("version").notNull().default(1),
  },
  (table) => [
    unique("collections_entity_name").on(table.entityId, table.name),
    check("collections_visibility", sql`${table.visibility} IN ('public', 'internal', 'private')`),
    // Lists are merged from what is public, what is internal, and what is the reader's: each in the list's order.
    index("collections_by_name").on(table.visibility, table.name, table.id),
    index("collections_by_update").on(table.visibility, table.updatedAt, table.id),
    index("collections_by_stars").on(table.visibility, table.starCount, table.id),
    index("collections_by_pulls").on(table.visibility, table.pullCount, table.id),
    index("collections_by_size").on(table.visibility, table.sizeBytes, table.id),
    index("collections_by_id").on(table.visibility, table.id),
    index("collections_in_entity").on(table.entityId, table.visibility, table.name, table.id),
  ],
);

/** Who has rights in a collection beside its entity's owner: people, robots and teams. */
export const collectionMembers = sqliteTable(
  "collection_members",
  {
    collectionId: text("collection_id")
      .notNull()
      .references(() => collections.id, { onDelete: "cascade" }),
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    role: text("role", { enum: ["owner", "contributor", "reader"] }).notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.collectionId, table.userId] }),
    index("collection_members_user").on(table.userId),
    check("collection_members_role", sql`${table.role} IN ('owner', 'contributor', 'reader')`),
  ],
);

export const containers = sqliteTable(
  "containers",
  {
    id: text("id").primaryKey(),
    collectionId: text("collection_id")
      .notNull()
      .references(() => collections.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    description: text("description").notNull().default(""),
    readOnly: integer("read_only", { mode: "boolean" }).notNull().default(false),
    createdBy: text("created_by").references(() => users.id, { onDelete: "set null" }),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    /** As in `collections`. */
    sizeBytes: integer("size_bytes").notNull().default(0),
    imageCount: integer("image_count").notNull().default(0),
    pullCount: integer("pull_count").notNull().default(0),
    version: integer("version").notNull().default(1),
  },
  (table) => [
    unique("containers_collection_name").on(table.collectionId, table.name),
    // Clients of sregistry look for a container by its name alone.
    index("containers_name").on(table.name),
    index("containers_by_update").on(table.collectionId, table.updatedAt, table.name),
    index("containers_by_pulls").on(table.collectionId, table.pullCount, table.name),
    index("containers_by_size").on(table.collectionId, table.sizeBytes, table.name),
  ],
);

/** Verified content, once per digest. A row is born in the batch that publishes the upload it came with. */
export const blobs = sqliteTable(
  "blobs",
  {
    digest: text("digest").primaryKey(),
    /** The R2 key: opaque, written once. */
    objectKey: text("object_key").notNull().unique(),
    sizeBytes: integer("size_bytes").notNull(),
    createdAt: integer("created_at").notNull(),
    /** When its last image went; null while an image refers to it. */
    unreferencedAt: integer("unreferenced_at"),
    /** `corrupt`: the object is not what it was, as a check found. `deleting`: upkeep is about to delete it. */
    state: text("state", { enum: ["stored", "corrupt", "deleting"] })
      .notNull()
      .default("stored"),
    /** When its bytes were last read and found right. */
    verifiedAt: integer("verified_at"),
  },
  (table) => [
    index("blobs_unreferenced").on(table.unreferencedAt),
    check("blobs_state", sql`${table.state} IN ('stored', 'corrupt', 'deleting')`),
    check("blobs_size", sql`${table.sizeBytes} > 0`),
    check("blobs_digest", sql`${table.digest} GLOB 'sha256.*' AND length(${table.digest}) = 71`),
  ],
);

/** A blob in a container. Registered by a push before its bytes come; published once they are verified. */
export const images = sqliteTable(
  "images",
  {
    id: text("id").primaryKey(),
    containerId: text("container_id")
      .notNull()
      .references(() => containers.id, { onDelete: "cascade" }),
    digest: text("digest").notNull(),
    state: text("state", { enum: ["registered", "published"] }).notNull(),
    blobDigest: text("blob_digest").references((): AnySQLiteColumn => blobs.digest, { onDelete: "restrict" }),
    description: text("description").notNull().default(""),
    /** From the SIF header, in Go's words; null until published. */
    arch: text("arch"),
    sizeBytes: integer("size_bytes"),
    signed: integer("signed", { mode: "boolean" }),
    encrypted: integer("encrypted", { mode: "boolean" }),
    /** Fingerprints its signatures name, not verified. */
    fingerprints: text("fingerprints", { mode: "json" }).$type<string[]>(),
    frozen: integer("frozen", { mode: "boolean" }).notNull().default(false),
    createdBy: text("created_by").references(() => users.id, { onDelete: "set null" }),
    createdAt: integer("created_at").notNull(),
    publishedAt: integer("published_at"),
    /** Why the last upload of its bytes was refused, in words for its pusher; null after one that was not. */
    refusedReason: text("refused_reason"),
    /** How many tags are on it; triggers keep it, so that those without any are found by an index. */
    tagCount: integer("tag_count").notNull().default(0),
  },
  (table) => [
    unique("images_container_digest").on(table.containerId, table.digest),
    index("images_blob").on(table.blobDigest),
    index("images_published").on(table.containerId, table.publishedAt, table.id),
    index("images_untagged")
      .on(table.containerId, table.publishedAt, table.id)
      .where(sql`state = 'published' AND tag_count = 0`),
    index("images_pending").on(table.containerId, table.createdAt, table.id).where(sql`state = 'registered'`),
    check("images_state", sql`${table.state} IN ('registered', 'published')`),
    check(
      "images_published",
      sql`${table.state} = 'registered' OR (${table.blobDigest} IS ${table.digest} AND ${table.arch} IS NOT NULL AND ${table.sizeBytes} > 0)`,
    ),
  ],
);

/** A name of an image in its container, for one architecture. */
export const tags = sqliteTable(
  "tags",
  {
    containerId: text("container_id")
      .notNull()
      .references(() => containers.id, { onDelete: "cascade" }),
    arch: text("arch").notNull(),
    name: text("name").notNull(),
    imageId: text("image_id")
      .notNull()
      .references(() => images.id, { onDelete: "restrict" }),
    frozen: integer("frozen", { mode: "boolean" }).notNull().default(false),
    updatedBy: text("updated_by").references(() => users.id, { onDelete: "set null" }),
    updatedAt: integer("updated_at").notNull(),
    /** The name with its numbers written so that v1.10 comes behind v1.9. A trigger writes it. */
    sortKey: text("sort_key").notNull().default(""),
  },
  (table) => [
    primaryKey({ columns: [table.containerId, table.arch, table.name] }),
    index("tags_natural").on(table.containerId, table.sortKey, table.name, table.arch),
    index("tags_by_update").on(table.containerId, table.updatedAt, table.name, table.arch),
    index("tags_image").on(table.imageId, table.sortKey, table.name),
    // For protocols that know no architectures. With all that tells them apart, or SQLite prefers another index, in
    // which it finds that and no name.
    index("tags_name").on(table.containerId, table.name, table.arch, table.updatedAt),
  ],
);

/** Tags asked for while the image's bytes were on their way; they move in the batch that publishes it. */
export const wantedTags = sqliteTable(
  "wanted_tags",
  {
    imageId: text("image_id")
      .notNull()
      .references(() => images.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    /** What the client says it is; null when it does not say. */
    arch: text("arch"),
    wantedBy: text("wanted_by").references(() => users.id, { onDelete: "set null" }),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.imageId, table.name] }), index("wanted_tags_name").on(table.name)],
);

/** Bytes on the way. The row outlives its URL, so that upkeep finds whatever the URL may have left. */
export const uploads = sqliteTable(
  "uploads",
  {
    id: text("id").primaryKey(),
    imageId: text("image_id").references(() => images.id, { onDelete: "set null" }),
    userId: text("user_id").references(() => users.id, { onDelete: "set null" }),
    objectKey: text("object_key").notNull().unique(),
    /** Null, as its size, while it streams in from a client that announces neither. */
    digest: text("digest"),
    sizeBytes: integer("size_bytes"),
    state: text("state", { enum: ["open", "verifying", "published", "refused", "aborted"] }).notNull(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    /** R2's id of a multipart upload; null for one in one piece. */
    multipartId: text("multipart_id"),
    /** The size of its parts; the last one has what is left. */
    partBytes: integer("part_bytes"),
    /** Why it was refused: an error's code. */
    refusedCode: text("refused_code"),
    /** Whose quota its bytes are counted to while they are on their way. */
    quotaUserId: text("quota_user_id"),
    /** Whether its parts come one by one with a record of each, so that it can be gone on with. */
    resumable: integer("resumable", { mode: "boolean" }).notNull().default(false),
  },
  (table) => [
    index("uploads_quota").on(table.quotaUserId, table.state),
    index("uploads_user").on(table.userId, table.resumable, table.state),
    index("uploads_image").on(table.imageId, table.state),
    index("uploads_expiry").on(table.expiresAt),
    check("uploads_state", sql`${table.state} IN ('open', 'verifying', 'published', 'refused', 'aborted')`),
    check("uploads_multipart", sql`(${table.multipartId} IS NULL) = (${table.partBytes} IS NULL)`),
    check(
      "uploads_known",
      sql`${table.state} NOT IN ('verifying', 'published') OR (${table.digest} IS NOT NULL AND ${table.sizeBytes} > 0)`,
    ),
  ],
);

/** The parts of a resumable upload that are there, or on their way. */
export const uploadParts = sqliteTable(
  "upload_parts",
  {
    uploadId: text("upload_id")
      .notNull()
      .references(() => uploads.id, { onDelete: "cascade" }),
    number: integer("number").notNull(),
    /** R2's word for it; null while it is on its way. */
    etag: text("etag"),
    /** Which request brings it: of two at once neither knows what R2 keeps. */
    claim: text("claim").notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.uploadId, table.number] })],
);
