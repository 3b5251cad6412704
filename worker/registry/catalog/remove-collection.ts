import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize } from "../authorize.ts";
import { limits } from "../limits.ts";
import { searchSoon } from "../search/search-soon.ts";
import { guardAsShown, loadShown, type Mark, markOf } from "../shown.ts";
import { auditRow } from "../upkeep/audit.ts";
import type { CollectionPath } from "./collections.ts";
import { findCollection } from "./collections.ts";
import { collectionsDeletion } from "./delete-collections.ts";
import { guardVersion, pathOf } from "./edit-collection.ts";
import { visibleTo } from "./facts.ts";
import { guardOwner } from "./guard-owner.ts";
import { isLiveShare } from "./image-details.ts";
import { isUnderWay } from "./under-way.ts";

/** What deleting a collection would do. */
export interface CollectionDeletion {
  containers: number;
  images: number;
  tags: number;
  /** Of content that is nowhere else the actor sees: what others hide must not show in this number. */
  bytes: number;
  /** Share links that work, and would end. */
  shares: number;
  /** Pipelines that push to it. */
  publishers: number;
  /** People, robots and teams that have a role in it. */
  people: number;
  /** Images that are being pushed to it. */
  uploads: number;
  /** Whether it is offered to somebody: one, or none. */
  offers: number;
  /** References that would lead nowhere, so far as a page holds them. */
  breaks: string[];
  /** What must be settled first, in sentences. */
  obstacles: string[];
}

/**
 * What deleting a collection would delete, and what is in the way. Two queries.
 * @returns `tag` names the state that was looked at
 * @throws `not-found`, and what the policy refuses
 */
export async function previewDeletion(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
): Promise<{ deletion: CollectionDeletion; tag: string }> {
  const found = authorize(ctx, actor, "collection.manage", await findCollection(ctx, actor, path));
  const { id } = found.collection;
  const { facts, tag } = await loadShown<Facts>(ctx, deletionFactsOf(ctx, actor, id), id);
  const { publishers, uploads, offers, frozen, names, version: _, ...counts } = facts;
  const deletion = {
    ...counts,
    ...{ publishers: publishers.count, uploads: uploads.count, offers: offers.count },
    breaks: names.map((name) => `${pathOf(found)}/${name}`),
    obstacles: frozen.map((name) => `Something in ${pathOf(found)}/${name} is frozen. Thaw it first.`),
  };
  return { deletion, tag };
}

/** What the database says of a collection that is to be deleted. The version counts what changes in it, but for what has a mark. */
type Facts = Omit<CollectionDeletion, "publishers" | "uploads" | "offers" | "breaks" | "obstacles"> & {
  version: number | null;
  publishers: Mark;
  uploads: Mark;
  offers: Mark;
  frozen: string[];
  names: string[];
};

function deletionFactsOf(ctx: Context, actor: Actor, id: string): SQL {
  const now = ctx.now();
  const inIt = sql`SELECT k.id FROM containers AS k WHERE k.collection_id = ${id}`;
  const imagesInIt = sql`SELECT i.id FROM images AS i WHERE i.container_id IN (${inIt})`;
  const isOfIt = sql`collection_id = ${id}`;
  return sql`json_object(
    'version', (SELECT c.version FROM collections AS c WHERE c.id = ${id}),
    'containers', (SELECT count(*) FROM (${inIt})),
    'images', (SELECT count(*) FROM images AS i WHERE i.container_id IN (${inIt}) AND i.state = 'published'),
    'tags', (SELECT count(*) FROM tags AS t WHERE t.container_id IN (${inIt})),
    'bytes', (${bytesGone(ctx, actor, id)}),
    'shares', (SELECT count(*) FROM shares WHERE image_id IN (${imagesInIt}) AND ${isLiveShare(now)}),
    'publishers', json(${markOf(sql`publishers`, sql`id`, isOfIt)}),
    'people', (SELECT count(*) FROM collection_members WHERE ${isOfIt}),
    'uploads', json(${markOf(sql`uploads`, sql`id`, sql`image_id IN (${imagesInIt}) AND ${isUnderWay(now)}`)}),
    'offers', json(${markOf(sql`hand_overs`, sql`to_entity_id`, sql`${isOfIt} AND expires_at > ${now}`)}),
    'frozen', json((
      SELECT json_group_array(name) FROM (
        SELECT k.name FROM containers AS k WHERE k.collection_id = ${id} AND (
          EXISTS (SELECT 1 FROM images AS i WHERE i.container_id = k.id AND i.frozen = 1)
          OR EXISTS (SELECT 1 FROM tags AS t WHERE t.container_id = k.id AND t.frozen = 1))
        ORDER BY k.name LIMIT ${limits.pageSize}))),
    'names', json((
      SELECT json_group_array(name) FROM (
        SELECT k.name FROM containers AS k WHERE k.collection_id = ${id} ORDER BY k.name LIMIT ${limits.pageSize}))))`;
}

/** Of content that the actor sees nowhere else. */
function bytesGone(ctx: Context, actor: Actor, id: string): SQL {
  return sql`
    SELECT coalesce(sum(size), 0) FROM (
      SELECT DISTINCT i.blob_digest, i.size_bytes AS size
      FROM containers AS k INNER JOIN images AS i ON i.container_id = k.id
      WHERE k.collection_id = ${id} AND i.state = 'published' AND NOT EXISTS (
        SELECT 1 FROM images AS other INNER JOIN containers AS place ON place.id = other.container_id
          INNER JOIN collections ON collections.id = place.collection_id
          INNER JOIN entities ON entities.id = collections.entity_id
        WHERE other.blob_digest = i.blob_digest AND place.collection_id <> ${id} AND ${visibleTo(actor, ctx.settings)}))`;
}

/**
 * Deletes a collection and all in it. Its name and short name stay taken until an administrator frees them.
 * @param seen the tag of the preview that was shown; null at the command line, where nobody has looked first
 * @throws `frozen` when anything in it is, `precondition-failed`, `not-found`, and what the policy refuses
 */
export async function removeCollection(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  seen: string | null,
): Promise<void> {
  const found = authorize(ctx, actor, "collection.manage", await findCollection(ctx, actor, path));
  const { id } = found.collection;
  await writeTogether(ctx.db, [
    guardVersion(ctx, id, null),
    ...guardOwner(ctx, actor, found),
    ...(seen === null ? [] : await guardAsShown(ctx, deletionFactsOf(ctx, actor, id), seen, id)),
    ...collectionsDeletion(ctx, [id]),
    auditRow(ctx, actor, "collection.delete", pathOf(found), { in: id }),
  ]);
  searchSoon(ctx);
}
