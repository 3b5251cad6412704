import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Action } from "../../access/policy.ts";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { preparedOnce } from "../../storage/db/client.ts";
import { blobs, collections, containers, entities, images, tags } from "../../storage/db/schema/catalog.ts";
import { inspections } from "../../storage/db/schema/inspection.ts";
import { authorize } from "../authorize.ts";
import { accountsText } from "../catalog/facts.ts";
import { type InspectionState, inspectionState } from "../catalog/listing.ts";
import { RegistryError } from "../errors.ts";
import type { TaggedReference } from "../names.ts";
import {
  goodBlob,
  type ImageRow,
  imageColumns,
  type PublishedImage,
  toFoundImage,
  wantedImage,
  wasPublished,
  whyNot,
} from "./resolve.ts";

/** An image as sregistry's own protocol sees it, in which a container has no architectures. */
export interface ContainerImage {
  found: PublishedImage;
  /** The tag it goes by: the one asked for, in its own letters; another of its own where a version was. */
  tag: string;
  /** Whether the image, or its tag asked for, is frozen. */
  frozen: boolean;
  /** What became of reading its metadata. */
  inspection: InspectionState;
  /** What was read, as JSON (`inspections.metadata`), and its definition file. */
  metadata: string | null;
  definition: string | null;
}

/**
 * The image that `collection/container:tag@version` names, by one query, whatever there is of it. Of several
 * architectures amd64 comes first. Where no tag is spelled so, one that differs in nothing but case counts if it
 * is the only one: sregistry-cli knows small letters alone.
 * @throws `unauthenticated` when nobody is asking and there is no such collection, or none that all may see:
 *   clients sign only after that. Else `not-found` for both, and for a container, tag or version that is not
 *   there; `verifying`; and what the policy refuses
 */
export async function findContainerImage(
  ctx: Context,
  actor: Actor,
  action: Extract<Action, "collection.pull" | "collection.delete-image">,
  reference: TaggedReference,
  arch: string | null,
): Promise<ContainerImage> {
  const { path, tag, digestPrefix } = reference;
  const shape: Shape = `${path.entity === null ? "by-short-name" : "by-entity"} ${digestPrefix === null ? "tag" : "version"}`;
  // Beyond the last digit of a digest that begins so.
  const range = { from: digestPrefix, upTo: `${digestPrefix}g` };
  const rows = await query(ctx.db, shape).all({
    ...path,
    ...range,
    tag,
    wanted: tag,
    arch,
    accounts: accountsText(actor),
  });
  const row = authorizeCollection(ctx, actor, action, rows[0] ?? null);
  const found = row.imageId === null ? null : toFoundImage([row as ImageRow]);
  if (found === null) throw new RegistryError("not-found");
  if (!wasPublished(found)) throw whyNot(found);
  const isTagged = digestPrefix === null || found.tags.includes(tag);
  const inspection = inspectionState(row.inspectionState, row.inspectionError);
  const shownTag = isTagged ? (row.spelling ?? tag) : (found.tags[0] ?? found.image.digest);
  return {
    found,
    tag: shownTag,
    frozen: found.image.frozen || row.isTagFrozen === 1,
    inspection,
    metadata: row.metadata,
    definition: row.definition,
  };
}

function authorizeCollection(...[ctx, actor, action, row]: Parameters<typeof authorize<Row>>): Row {
  try {
    return authorize(ctx, actor, action, row);
  } catch (thrown) {
    const isHidden = thrown instanceof RegistryError && thrown.code === "not-found";
    throw isHidden && actor.kind === "anonymous" ? new RegistryError("unauthenticated") : thrown;
  }
}

type Shape = `${"by-entity" | "by-short-name"} ${"tag" | "version"}`;

type Row = Awaited<ReturnType<ReturnType<typeof query>["all"]>>[number];

const asked = (name: "entity" | "collection" | "container" | "tag" | "arch" | "accounts" | "from" | "upTo") =>
  sql.placeholder(name);

/** A row for every collection there is, with what is in it that is asked for, if it is. */
const query = preparedOnce((db, shape: Shape) => {
  const isShort = shape.startsWith("by-short-name");
  const isTag = shape.endsWith(" tag");
  return db
    .select({
      ...imageColumns(asked("accounts")),
      imageId: sql<string | null>`${images.id}`.as("found_image_id"),
      spelling: (isTag ? spelling : sql<string | null>`NULL`).as("spelling"),
      isTagFrozen: sql<number>`EXISTS (SELECT 1 FROM ${tags} WHERE ${tags.imageId} = ${images.id} AND ${tags.frozen} = 1
        AND ${tags.name} = ${asked("tag")} COLLATE NOCASE)`.as("is_tag_frozen"),
      inspectionState: sql<"done" | "failed" | null>`${inspections.state}`.as("inspection_state"),
      inspectionError: sql<string | null>`${inspections.error}`.as("inspection_error"),
      metadata: sql<string | null>`${inspections.metadata}`.as("inspected_metadata"),
      definition: sql<string | null>`${inspections.definition}`.as("inspected_definition"),
    })
    .from(collections)
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .leftJoin(containers, and(eq(containers.collectionId, collections.id), eq(containers.name, asked("container"))))
    .leftJoin(images, isTag ? isTagged() : isVersion)
    .leftJoin(blobs, goodBlob)
    .leftJoin(inspections, eq(inspections.imageId, images.id))
    .where(
      and(
        eq(isShort ? collections.shortName : collections.name, asked("collection")),
        isShort ? undefined : eq(entities.name, asked("entity")),
      ),
    )
    .orderBy(sql`${images.publishedAt} DESC`)
    .limit(1)
    .prepare();
});

/** The tag as it is spelled in the container at hand: as it was asked for, or the only one that differs in case alone. */
const spelling = sql<string | null>`coalesce(
  (SELECT ${tags.name} FROM ${tags} WHERE ${tags.containerId} = ${containers.id} AND ${tags.name} = ${asked("tag")} LIMIT 1),
  (SELECT CASE WHEN min(${tags.name}) = max(${tags.name}) THEN min(${tags.name}) END FROM ${tags}
    WHERE ${tags.containerId} = ${containers.id} AND ${tags.name} = ${asked("tag")} COLLATE NOCASE))`;

function isTagged(): SQL {
  return sql`${images.id} = coalesce((
    SELECT ${tags.imageId} FROM ${tags}
    WHERE ${tags.containerId} = ${containers.id} AND ${tags.name} = ${spelling}
      AND (${asked("arch")} IS NULL OR ${tags.arch} = ${asked("arch")})
    ORDER BY ${tags.arch} = 'amd64' DESC, ${tags.updatedAt} DESC LIMIT 1), ${wantedImage(false)})`;
}

const isVersion = and(
  eq(images.containerId, containers.id),
  eq(images.state, "published"),
  sql`${images.digest} >= ${asked("from")} AND ${images.digest} < ${asked("upTo")}`,
);
