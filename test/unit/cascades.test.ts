import { is } from "drizzle-orm";
import { getTableConfig, SQLiteTable } from "drizzle-orm/sqlite-core";
import { expect, it } from "vitest";
import { openApiDocument } from "../../scripts/generate/openapi.ts";
import * as catalog from "../../worker/storage/db/schema/catalog.ts";
import * as history from "../../worker/storage/db/schema/history.ts";
import * as inspection from "../../worker/storage/db/schema/inspection.ts";
import * as people from "../../worker/storage/db/schema/people.ts";
import * as publishers from "../../worker/storage/db/schema/publishers.ts";
import * as sharing from "../../worker/storage/db/schema/sharing.ts";
import * as teams from "../../worker/storage/db/schema/teams.ts";

/*
 * What the database deletes along with something else by itself, and where a preview says so: a schema of the API's
 * document and its field, or why none needs to.
 */
const OF_ITS_IMAGE = "part of what an image or a container is";
const said: Readonly<Record<string, readonly string[] | string>> = {
  "collection_members.collection_id": ["CollectionDeletion.people"],
  "collection_members.user_id": ["Deletion.memberships", "TeamDeletion.grants"],
  "containers.collection_id": ["CollectionDeletion.containers"],
  "images.container_id": [
    "CollectionDeletion.images",
    "ContentDeletion.images",
    "Deletion.images",
    "TeamDeletion.images",
  ],
  "tags.container_id": ["CollectionDeletion.tags", "ContentDeletion.tags", "Deletion.tags", "TeamDeletion.tags"],
  "tag_history.container_id": OF_ITS_IMAGE,
  "wanted_tags.image_id": OF_ITS_IMAGE,
  "inspections.image_id": OF_ITS_IMAGE,
  "labels.image_id": OF_ITS_IMAGE,
  "topics.container_id": OF_ITS_IMAGE,
  "meter_reports.container_id": OF_ITS_IMAGE,
  "pull_counts.container_id": OF_ITS_IMAGE,
  "upload_parts.upload_id": "part of an upload",
  "identities.user_id": ["Deletion.identities"],
  "login_links.user_id": "works for ten minutes",
  "sessions.user_id": ["Deletion.sessions"],
  "sregistry_keys.user_id": ["Deletion.hasSregistryKey"],
  "tokens.user_id": ["Deletion.tokens", "TeamDeletion.tokens"],
  "publishers.collection_id": ["CollectionDeletion.publishers", "Deletion.publishers", "TeamDeletion.publishers"],
  "publishers.created_by": ["Deletion.publishers", "TeamDeletion.publishers"],
  "hand_overs.collection_id": ["CollectionDeletion.offers", "Deletion.offers", "TeamDeletion.offers"],
  "hand_overs.to_entity_id": ["Deletion.offers", "TeamDeletion.offers"],
  "hand_overs.to_user_id": ["Deletion.offers", "TeamDeletion.offers"],
  "hand_overs.offered_by": ["Deletion.offers", "TeamDeletion.offers"],
  "shares.image_id": ["CollectionDeletion.shares", "ContentDeletion.shares", "Deletion.shares", "TeamDeletion.shares"],
  "shares.created_by": ["Deletion.shares", "TeamDeletion.shares"],
  "stars.user_id": ["Deletion.stars"],
  "stars.collection_id": "the page of the collection counts them; anybody could make a preview stale by them",
  "invitations.team_id": ["TeamDeletion.invitations"],
  "invitations.created_by": ["Deletion.invitations"],
  "team_members.team_id": ["TeamDeletion.members"],
  "team_members.user_id": ["Deletion.teams"],
  "teams.id": "the team itself, with its picture",
};

interface Schema {
  properties?: Record<string, Schema>;
}

it("what goes along with something that is deleted is in its preview, whatever table it stands in", () => {
  const tables = [catalog, history, inspection, people, publishers, sharing, teams]
    .flatMap((schema) => Object.values<unknown>(schema))
    .filter((table) => is(table, SQLiteTable))
    .map((table) => getTableConfig(table));
  const cascading = tables.flatMap(({ name, foreignKeys }) =>
    foreignKeys
      .filter(({ onDelete }) => onDelete === "cascade")
      .map((key) => `${name}.${key.reference().columns[0]?.name}`),
  );
  expect(cascading.sort()).toEqual(Object.keys(said).sort());
  const schemas = openApiDocument().components.schemas as Record<string, Schema>;
  for (const path of Object.values(said).flatMap((where) => (typeof where === "string" ? [] : where))) {
    const [name = "", field = ""] = path.split(".");
    const { properties } = schemas[name] ?? {};
    expect(Object.keys(properties?.deletes?.properties ?? properties ?? {}), path).toContain(field);
  }
});
