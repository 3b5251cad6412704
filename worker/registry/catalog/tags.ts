import { and, eq, type SQL, sql } from "drizzle-orm";
import { type Actor, actorUserId } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { collections, containers, entities, images, tags, wantedTags } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { audit } from "../../storage/db/schema/upkeep.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize } from "../authorize.ts";
import type { Digest } from "../digest.ts";
import { errorMessages, RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { type ContainerPath, parseTag } from "../names.ts";
import { type FoundImage, findImageById, imageQuery, isPublished, toFoundImage } from "../pull/resolve.ts";
import { searchSoon } from "../search/search-soon.ts";
import { auditRow } from "../upkeep/audit.ts";
import { containerIs, ensureWritable, getContainer } from "./containers.ts";
import { guardPusher, mayPush } from "./may-push.ts";

export type TagRow = Pick<typeof tags.$inferSelect, "arch" | "name" | "imageId">;

/** The tags of a container, so far as an answer holds them, for the actor who may see it. @throws `not-found` */
export async function listTags(ctx: Context, actor: Actor, containerId: string): Promise<TagRow[]> {
  const { container } = await getContainer(ctx, actor, { id: containerId });
  return await ctx.db
    .select({ arch: tags.arch, name: tags.name, imageId: tags.imageId })
    .from(tags)
    .where(eq(tags.containerId, container.id))
    .orderBy(tags.arch, tags.name)
    .limit(limits.listedTags)
    .all();
}

/**
 * The end of an INSERT INTO tags: moves a tag that exists, unless it or the image it is on is frozen.
 * Setting it again where it is changes nothing and is always fine.
 */
export const moveTagIfAllowed = sql`
  ON CONFLICT (container_id, arch, name) DO UPDATE
  SET image_id = excluded.image_id, updated_by = excluded.updated_by, updated_at = excluded.updated_at
  WHERE image_id = excluded.image_id
    OR (frozen = 0 AND NOT EXISTS (SELECT 1 FROM images WHERE images.id = tags.image_id AND images.frozen = 1))`;

/**
 * Sets a tag on an image of the container. On an image whose bytes are still to come the tag is noted,
 * and moves when the image is published; until then it stays where it is.
 * @param input.arch what the client says the image was built for; null when it does not say
 * @throws `tag-invalid`, `architecture-mismatch`, `tag-frozen`, `read-only`, `not-found`, `conflict` when the right to push
 *   ends meanwhile, and what the policy refuses
 */
export async function setTag(
  ctx: Context,
  actor: Actor,
  input: { containerId: string; imageId: string; tag: string; arch: string | null },
): Promise<void> {
  const row = await findImageById(ctx, actor, input.imageId);
  const isOfContainer = row !== null && row.container.id === input.containerId;
  await setTagOn(ctx, actor, isOfContainer ? row : null, input);
}

/**
 * The same for an image by its digest, wherever its container stands.
 * @returns whether the tag waits for the image's bytes
 * @throws the same
 */
export async function setTagByDigest(
  ctx: Context,
  actor: Actor,
  path: ContainerPath,
  input: { digest: Digest; tag: string; arch: string | null },
): Promise<boolean> {
  const rows = await imageQuery(ctx, actor, and(containerIs(path), eq(images.digest, input.digest)));
  return await setTagOn(ctx, actor, toFoundImage(rows), input);
}

async function setTagOn(
  ctx: Context,
  actor: Actor,
  row: FoundImage | null,
  input: { tag: string; arch: string | null },
): Promise<boolean> {
  const found = authorize(ctx, actor, "collection.push", row);
  ensureWritable(found.container);
  const name = parseTag(input.tag);
  const { image, container } = found;
  const now = ctx.now();
  if (!isPublished(found)) {
    const wanted = { imageId: image.id, name, arch: input.arch, wantedBy: actorUserId(actor), createdAt: now };
    await writeTogether(ctx.db, [
      ctx.db
        .insert(wantedTags)
        .values(wanted)
        // The last who wants it counts: by their rights it moves.
        .onConflictDoUpdate({
          target: [wantedTags.imageId, wantedTags.name],
          set: { arch: input.arch, wantedBy: wanted.wantedBy, createdAt: now },
        }),
      // Somebody may have published the image since: then nobody else would move this one.
      ...moveWantedTags(ctx, { containerId: container.id, digest: image.digest }),
    ]);
    return true;
  }
  const { arch } = found.image;
  if (input.arch !== null && input.arch !== arch) {
    throw new RegistryError(
      "architecture-mismatch",
      `The image was built for ${arch}, not for ${printable(input.arch)}.`,
    );
  }
  const target = `${found.entity.name}/${found.collection.name}/${container.name}:${name}`;
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "not-found", sql`NOT EXISTS (SELECT 1 FROM ${images} WHERE ${eq(images.id, image.id)})`),
    ...guardPusher(ctx, actor, found.collection.id),
    statement(
      ctx.db,
      sql`
      INSERT INTO ${tags} (container_id, arch, name, image_id, updated_by, updated_at)
      SELECT ${container.id}, ${arch}, ${name}, ${image.id}, ${actorUserId(actor)}, ${now}
      FROM ${images} WHERE ${images.id} = ${image.id}
      ${moveTagIfAllowed}`,
    ),
    guardChanged(ctx.db, "tag-frozen"),
    auditRow(ctx, actor, "tag.set", target, { in: found.collection.id, detail: { arch, digest: image.digest } }),
  ]);
  searchSoon(ctx);
  return false;
}

/**
 * Moves the tags that waited for an image of a container, when it is published now; for the batch that publishes it.
 * They move in the name of whoever wanted them, and so only if they may still push. One that does not move stays where
 * it was; the audit log says why.
 */
export function moveWantedTags(
  ctx: Context,
  { containerId, digest }: { containerId: string | SQL; digest: string },
): [Statement, Statement, Statement] {
  const isPublishedNow = and(
    eq(images.containerId, containerId),
    eq(images.digest, digest),
    eq(images.state, "published"),
  );
  return [
    statement(
      ctx.db,
      sql`
        INSERT INTO ${tags} (container_id, arch, name, image_id, updated_by, updated_at)
        SELECT ${images.containerId}, ${images.arch}, ${wantedTags.name}, ${images.id}, ${wantedTags.wantedBy}, ${ctx.now()}
        FROM ${wantedTags} INNER JOIN ${images} ON ${images.id} = ${wantedTags.imageId}
        WHERE ${isPublishedNow} AND ${isForItsArchitecture} AND ${wantedByPusher(ctx)}
        ${moveTagIfAllowed}`,
    ),
    auditWanted(ctx, isPublishedNow),
    ctx.db
      .delete(wantedTags)
      .where(sql`${wantedTags.imageId} IN (SELECT ${images.id} FROM ${images} WHERE ${isPublishedNow})`),
  ];
}

/** The file is what counts. */
const isForItsArchitecture = sql`(${wantedTags.arch} IS NULL OR ${wantedTags.arch} = ${images.arch})`;

function wantedByPusher(ctx: Context): SQL {
  const collectionId = sql`(SELECT held.collection_id FROM containers AS held WHERE held.id = ${images.containerId})`;
  return mayPush(ctx, sql`${wantedTags.wantedBy}`, collectionId);
}

/** What became of each tag that waited, by who wanted it: who publishes the image may be somebody else, or a job. */
function auditWanted(ctx: Context, isPublishedNow: SQL | undefined): Statement {
  // That the tag is on the image says nothing alone: somebody else may have set it.
  const reason = sql`CASE WHEN NOT ${wantedByPusher(ctx)} THEN ${NO_PUSHER} WHEN NOT ${isForItsArchitecture} THEN ${OTHER_ARCHITECTURE}
    WHEN t.name IS NULL THEN ${errorMessages["tag-frozen"]} END`;
  return statement(
    ctx.db,
    sql`
      INSERT INTO ${audit} (at, actor, action, target, detail, request_id, collection_id)
      SELECT ${ctx.now()}, who, CASE WHEN reason IS NULL THEN 'tag.set' ELSE 'tag.refuse' END, target,
        json_patch(json_object('arch', arch, 'digest', digest), json_object('reason', reason)), ${ctx.requestId}, collection
      FROM (SELECT coalesce(u.username, 'deleted user') AS who, c.id AS collection, ${images.arch} AS arch, ${images.digest} AS digest,
          e.name || '/' || c.name || '/' || k.name || ':' || ${wantedTags.name} AS target, ${reason} AS reason
      FROM ${images} INNER JOIN ${wantedTags} ON ${wantedTags.imageId} = ${images.id}
        INNER JOIN ${containers} AS k ON k.id = ${images.containerId}
        INNER JOIN ${collections} AS c ON c.id = k.collection_id
        INNER JOIN ${entities} AS e ON e.id = c.entity_id
        LEFT JOIN ${tags} AS t ON t.container_id = ${images.containerId} AND t.arch = ${images.arch}
          AND t.name = ${wantedTags.name} AND t.image_id = ${images.id}
        LEFT JOIN ${users} AS u ON u.id = ${wantedTags.wantedBy}
      WHERE ${isPublishedNow})`,
  );
}

const NO_PUSHER = "Whoever wanted it may not push here any more.";
const OTHER_ARCHITECTURE = "It was wanted for another architecture.";

function printable(text: string): string {
  return `'${text.replace(/[^\x20-\x7e]/g, "?").slice(0, 40)}'`;
}
