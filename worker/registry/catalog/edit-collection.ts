import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Actor, Visibility } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { collections, containers } from "../../storage/db/schema/catalog.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { parseName } from "../names.ts";
import { searchSoon } from "../search/search-soon.ts";
import { auditRow } from "../upkeep/audit.ts";
import { type CollectionPage, collectionPageQuery, toCollectionPage } from "./collection-page.ts";
import type { CollectionPath } from "./collections.ts";
import { ensureAllowed, type FoundCollection, findCollection } from "./collections.ts";
import { guardOwner } from "./guard-owner.ts";
import { bury, isBuried } from "./tombstones.ts";

export interface CollectionEdit {
  name?: string | undefined;
  description?: string | undefined;
  visibility?: Visibility | undefined;
}

/** References that lead nowhere once a collection has another path. */
export interface Broken {
  /** `entity/collection/container`, so far as a page holds them. */
  breaks: string[];
  /** The short name that references go on by; null where it has none. */
  shortName: string | null;
}

/**
 * Changes a collection. Its old name stays taken, so that nobody gets what is pulled by it.
 * @param version the version that is changed; null for whichever it is, but not for a new name
 * @throws `not-found`, `name-invalid`, `name-taken`, `private-only`, `precondition-required`, `precondition-failed`, `conflict`, and
 *   what the policy refuses
 */
export async function editCollection(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  edit: CollectionEdit,
  version: number | null,
): Promise<CollectionPage> {
  const { found, name } = await findEdited(ctx, actor, path, edit);
  const { collection, entity } = found;
  if (name !== null && version === null) {
    throw new RegistryError("precondition-required", "A new name breaks references: look first which.");
  }
  const set = {
    ...(name === null ? {} : { name }),
    ...(edit.description === undefined ? {} : { description: edit.description }),
    ...(edit.visibility === undefined ? {} : { visibility: edit.visibility }),
  };
  const results = await writeTogether(ctx.db, [
    guardVersion(ctx, collection.id, version),
    ...guardOwner(ctx, actor, found),
    ...(name === null ? [] : guardName(ctx, { id: entity.id, name: entity.name }, name)),
    ctx.db
      .update(collections)
      .set({ ...set, updatedAt: ctx.now() })
      .where(isWhereItWas(found)),
    guardChanged(ctx.db, "conflict"),
    ...(name === null ? [] : [bury(ctx, "collection", pathOf(found))]),
    ...editRows(ctx, actor, found, name, edit),
    collectionPageQuery(ctx, actor, eq(collections.id, collection.id)),
  ]);
  searchSoon(ctx);
  const [row] = results.at(-1) as Parameters<typeof toCollectionPage>[2][];
  return toCollectionPage(ctx, actor, row);
}

/** What would lead nowhere if a collection got another name. @throws `not-found`, and what the policy refuses */
export async function listReferences(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
): Promise<{ references: Broken; version: number }> {
  const found = authorize(ctx, actor, "collection.manage", await findCollection(ctx, actor, path));
  return { references: await brokenBy(ctx, found), version: found.collection.version };
}

/** What would lead nowhere if the collection had another path. */
export async function brokenBy(ctx: Context, found: FoundCollection): Promise<Broken> {
  const rows = await ctx.db
    .select({ name: containers.name })
    .from(containers)
    .where(eq(containers.collectionId, found.collection.id))
    .orderBy(containers.name)
    .limit(limits.pageSize)
    .all();
  return { breaks: rows.map(({ name }) => `${pathOf(found)}/${name}`), shortName: found.collection.shortName };
}

/** A statement that refuses a collection that is not in this version any more, or, where none is named, that is gone. */
export function guardVersion(ctx: Context, id: string, version: number | null): Statement {
  const isSeen = and(eq(collections.id, id), version === null ? undefined : eq(collections.version, version));
  const reason = version === null ? "not-found" : "precondition-failed";
  return guardAgainst(ctx.db, reason, sql`NOT EXISTS (SELECT 1 FROM ${collections} WHERE ${isSeen})`);
}

/** Statements that refuse a name which a collection of the entity has, or one that is gone had. */
export function guardName(ctx: Context, entity: { id: string; name: string }, name: string): Statement[] {
  const isHeld = sql`EXISTS (SELECT 1 FROM ${collections} WHERE ${and(eq(collections.entityId, entity.id), eq(collections.name, name))})`;
  return [guardAgainst(ctx.db, "name-taken", sql`${isHeld} OR ${isBuried("collection", `${entity.name}/${name}`)}`)];
}

/** The collection, while it still has the path it was found by. */
export function isWhereItWas({ collection }: FoundCollection): SQL | undefined {
  return and(
    eq(collections.id, collection.id),
    eq(collections.entityId, collection.entityId),
    eq(collections.name, collection.name),
  );
}

export function pathOf({ entity, collection }: FoundCollection): string {
  return `${entity.name}/${collection.name}`;
}

/** @returns `name`: the new one; null where it stays what it is */
async function findEdited(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  edit: CollectionEdit,
): Promise<{ found: FoundCollection; name: string | null }> {
  const found = authorize(ctx, actor, "collection.manage", await findCollection(ctx, actor, path));
  if (edit.visibility !== undefined) ensureAllowed(ctx, edit.visibility);
  const name = edit.name === undefined ? found.collection.name : parseName(edit.name);
  return { found, name: name === found.collection.name ? null : name };
}

function editRows(
  ctx: Context,
  actor: Actor,
  found: FoundCollection,
  name: string | null,
  { description, visibility }: CollectionEdit,
): Statement[] {
  const row = (action: string, detail?: Record<string, unknown>) =>
    auditRow(ctx, actor, action, pathOf(found), {
      in: found.collection.id,
      ...(detail === undefined ? {} : { detail }),
    });
  return [
    ...(name === null ? [] : [row("collection.rename", { to: `${found.entity.name}/${name}` })]),
    ...(description === undefined ? [] : [row("collection.describe")]),
    ...(visibility === undefined ? [] : [row("collection.visibility", { visibility })]),
  ];
}
