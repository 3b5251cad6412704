CREATE TABLE `discarded_objects` (
	`object_key` text PRIMARY KEY NOT NULL,
	`discarded_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `jobs` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`subject` text NOT NULL,
	`done_bytes` integer DEFAULT 0 NOT NULL,
	`total_bytes` integer NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`error` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	CONSTRAINT "jobs_kind" CHECK("jobs"."kind" IN ('verify-upload', 'verify-blob'))
);
--> statement-breakpoint
CREATE INDEX `jobs_subject` ON `jobs` (`subject`);--> statement-breakpoint
CREATE INDEX `jobs_updated` ON `jobs` (`updated_at`);--> statement-breakpoint
CREATE TABLE `__new_uploads` (
	`id` text PRIMARY KEY NOT NULL,
	`image_id` text,
	`user_id` text,
	`object_key` text NOT NULL,
	`digest` text NOT NULL,
	`size_bytes` integer NOT NULL,
	`state` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`multipart_id` text,
	`part_bytes` integer,
	`refused_code` text,
	FOREIGN KEY (`image_id`) REFERENCES `images`(`id`) ON UPDATE no action ON DELETE set null,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null,
	CONSTRAINT "uploads_state" CHECK("__new_uploads"."state" IN ('open', 'verifying', 'published', 'refused', 'aborted')),
	CONSTRAINT "uploads_multipart" CHECK(("__new_uploads"."multipart_id" IS NULL) = ("__new_uploads"."part_bytes" IS NULL))
);
--> statement-breakpoint
INSERT INTO `__new_uploads`("id", "image_id", "user_id", "object_key", "digest", "size_bytes", "state", "created_at", "expires_at") SELECT "id", "image_id", "user_id", "object_key", "digest", "size_bytes", "state", "created_at", "expires_at" FROM `uploads`;--> statement-breakpoint
DROP TABLE `uploads`;--> statement-breakpoint
ALTER TABLE `__new_uploads` RENAME TO `uploads`;--> statement-breakpoint
CREATE UNIQUE INDEX `uploads_object_key_unique` ON `uploads` (`object_key`);--> statement-breakpoint
CREATE INDEX `uploads_image` ON `uploads` (`image_id`,`state`);--> statement-breakpoint
CREATE INDEX `uploads_expiry` ON `uploads` (`expires_at`);--> statement-breakpoint
-- By hand: images refer to blobs, which therefore cannot be made anew as drizzle-kit would.
ALTER TABLE `blobs` ADD `state` text DEFAULT 'stored' NOT NULL CONSTRAINT "blobs_state" CHECK("state" IN ('stored', 'corrupt', 'deleting'));--> statement-breakpoint
ALTER TABLE `blobs` ADD `verified_at` integer;--> statement-breakpoint
CREATE INDEX `blobs_unreferenced` ON `blobs` (`unreferenced_at`);--> statement-breakpoint
ALTER TABLE `images` ADD `refused_reason` text;--> statement-breakpoint
CREATE INDEX `wanted_tags_name` ON `wanted_tags` (`name`);
