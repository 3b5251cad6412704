import { and, eq, exists, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { Visibility } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { collectionMembers, collections, containers, entities, images, tags } from "../../storage/db/schema/catalog.ts";
import { inspections, labels } from "../../storage/db/schema/inspection.ts";
import { topicNames } from "../catalog/topic-names.ts";
import { limits } from "../limits.ts";
import { tagNames } from "../pull/resolve.ts";
import {
  accountFact,
  archFact,
  collectionFact,
  collectionNameFact,
  type DocumentKind,
  kindFact,
  signedFact,
  visibilityFact,
} from "./facts.ts";

/** A row of the index, as its columns are. */
export interface Document {
  kind: DocumentKind;
  subject: string;
  names: string;
  parts: string;
  description: string;
  topics: string;
  labels: string;
  definition: string;
  facts: string;
}

/** Which things, by kind. */
export type Subjects = Readonly<Record<DocumentKind, readonly string[]>>;

/**
 * The documents of things as they are now, in one call. Those that are gone, or that nothing may find, such as an
 * image without a tag, have none.
 */
export async function loadDocuments(ctx: Context, subjects: Subjects): Promise<Document[]> {
  const [entityRows, collectionRows, containerRows, imageRows] = await ctx.db.batch([
    entitiesQuery(ctx, subjects.entity),
    collectionsQuery(ctx, subjects.collection),
    containersQuery(ctx, subjects.container),
    imagesQuery(ctx, subjects.image),
  ]);
  return [
    ...entityRows.map(({ entity, own, people }) => {
      const collections = JSON.parse(own) as { id: string; visibility: Visibility }[];
      const places = collections.flatMap(({ id, visibility }) => [collectionFact(id), visibilityFact(visibility)]);
      const persons = [entity.ownerUserId, ...(JSON.parse(people) as string[])].map(accountFact);
      const { id, name, description } = entity;
      return document("entity", id, [name], { description, facts: [...places, ...persons] });
    }),
    ...collectionRows.map((row) =>
      document("collection", row.collection.id, [row.entity.name, row.collection.name], {
        description: row.collection.description,
        facts: placeFacts(row),
      }),
    ),
    ...containerRows.map((row) =>
      document("container", row.container.id, [row.entity.name, row.collection.name, row.container.name], {
        description: row.container.description,
        topics: row.topics.join(" "),
        facts: placeFacts(row),
      }),
    ),
    ...imageRows.map(imageDocument),
  ];
}

function imageDocument(row: Awaited<ReturnType<typeof imagesQuery>>[number]): Document {
  const { image, container } = row;
  const found = document("image", image.id, [row.entity.name, row.collection.name, container.name], {
    description: `${image.description}\n${container.description}`,
    topics: row.topics.join(" "),
    labels: row.labels,
    definition: row.definition ?? "",
    facts: [
      ...placeFacts(row),
      ...(image.arch === null ? [] : [archFact(image.arch)]),
      signedFact(image.signed === true),
    ],
  });
  return { ...found, names: `${found.names} ${textOf(row.tags)}` };
}

function document(
  kind: DocumentKind,
  subject: string,
  path: string[],
  { facts, ...texts }: Partial<Omit<Document, "facts">> & { facts: string[] },
): Document {
  const empty = { description: "", topics: "", labels: "", definition: "" };
  const words = [...new Set([kindFact(kind), ...facts])];
  return { kind, subject, names: path.join("/"), parts: partsOf(path), ...empty, ...texts, facts: words.join(" ") };
}

/** The ends of the words of names, but for the words themselves. */
function partsOf(path: string[]): string {
  const ends = new Set<string>();
  for (const word of path.flatMap((name) => name.split(/[^a-z0-9]+/))) {
    for (let start = 1; start + limits.searchMinLength <= word.length; start++) ends.add(word.slice(start));
  }
  return [...ends].join(" ");
}

type Place = {
  collection: { id: string; name: string; visibility: Visibility };
  entity: { name: string; ownerUserId: string };
  members: string;
};

function placeFacts({ collection, entity, members }: Place): string[] {
  return [
    visibilityFact(collection.visibility),
    collectionFact(collection.id),
    collectionNameFact(entity.name, collection.name),
    accountFact(entity.ownerUserId),
    ...(JSON.parse(members) as string[]).map(accountFact),
  ];
}

function textOf(json: string): string {
  return (JSON.parse(json) as string[]).join(" ");
}

export function isOneOf(column: SQLWrapper, ids: readonly string[]): SQL {
  return sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;
}

/** Beyond the limit a collection is found by fewer than may see it; nobody sees more. */
const members = sql<string>`(
  SELECT json_group_array(user_id) FROM (
    SELECT ${collectionMembers.userId} AS user_id FROM ${collectionMembers}
    WHERE ${collectionMembers.collectionId} = ${collections.id} LIMIT ${limits.searchIndexedPeople}))`.as("members");

/** Keys and values one after the other, so far as they are indexed: somebody's image may have a megabyte of them. */
const labelTexts = sql<string>`substr(coalesce((
  SELECT group_concat(${labels.key} || ' ' || ${labels.value}, ' ') FROM ${labels}
  WHERE ${labels.imageId} = ${images.id}), ''), 1, ${limits.searchIndexedText})`.as("label_texts");

function entitiesQuery(ctx: Context, ids: readonly string[]) {
  // In words: from a query over one table drizzle leaves out the names of tables, which these cannot do without.
  const own = sql<string>`(
    SELECT json_group_array(json_object('id', id, 'visibility', visibility)) FROM (
      SELECT id, visibility FROM collections WHERE entity_id = entities.id LIMIT ${limits.searchIndexedPeople}))`;
  const people = sql<string>`(
    SELECT json_group_array(user_id) FROM (
      SELECT DISTINCT collection_members.user_id FROM collections
      INNER JOIN collection_members ON collection_members.collection_id = collections.id
      WHERE collections.entity_id = entities.id LIMIT ${limits.searchIndexedPeople}))`;
  return ctx.db
    .select({ entity: columnsOf(entities), own: own.as("own"), people: people.as("people") })
    .from(entities)
    .where(isOneOf(entities.id, ids));
}

function collectionsQuery(ctx: Context, ids: readonly string[]) {
  return ctx.db
    .select({ collection: columnsOf(collections), entity: columnsOf(entities), members })
    .from(collections)
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(isOneOf(collections.id, ids));
}

function containersQuery(ctx: Context, ids: readonly string[]) {
  return ctx.db
    .select({
      container: columnsOf(containers),
      collection: columnsOf(collections),
      entity: columnsOf(entities),
      topics: topicNames,
      members,
    })
    .from(containers)
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(isOneOf(containers.id, ids));
}

function imagesQuery(ctx: Context, ids: readonly string[]) {
  const isTagged = exists(ctx.db.select({ one: sql`1` }).from(tags).where(eq(tags.imageId, images.id)));
  return ctx.db
    .select({
      image: columnsOf(images),
      container: columnsOf(containers),
      collection: columnsOf(collections),
      entity: columnsOf(entities),
      tags: tagNames,
      topics: topicNames,
      labels: labelTexts,
      members,
      definition: sql<string | null>`substr(${inspections.definition}, 1, ${limits.searchIndexedText})`.as("text"),
    })
    .from(images)
    .innerJoin(containers, eq(containers.id, images.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .leftJoin(inspections, eq(inspections.imageId, images.id))
    .where(and(isOneOf(images.id, ids), eq(images.state, "published"), isTagged));
}
