import { type SQL, sql } from "drizzle-orm";
import { effectiveVisibility } from "../../access/policy.ts";
import { type Actor, actorUserId, type Visibility } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { authorizeList, authorizeOnSite } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { PAGE_ROWS, type Page, pageOf, readCursor, writeCursor } from "../page.ts";
import { isWithin, visibleTo } from "./facts.ts";
import { type Branch, ownCollections, visibleBranches, withEntity } from "./visible-branches.ts";

export const collectionSorts = ["name", "updated", "stars", "pulls"] as const;
export type CollectionSort = (typeof collectionSorts)[number];

/** Which collections. At most one of `entity` and `only`. */
export interface CollectionsQuery {
  sort: CollectionSort;
  after: string | null;
  /** An entity's name. */
  entity: string | null;
  /** Those one owns or contributes to, that one has starred, or (for administrators) whose owners are gone. */
  only: "mine" | "starred" | "orphaned" | null;
}

/** A collection in a list. Times are milliseconds. */
export interface ListedCollection {
  entity: string;
  collection: string;
  shortName: string | null;
  /** The beginning of its description. */
  summary: string;
  visibility: Visibility;
  stars: number;
  isStarred: boolean;
  pulls: number;
  images: number;
  sizeBytes: number;
  createdAt: number;
  updatedAt: number;
}

const SUMMARY_LENGTH = 300;

const orders: Record<CollectionSort, { column: SQL; kind: "string" | "number"; isDescending: boolean }> = {
  name: { column: sql`collections.name`, kind: "string", isDescending: false },
  updated: { column: sql`collections.updated_at`, kind: "number", isDescending: true },
  stars: { column: sql`collections.star_count`, kind: "number", isDescending: true },
  pulls: { column: sql`collections.pull_count`, kind: "number", isDescending: true },
};

/**
 * A page of collections the actor may see. One query, which reads about what it answers.
 * @throws `query-invalid`, `unauthenticated`, and what the policy refuses
 */
export async function listCollectionsBy(
  ctx: Context,
  actor: Actor,
  query: CollectionsQuery,
): Promise<Page<ListedCollection>> {
  authorizeList(ctx, actor);
  if (query.entity !== null && query.only !== null) throw new RegistryError("query-invalid");
  const { column, kind, isDescending } = orders[query.sort];
  const [direction, isBehind] = isDescending ? [sql`DESC`, sql`<`] : [sql`ASC`, sql`>`];
  const cursor = query.after === null ? null : readCursor(query.after, [kind, "string"]);
  const behind = cursor === null ? sql`1` : sql`(${column}, collections.id) ${isBehind} (${cursor[0]}, ${cursor[1]})`;
  const beginnings = branchesOf(ctx, actor, query).map(
    ({ from, where }) => sql`
      SELECT * FROM (
        SELECT collections.id AS id, ${column} AS place FROM ${from} WHERE ${where} AND ${behind}
        ORDER BY ${column} ${direction}, collections.id ${direction} LIMIT ${PAGE_ROWS})`,
  );
  if (beginnings.length === 0) return { items: [], next: null };
  const rows = await ctx.db.all<Row>(sql`
    SELECT page.id, page.place, entities.name AS entity, c.name AS collection, c.short_name AS shortName,
      substr(c.description, 1, ${SUMMARY_LENGTH}) AS summary, c.visibility, c.star_count AS stars,
      EXISTS (SELECT 1 FROM stars WHERE stars.user_id = ${actorUserId(actor)} AND stars.collection_id = c.id
        AND ${isWithin(actor, sql`c.id`)}) AS isStarred,
      c.pull_count AS pulls, c.image_count AS images, c.size_bytes AS sizeBytes, c.created_at AS createdAt,
      c.updated_at AS updatedAt
    FROM (
      ${sql.join(beginnings, sql` UNION ALL `)} ORDER BY place ${direction}, id ${direction} LIMIT ${PAGE_ROWS}) AS page
    CROSS JOIN collections AS c ON c.id = page.id
    CROSS JOIN entities ON entities.id = c.entity_id
    ORDER BY page.place ${direction}, page.id ${direction}`);
  const { items, next } = pageOf(rows, ({ id, place }) => writeCursor([place, id]));
  return { items: items.map((row) => toListed(ctx, row)), next };
}

type Row = Omit<ListedCollection, "isStarred"> & { id: string; place: string | number; isStarred: 0 | 1 };

function toListed(ctx: Context, { id: _, place: __, isStarred, visibility, ...row }: Row): ListedCollection {
  return { ...row, isStarred: isStarred === 1, visibility: effectiveVisibility(visibility, ctx.settings) };
}

function branchesOf(ctx: Context, actor: Actor, { only, entity }: CollectionsQuery): Branch[] {
  const seen = visibleTo(actor, ctx.settings);
  const within = isWithin(actor, sql`collections.id`);
  switch (only) {
    case null: {
      const id = entity === null ? null : sql`(SELECT e.id FROM entities AS e WHERE e.name = ${entity.toLowerCase()})`;
      return visibleBranches(actor, ctx.settings, id);
    }
    case "mine":
      if (actor.kind === "anonymous") throw new RegistryError("unauthenticated");
      return [{ from: withEntity(ownCollections(actor, ["owner", "contributor"])), where: sql`${seen} AND ${within}` }];
    case "starred": {
      if (actor.kind === "anonymous") throw new RegistryError("unauthenticated");
      const from = withEntity(sql`stars AS star CROSS JOIN collections ON collections.id = star.collection_id`);
      return [{ from, where: sql`star.user_id = ${actorUserId(actor)} AND ${seen} AND ${within}` }];
    }
    case "orphaned":
      authorizeOnSite(ctx.settings, actor, "site.administer");
      return [orphans];
    default:
      return only satisfies never;
  }
}

/** Whether a team `t` has an owner who is still there. */
const hasOwner = (teamId: SQL) => sql`EXISTS (
  SELECT 1 FROM team_members AS place INNER JOIN users AS person ON person.id = place.user_id
  WHERE place.team_id = ${teamId} AND place.role = 'owner' AND person.disabled_at IS NULL)`;

/** Of entities whose owner is disabled, or a team that nobody owns any more; unless somebody else owns the collection. */
const orphans: Branch = {
  from: sql`(
    SELECT gone.id FROM users AS gone WHERE gone.disabled_at IS NOT NULL
    UNION
    SELECT gone.id FROM users AS gone WHERE gone.is_team = 1 AND NOT ${hasOwner(sql`gone.id`)}) AS gone
    CROSS JOIN entities ON entities.owner_user_id = gone.id
    CROSS JOIN collections ON collections.entity_id = entities.id`,
  where: sql`NOT EXISTS (
    SELECT 1 FROM collection_members AS member INNER JOIN users AS other ON other.id = member.user_id
    WHERE member.collection_id = collections.id AND member.role = 'owner' AND other.disabled_at IS NULL AND other.is_robot = 0
      AND (other.is_team = 0 OR ${hasOwner(sql`other.id`)}))`,
};
