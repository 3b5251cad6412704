CREATE TABLE `identities` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`provider` text NOT NULL,
	`issuer` text NOT NULL,
	`subject` text NOT NULL,
	`origin` text NOT NULL,
	`name` text DEFAULT '' NOT NULL,
	`email` text,
	`email_verified` integer DEFAULT false NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "identities_origin" CHECK("identities"."origin" IN ('admission', 'link'))
);
--> statement-breakpoint
CREATE INDEX `identities_user` ON `identities` (`user_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `identities_issuer_subject` ON `identities` (`issuer`,`subject`);--> statement-breakpoint
CREATE TABLE `login_links` (
	`hash` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `login_links_user` ON `login_links` (`user_id`);--> statement-breakpoint
CREATE INDEX `login_links_expiry` ON `login_links` (`expires_at`);--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`hash` text NOT NULL,
	`signed_in_with` text NOT NULL,
	`user_agent` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "sessions_hash" CHECK(length("sessions"."hash") = 64)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `sessions_hash_unique` ON `sessions` (`hash`);--> statement-breakpoint
CREATE INDEX `sessions_user` ON `sessions` (`user_id`);--> statement-breakpoint
CREATE INDEX `sessions_expiry` ON `sessions` (`expires_at`);--> statement-breakpoint
CREATE TABLE `publishers` (
	`id` text PRIMARY KEY NOT NULL,
	`collection_id` text NOT NULL,
	`issuer` text NOT NULL,
	`repository` text NOT NULL,
	`ref_kind` text NOT NULL,
	`ref` text NOT NULL,
	`repository_id` text,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer,
	FOREIGN KEY (`collection_id`) REFERENCES `collections`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`created_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "publishers_ref_kind" CHECK("publishers"."ref_kind" IN ('branch', 'tag'))
);
--> statement-breakpoint
CREATE INDEX `publishers_creator` ON `publishers` (`created_by`);--> statement-breakpoint
CREATE UNIQUE INDEX `publishers_rule` ON `publishers` (`collection_id`,`issuer`,`repository`,`ref_kind`,`ref`);--> statement-breakpoint
CREATE TABLE `settings` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL,
	`version` integer NOT NULL,
	`updated_by` text NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE `tokens` ADD `publisher_id` text;--> statement-breakpoint
ALTER TABLE `users` ADD `is_robot` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `owner_user_id` text REFERENCES users(id) ON DELETE set null;--> statement-breakpoint
ALTER TABLE `users` ADD `description` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `claimed_admin_until` integer;--> statement-breakpoint
ALTER TABLE `users` ADD `claimed_admin_by` text;--> statement-breakpoint
ALTER TABLE `users` ADD `agreed_terms` text;--> statement-breakpoint
ALTER TABLE `users` ADD `agreed_terms_at` integer;--> statement-breakpoint
ALTER TABLE `users` ADD `version` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
CREATE INDEX `users_owner` ON `users` (`owner_user_id`,`username`);--> statement-breakpoint
ALTER TABLE `audit` ADD `credential` text;--> statement-breakpoint
ALTER TABLE `audit` ADD `address` text;--> statement-breakpoint
CREATE INDEX `audit_actor` ON `audit` (`actor`,`id`);--> statement-breakpoint
CREATE INDEX `audit_action` ON `audit` (`action`,`id`);--> statement-breakpoint
CREATE INDEX `audit_at` ON `audit` (`at`,`id`);--> statement-breakpoint
-- Always empty, and nothing refers to it.
DROP TABLE `guards`;--> statement-breakpoint
CREATE TABLE `guards` (
	`reason` text NOT NULL,
	CONSTRAINT "guard:conflict" CHECK("guards"."reason" <> 'conflict'),
	CONSTRAINT "guard:not-found" CHECK("guards"."reason" <> 'not-found'),
	CONSTRAINT "guard:tag-frozen" CHECK("guards"."reason" <> 'tag-frozen'),
	CONSTRAINT "guard:frozen" CHECK("guards"."reason" <> 'frozen'),
	CONSTRAINT "guard:collection-limit" CHECK("guards"."reason" <> 'collection-limit'),
	CONSTRAINT "guard:name-taken" CHECK("guards"."reason" <> 'name-taken'),
	CONSTRAINT "guard:already-so" CHECK("guards"."reason" <> 'already-so'),
	CONSTRAINT "guard:precondition-failed" CHECK("guards"."reason" <> 'precondition-failed'),
	CONSTRAINT "guard:identity-taken" CHECK("guards"."reason" <> 'identity-taken'),
	CONSTRAINT "guard:last-identity" CHECK("guards"."reason" <> 'last-identity'),
	CONSTRAINT "guard:link-ended" CHECK("guards"."reason" <> 'link-ended'),
	CONSTRAINT "guard:limit-reached" CHECK("guards"."reason" <> 'limit-reached')
);
