import { sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize } from "../authorize.ts";
import { limits } from "../limits.ts";
import { searchSoon } from "../search/search-soon.ts";
import { auditRow } from "../upkeep/audit.ts";
import type { CollectionPath } from "./collections.ts";
import { findCollection } from "./collections.ts";
import { collectionsDeletion } from "./delete-collections.ts";
import { guardVersion, pathOf } from "./edit-collection.ts";
import { visibleTo } from "./facts.ts";
import { guardOwner } from "./guard-owner.ts";

/** What deleting a collection would do. */
export interface CollectionDeletion {
  containers: number;
  images: number;
  tags: number;
  /** Of content that is nowhere else the actor sees: what others hide must not show in this number. */
  bytes: number;
  /** Share links that would end. */
  shares: number;
  /** Pipelines that push to it. */
  publishers: number;
  /** People, robots and teams that have a role in it. */
  people: number;
  /** Images that are being pushed to it. */
  uploads: number;
  /** References that would lead nowhere, so far as a page holds them. */
  breaks: string[];
  /** What must be settled first, in sentences. */
  obstacles: string[];
}

/**
 * What deleting a collection would delete, and what is in the way. Two queries.
 * @throws `not-found`, and what the policy refuses
 */
export async function previewDeletion(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
): Promise<{ deletion: CollectionDeletion; version: number }> {
  const found = authorize(ctx, actor, "collection.manage", await findCollection(ctx, actor, path));
  const { id } = found.collection;
  const inIt = sql`SELECT k.id FROM containers AS k WHERE k.collection_id = ${id}`;
  const { text } = await ctx.db.get<{ text: string }>(sql`
    SELECT json_object(
      'version', (SELECT c.version FROM collections AS c WHERE c.id = ${id}),
      'containers', (SELECT count(*) FROM (${inIt})),
      'images', (SELECT count(*) FROM images AS i WHERE i.container_id IN (${inIt}) AND i.state = 'published'),
      'tags', (SELECT count(*) FROM tags AS t WHERE t.container_id IN (${inIt})),
      'bytes', (
        SELECT coalesce(sum(size), 0) FROM (
          SELECT DISTINCT i.blob_digest, i.size_bytes AS size FROM images AS i
          WHERE i.container_id IN (${inIt}) AND i.state = 'published' AND NOT EXISTS (
            SELECT 1 FROM images AS other INNER JOIN containers AS place ON place.id = other.container_id
              INNER JOIN collections ON collections.id = place.collection_id
              INNER JOIN entities ON entities.id = collections.entity_id
            WHERE other.blob_digest = i.blob_digest AND place.collection_id <> ${id} AND ${visibleTo(actor, ctx.settings)}))),
      'shares', (
        SELECT count(*) FROM shares AS s INNER JOIN images AS i ON i.id = s.image_id
        WHERE i.container_id IN (${inIt}) AND s.expires_at > ${ctx.now()}),
      'publishers', (SELECT count(*) FROM publishers AS p WHERE p.collection_id = ${id}),
      'people', (SELECT count(*) FROM collection_members AS m WHERE m.collection_id = ${id}),
      'uploads', (
        SELECT count(*) FROM uploads AS u INNER JOIN images AS i ON i.id = u.image_id
        WHERE i.container_id IN (${inIt}) AND (u.state = 'verifying' OR (u.state = 'open' AND u.expires_at > ${ctx.now()}))),
      'frozen', (
        SELECT json_group_array(name) FROM (
          SELECT k.name FROM containers AS k WHERE k.collection_id = ${id} AND (
            EXISTS (SELECT 1 FROM images AS i WHERE i.container_id = k.id AND i.frozen = 1)
            OR EXISTS (SELECT 1 FROM tags AS t WHERE t.container_id = k.id AND t.frozen = 1))
          ORDER BY k.name LIMIT ${limits.pageSize})),
      'names', (
        SELECT json_group_array(name) FROM (
          SELECT k.name FROM containers AS k WHERE k.collection_id = ${id} ORDER BY k.name LIMIT ${limits.pageSize}))) AS text`);
  const { version, frozen, names, ...counts } = JSON.parse(text) as Facts;
  const deletion = {
    ...counts,
    breaks: names.map((name) => `${pathOf(found)}/${name}`),
    obstacles: frozen.map((name) => `Something in ${pathOf(found)}/${name} is frozen. Thaw it first.`),
  };
  return { deletion, version: version ?? found.collection.version };
}

type Facts = Omit<CollectionDeletion, "breaks" | "obstacles"> & {
  version: number | null;
  frozen: string[];
  names: string[];
};

/**
 * Deletes a collection and all in it. Its name and short name stay taken until an administrator frees them.
 * @param version the one that was shown; null for whichever it is
 * @throws `frozen` when anything in it is, `precondition-failed`, `not-found`, and what the policy refuses
 */
export async function removeCollection(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  version: number | null,
): Promise<void> {
  const found = authorize(ctx, actor, "collection.manage", await findCollection(ctx, actor, path));
  const { id } = found.collection;
  await writeTogether(ctx.db, [
    guardVersion(ctx, id, version),
    ...guardOwner(ctx, actor, found),
    ...collectionsDeletion(ctx, [id]),
    auditRow(ctx, actor, "collection.delete", pathOf(found), { in: id }),
  ]);
  searchSoon(ctx);
}
