import { and, desc, eq, inArray, or, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { collections, containers, entities, images, tags } from "../../storage/db/schema/catalog.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { tagNames } from "../pull/resolve.ts";
import { visibleTo } from "./facts.ts";

export interface SearchQuery {
  text: string;
  /** Only images for these; empty for all. */
  architectures: string[];
  signedOnly: boolean;
}

/**
 * Finds entities, collections, containers and images by name or description, any part of it, among what
 * the actor may see.
 * @throws `body-invalid` for a text that is too short or too long
 */
export async function search(ctx: Context, actor: Actor, query: SearchQuery) {
  if (actor.kind === "anonymous" && ctx.settings.API_REQUIRE_AUTH) throw new RegistryError("unauthenticated");
  // A to Z alone, as SQLite's lower() does: any other letter is found as it is written.
  const text = query.text.trim().replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  if (text.length < limits.searchMinLength || text.length > limits.searchMaxLength) {
    const bounds = `${limits.searchMinLength} to ${limits.searchMaxLength}`;
    throw new RegistryError("body-invalid", `The search text must have ${bounds} characters.`);
  }
  const isVisible = visibleTo(actor, ctx.settings);
  const path = sql`${entities.name} || '/' || ${collections.name} || '/' || ${containers.name}`;
  const { db } = ctx;
  const [entityRows, collectionRows, containerRows, imageRows] = await db.batch([
    db
      .selectDistinct({ entity: columnsOf(entities) })
      .from(entities)
      .innerJoin(collections, eq(collections.entityId, entities.id))
      .where(and(isVisible, contains(entities.name, text)))
      .limit(limits.searchResults),
    db
      .select({ collection: columnsOf(collections), entity: columnsOf(entities) })
      .from(collections)
      .innerJoin(entities, eq(entities.id, collections.entityId))
      .where(and(isVisible, or(contains(collections.name, text), contains(collections.description, text))))
      .limit(limits.searchResults),
    db
      .select({ container: columnsOf(containers), collection: columnsOf(collections), entity: columnsOf(entities) })
      .from(containers)
      .innerJoin(collections, eq(collections.id, containers.collectionId))
      .innerJoin(entities, eq(entities.id, collections.entityId))
      .where(and(isVisible, or(contains(containers.name, text), contains(containers.description, text))))
      .limit(limits.searchResults),
    db
      .select({
        image: columnsOf(images),
        container: columnsOf(containers),
        collection: columnsOf(collections),
        entity: columnsOf(entities),
        tags: tagNames,
      })
      .from(images)
      .innerJoin(containers, eq(containers.id, images.containerId))
      .innerJoin(collections, eq(collections.id, containers.collectionId))
      .innerJoin(entities, eq(entities.id, collections.entityId))
      .where(
        and(
          isVisible,
          eq(images.state, "published"),
          isTagged,
          query.architectures.length === 0 ? undefined : inArray(images.arch, query.architectures),
          query.signedOnly ? eq(images.signed, true) : undefined,
          or(contains(path, text), contains(containers.description, text), contains(images.description, text)),
        ),
      )
      .orderBy(desc(images.publishedAt))
      .limit(limits.searchResults),
  ]);
  return {
    entities: entityRows.map((row) => row.entity),
    collections: collectionRows,
    containers: containerRows,
    images: imageRows.map((row) => ({ ...row, tags: JSON.parse(row.tags) as string[] })),
  };
}

/**
 * Only what somebody named is found: an image whose tag was refused, or moved on, is still there by its
 * digest for whoever knows that.
 */
const isTagged = sql`EXISTS (SELECT 1 FROM ${tags} WHERE ${eq(tags.imageId, images.id)})`;

/** instr, not LIKE: D1 refuses patterns above 50 bytes, and nothing needs escaping. */
function contains(value: SQLWrapper, text: string): SQL {
  return sql`instr(lower(${value}), ${text}) > 0`;
}
