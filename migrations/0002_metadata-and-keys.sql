CREATE TABLE `inspections` (
	`image_id` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`error` text,
	`reader` integer NOT NULL,
	`definition` text,
	`metadata` text,
	`inspected_at` integer NOT NULL,
	FOREIGN KEY (`image_id`) REFERENCES `images`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "inspections_state" CHECK("inspections"."state" IN ('done', 'failed')),
	CONSTRAINT "inspections_error" CHECK(("inspections"."state" = 'failed') = ("inspections"."error" IS NOT NULL))
);
--> statement-breakpoint
CREATE TABLE `labels` (
	`image_id` text NOT NULL,
	`key` text NOT NULL,
	`value` text NOT NULL,
	PRIMARY KEY(`image_id`, `key`),
	FOREIGN KEY (`image_id`) REFERENCES `images`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `labels_pair` ON `labels` ("key" COLLATE NOCASE,"value" COLLATE NOCASE);--> statement-breakpoint
CREATE INDEX `labels_value` ON `labels` ("value" COLLATE NOCASE);--> statement-breakpoint
CREATE TABLE `topics` (
	`container_id` text NOT NULL,
	`name` text NOT NULL,
	`origin` text NOT NULL,
	`removed` integer DEFAULT false NOT NULL,
	`changed_by` text,
	`changed_at` integer NOT NULL,
	PRIMARY KEY(`container_id`, `name`),
	FOREIGN KEY (`container_id`) REFERENCES `containers`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`changed_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null,
	CONSTRAINT "topics_origin" CHECK("topics"."origin" IN ('person', 'image'))
);
--> statement-breakpoint
CREATE INDEX `topics_name` ON `topics` (`name`);--> statement-breakpoint
CREATE TABLE `sregistry_keys` (
	`user_id` text PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`sealed` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `sregistry_keys_id_unique` ON `sregistry_keys` (`id`);--> statement-breakpoint
CREATE TABLE `used_signatures` (
	`signature` text PRIMARY KEY NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `used_signatures_expiry` ON `used_signatures` (`expires_at`);--> statement-breakpoint
-- jobs and uploads are made anew for their CHECKs; nothing refers to them.
CREATE TABLE `__new_jobs` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`subject` text NOT NULL,
	`done_bytes` integer DEFAULT 0 NOT NULL,
	`total_bytes` integer NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`error` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	CONSTRAINT "jobs_kind" CHECK("__new_jobs"."kind" IN ('verify-upload', 'verify-blob', 'inspect-image'))
);
--> statement-breakpoint
INSERT INTO `__new_jobs`("id", "kind", "subject", "done_bytes", "total_bytes", "attempts", "error", "created_at", "updated_at") SELECT "id", "kind", "subject", "done_bytes", "total_bytes", "attempts", "error", "created_at", "updated_at" FROM `jobs`;--> statement-breakpoint
DROP TABLE `jobs`;--> statement-breakpoint
ALTER TABLE `__new_jobs` RENAME TO `jobs`;--> statement-breakpoint
CREATE INDEX `jobs_subject` ON `jobs` (`subject`);--> statement-breakpoint
CREATE INDEX `jobs_updated` ON `jobs` (`updated_at`);--> statement-breakpoint
CREATE TABLE `__new_uploads` (
	`id` text PRIMARY KEY NOT NULL,
	`image_id` text,
	`user_id` text,
	`object_key` text NOT NULL,
	`digest` text,
	`size_bytes` integer,
	`state` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`multipart_id` text,
	`part_bytes` integer,
	`refused_code` text,
	FOREIGN KEY (`image_id`) REFERENCES `images`(`id`) ON UPDATE no action ON DELETE set null,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null,
	CONSTRAINT "uploads_state" CHECK("__new_uploads"."state" IN ('open', 'verifying', 'published', 'refused', 'aborted')),
	CONSTRAINT "uploads_multipart" CHECK(("__new_uploads"."multipart_id" IS NULL) = ("__new_uploads"."part_bytes" IS NULL)),
	CONSTRAINT "uploads_known" CHECK("__new_uploads"."state" NOT IN ('verifying', 'published') OR ("__new_uploads"."digest" IS NOT NULL AND "__new_uploads"."size_bytes" > 0))
);
--> statement-breakpoint
INSERT INTO `__new_uploads`("id", "image_id", "user_id", "object_key", "digest", "size_bytes", "state", "created_at", "expires_at", "multipart_id", "part_bytes", "refused_code") SELECT "id", "image_id", "user_id", "object_key", "digest", "size_bytes", "state", "created_at", "expires_at", "multipart_id", "part_bytes", "refused_code" FROM `uploads`;--> statement-breakpoint
DROP TABLE `uploads`;--> statement-breakpoint
ALTER TABLE `__new_uploads` RENAME TO `uploads`;--> statement-breakpoint
CREATE UNIQUE INDEX `uploads_object_key_unique` ON `uploads` (`object_key`);--> statement-breakpoint
CREATE INDEX `uploads_image` ON `uploads` (`image_id`,`state`);--> statement-breakpoint
CREATE INDEX `uploads_expiry` ON `uploads` (`expires_at`);--> statement-breakpoint
CREATE INDEX `tags_name` ON `tags` (`container_id`,`name`);