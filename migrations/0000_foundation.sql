CREATE TABLE `blobs` (
	`digest` text PRIMARY KEY NOT NULL,
	`object_key` text NOT NULL,
	`size_bytes` integer NOT NULL,
	`created_at` integer NOT NULL,
	`unreferenced_at` integer,
	CONSTRAINT "blobs_size" CHECK("blobs"."size_bytes" > 0),
	CONSTRAINT "blobs_digest" CHECK("blobs"."digest" GLOB 'sha256.*' AND length("blobs"."digest") = 71)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `blobs_object_key_unique` ON `blobs` (`object_key`);--> statement-breakpoint
CREATE TABLE `collection_members` (
	`collection_id` text NOT NULL,
	`user_id` text NOT NULL,
	`role` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`collection_id`, `user_id`),
	FOREIGN KEY (`collection_id`) REFERENCES `collections`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "collection_members_role" CHECK("collection_members"."role" IN ('owner', 'contributor', 'reader'))
);
--> statement-breakpoint
CREATE INDEX `collection_members_user` ON `collection_members` (`user_id`);--> statement-breakpoint
CREATE TABLE `collections` (
	`id` text PRIMARY KEY NOT NULL,
	`entity_id` text NOT NULL,
	`name` text NOT NULL,
	`short_name` text,
	`description` text DEFAULT '' NOT NULL,
	`visibility` text NOT NULL,
	`created_by` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`entity_id`) REFERENCES `entities`(`id`) ON UPDATE no action ON DELETE restrict,
	FOREIGN KEY (`created_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null,
	CONSTRAINT "collections_visibility" CHECK("collections"."visibility" IN ('public', 'internal', 'private'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `collections_short_name_unique` ON `collections` (`short_name`);--> statement-breakpoint
CREATE UNIQUE INDEX `collections_entity_name` ON `collections` (`entity_id`,`name`);--> statement-breakpoint
CREATE TABLE `containers` (
	`id` text PRIMARY KEY NOT NULL,
	`collection_id` text NOT NULL,
	`name` text NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`read_only` integer DEFAULT false NOT NULL,
	`created_by` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`collection_id`) REFERENCES `collections`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`created_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE UNIQUE INDEX `containers_collection_name` ON `containers` (`collection_id`,`name`);--> statement-breakpoint
CREATE TABLE `entities` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`owner_user_id` text NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`owner_user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE restrict
);
--> statement-breakpoint
CREATE UNIQUE INDEX `entities_name_unique` ON `entities` (`name`);--> statement-breakpoint
CREATE INDEX `entities_owner` ON `entities` (`owner_user_id`);--> statement-breakpoint
CREATE TABLE `images` (
	`id` text PRIMARY KEY NOT NULL,
	`container_id` text NOT NULL,
	`digest` text NOT NULL,
	`state` text NOT NULL,
	`blob_digest` text,
	`description` text DEFAULT '' NOT NULL,
	`arch` text,
	`size_bytes` integer,
	`signed` integer,
	`encrypted` integer,
	`fingerprints` text,
	`frozen` integer DEFAULT false NOT NULL,
	`created_by` text,
	`created_at` integer NOT NULL,
	`published_at` integer,
	FOREIGN KEY (`container_id`) REFERENCES `containers`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`blob_digest`) REFERENCES `blobs`(`digest`) ON UPDATE no action ON DELETE restrict,
	FOREIGN KEY (`created_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null,
	CONSTRAINT "images_state" CHECK("images"."state" IN ('registered', 'published')),
	CONSTRAINT "images_published" CHECK("images"."state" = 'registered' OR ("images"."blob_digest" IS "images"."digest" AND "images"."arch" IS NOT NULL AND "images"."size_bytes" > 0))
);
--> statement-breakpoint
CREATE INDEX `images_blob` ON `images` (`blob_digest`);--> statement-breakpoint
CREATE UNIQUE INDEX `images_container_digest` ON `images` (`container_id`,`digest`);--> statement-breakpoint
CREATE TABLE `tags` (
	`container_id` text NOT NULL,
	`arch` text NOT NULL,
	`name` text NOT NULL,
	`image_id` text NOT NULL,
	`frozen` integer DEFAULT false NOT NULL,
	`updated_by` text,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`container_id`, `arch`, `name`),
	FOREIGN KEY (`container_id`) REFERENCES `containers`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`image_id`) REFERENCES `images`(`id`) ON UPDATE no action ON DELETE restrict,
	FOREIGN KEY (`updated_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE INDEX `tags_image` ON `tags` (`image_id`);--> statement-breakpoint
CREATE TABLE `tombstones` (
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`kind`, `name`),
	CONSTRAINT "tombstones_kind" CHECK("tombstones"."kind" IN ('entity', 'collection', 'short-name'))
);
--> statement-breakpoint
CREATE TABLE `uploads` (
	`id` text PRIMARY KEY NOT NULL,
	`image_id` text,
	`user_id` text,
	`object_key` text NOT NULL,
	`digest` text NOT NULL,
	`size_bytes` integer NOT NULL,
	`state` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`image_id`) REFERENCES `images`(`id`) ON UPDATE no action ON DELETE set null,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null,
	CONSTRAINT "uploads_state" CHECK("uploads"."state" IN ('open', 'published', 'refused'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `uploads_object_key_unique` ON `uploads` (`object_key`);--> statement-breakpoint
CREATE INDEX `uploads_image` ON `uploads` (`image_id`,`state`);--> statement-breakpoint
CREATE INDEX `uploads_expiry` ON `uploads` (`expires_at`);--> statement-breakpoint
CREATE TABLE `wanted_tags` (
	`image_id` text NOT NULL,
	`name` text NOT NULL,
	`arch` text,
	`wanted_by` text,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`image_id`, `name`),
	FOREIGN KEY (`image_id`) REFERENCES `images`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`wanted_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE TABLE `tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`name` text NOT NULL,
	`hash` text NOT NULL,
	`hint` text NOT NULL,
	`scopes` text NOT NULL,
	`collection_id` text,
	`expires_at` integer,
	`last_used_at` integer,
	`revoked_at` integer,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "tokens_hash" CHECK(length("tokens"."hash") = 64)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_hash_unique` ON `tokens` (`hash`);--> statement-breakpoint
CREATE INDEX `tokens_user` ON `tokens` (`user_id`);--> statement-breakpoint
CREATE TABLE `users` (
	`id` text PRIMARY KEY NOT NULL,
	`username` text NOT NULL,
	`is_admin` integer DEFAULT false NOT NULL,
	`is_superuser` integer DEFAULT false NOT NULL,
	`disabled_at` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `users_username_unique` ON `users` (`username`);--> statement-breakpoint
CREATE TABLE `audit` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`target` text NOT NULL,
	`detail` text,
	`request_id` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `audit_target` ON `audit` (`target`,`id`);--> statement-breakpoint
CREATE TABLE `guards` (
	`reason` text NOT NULL,
	CONSTRAINT "guard:conflict" CHECK("guards"."reason" <> 'conflict'),
	CONSTRAINT "guard:not-found" CHECK("guards"."reason" <> 'not-found'),
	CONSTRAINT "guard:tag-frozen" CHECK("guards"."reason" <> 'tag-frozen'),
	CONSTRAINT "guard:frozen" CHECK("guards"."reason" <> 'frozen'),
	CONSTRAINT "guard:collection-limit" CHECK("guards"."reason" <> 'collection-limit'),
	CONSTRAINT "guard:name-taken" CHECK("guards"."reason" <> 'name-taken'),
	CONSTRAINT "guard:already-so" CHECK("guards"."reason" <> 'already-so')
);
