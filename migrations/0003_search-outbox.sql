CREATE TABLE `search_outbox` (
	`kind` text NOT NULL,
	`subject` text NOT NULL,
	`version` integer NOT NULL,
	PRIMARY KEY(`kind`, `subject`),
	CONSTRAINT "search_outbox_kind" CHECK("search_outbox"."kind" IN ('entity', 'collection', 'container', 'image', 'in-collection', 'in-container'))
);
--> statement-breakpoint
-- drizzle knows no triggers: whoever makes one of these tables anew makes its triggers anew. test/worker/search-index.test.ts
-- names them all. Their changes do not count in changes(), which guards ask.
CREATE TRIGGER search_entity_new AFTER INSERT ON entities
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'entity', NEW.id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_entity_changed AFTER UPDATE OF name, description, owner_user_id ON entities
WHEN NEW.name <> OLD.name OR NEW.description <> OLD.description OR NEW.owner_user_id <> OLD.owner_user_id
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'entity', NEW.id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'collection', id, abs(random() % 9007199254740991) FROM collections WHERE entity_id = NEW.id
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'in-collection', id, abs(random() % 9007199254740991) FROM collections WHERE entity_id = NEW.id
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_entity_gone AFTER DELETE ON entities
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'entity', OLD.id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_collection_new AFTER INSERT ON collections
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'collection', NEW.id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'entity', NEW.entity_id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_collection_described AFTER UPDATE OF description ON collections
WHEN NEW.description <> OLD.description
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'collection', NEW.id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_collection_changed AFTER UPDATE OF name, visibility, entity_id ON collections
WHEN NEW.name <> OLD.name OR NEW.visibility <> OLD.visibility OR NEW.entity_id <> OLD.entity_id
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'collection', NEW.id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'in-collection', NEW.id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'entity', NEW.entity_id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'entity', OLD.entity_id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_collection_gone AFTER DELETE ON collections
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'collection', OLD.id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'entity', OLD.entity_id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_member_new AFTER INSERT ON collection_members
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'collection', id, abs(random() % 9007199254740991) FROM collections WHERE id = NEW.collection_id
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'in-collection', id, abs(random() % 9007199254740991) FROM collections WHERE id = NEW.collection_id
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'entity', entity_id, abs(random() % 9007199254740991) FROM collections WHERE id = NEW.collection_id
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_member_gone AFTER DELETE ON collection_members
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'collection', id, abs(random() % 9007199254740991) FROM collections WHERE id = OLD.collection_id
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'in-collection', id, abs(random() % 9007199254740991) FROM collections WHERE id = OLD.collection_id
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'entity', entity_id, abs(random() % 9007199254740991) FROM collections WHERE id = OLD.collection_id
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_container_new AFTER INSERT ON containers
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'container', NEW.id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_container_changed AFTER UPDATE OF name, description, collection_id ON containers
WHEN NEW.name <> OLD.name OR NEW.description <> OLD.description OR NEW.collection_id <> OLD.collection_id
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'container', NEW.id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'in-container', NEW.id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_container_gone AFTER DELETE ON containers
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'container', OLD.id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_topic_new AFTER INSERT ON topics
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'container', NEW.container_id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'in-container', NEW.container_id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_topic_changed AFTER UPDATE ON topics
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'container', NEW.container_id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'in-container', NEW.container_id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_topic_gone AFTER DELETE ON topics
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'container', OLD.container_id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'in-container', OLD.container_id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_image_changed AFTER UPDATE OF state, description, arch, signed, container_id ON images
WHEN NEW.state = 'published' AND (NEW.state <> OLD.state OR NEW.description <> OLD.description OR NEW.arch IS NOT OLD.arch
  OR NEW.signed IS NOT OLD.signed OR NEW.container_id <> OLD.container_id)
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'image', NEW.id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_image_gone AFTER DELETE ON images
WHEN OLD.state = 'published'
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'image', OLD.id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_tag_new AFTER INSERT ON tags
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'image', NEW.image_id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_tag_moved AFTER UPDATE OF image_id, name ON tags
WHEN NEW.image_id <> OLD.image_id OR NEW.name <> OLD.name
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'image', NEW.image_id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'image', OLD.image_id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_tag_gone AFTER DELETE ON tags
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'image', OLD.image_id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_inspection_new AFTER INSERT ON inspections
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'image', NEW.image_id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
CREATE TRIGGER search_inspection_changed AFTER UPDATE ON inspections
BEGIN
  INSERT INTO search_outbox (kind, subject, version)
  SELECT 'image', NEW.image_id, abs(random() % 9007199254740991) WHERE true
  ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version;
END;
--> statement-breakpoint
-- What is there already.
INSERT INTO search_outbox (kind, subject, version)
SELECT 'entity', id, 1 FROM entities UNION ALL SELECT 'collection', id, 1 FROM collections
UNION ALL SELECT 'container', id, 1 FROM containers UNION ALL SELECT DISTINCT 'image', image_id, 1 FROM tags;
