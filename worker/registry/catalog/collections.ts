import { and, asc, eq, gt, type SQL, sql } from "drizzle-orm";
import {
  type Actor,
  actorUserId,
  type CollectionFacts,
  isAdministrator,
  teamPlace,
  type Visibility,
} from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardAgainst } from "../../storage/db/guard.ts";
import { collections, entities } from "../../storage/db/schema/catalog.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize, authorizeList, authorizeOnEntity } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { LIBRARY_SHORT_NAME, parseName } from "../names.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import { searchSoon } from "../search/search-soon.ts";
import { auditRow } from "../upkeep/audit.ts";
import { type Entity, findEntity } from "./entities.ts";
import { factsFor, visibleTo } from "./facts.ts";
import { isBuried } from "./tombstones.ts";

export type Collection = typeof collections.$inferSelect;

export interface FoundCollection {
  collection: Collection;
  entity: Entity;
  facts: CollectionFacts;
}

/** What names a collection in an entity. */
export interface CollectionPath {
  entity: string;
  name: string;
}

/** By entity and name, or by id. Null where there is none; nothing is decided yet. */
export async function findCollection(
  ctx: Context,
  actor: Actor,
  by: { entity: string; name: string } | { shortName: string } | { id: string },
): Promise<FoundCollection | null> {
  const [row] = await collectionQuery(ctx, actor, collectionIs(by));
  return row ?? null;
}

function collectionQuery(ctx: Context, actor: Actor, where: SQL | undefined) {
  return ctx.db
    .select({ collection: columnsOf(collections), entity: columnsOf(entities), facts: factsFor(actor) })
    .from(collections)
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(where)
    .limit(1);
}

export function collectionIs(
  by: { entity: string; name: string } | { shortName: string } | { id: string },
): SQL | undefined {
  if ("id" in by) return eq(collections.id, by.id);
  if ("shortName" in by) return eq(collections.shortName, by.shortName.toLowerCase());
  return and(eq(entities.name, by.entity.toLowerCase()), eq(collections.name, by.name.toLowerCase()));
}

/** @throws `not-found` */
export async function getCollection(
  ctx: Context,
  actor: Actor,
  by: { entity: string; name: string } | { id: string },
): Promise<FoundCollection> {
  return authorize(ctx, actor, "collection.see", await findCollection(ctx, actor, by));
}

/** A page of the collections the actor may see, by id. `after` is the last page's `next`. */
export async function listCollections(
  ctx: Context,
  actor: Actor,
  after: string | null,
): Promise<Page<{ collection: Collection; entity: Entity }>> {
  authorizeList(ctx, actor);
  const rows = await ctx.db
    .select({ collection: columnsOf(collections), entity: columnsOf(entities) })
    .from(collections)
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(and(after === null ? undefined : gt(collections.id, after), visibleTo(actor, ctx.settings)))
    .orderBy(asc(collections.id))
    .limit(PAGE_ROWS)
    .all();
  return pageOf(rows, ({ collection }) => collection.id);
}

/**
 * Creates a collection in an entity; an existing one of that name is answered
 * as it is, so that two clients at once, or one that repeats itself, both go on.
 * It becomes the holder of its short name when nobody is.
 * @throws `name-invalid`, `name-taken` (kept from a deleted one), `collection-limit`, `private-only`,
 *   `conflict` where it needs its short name and does not get it,
 *   and what the policy refuses
 */
export async function createCollection(
  ctx: Context,
  actor: Actor,
  input: ({ entityId: string } | { entity: string }) & {
    name: string;
    description: string;
    visibility: Visibility | null;
    /** Whether it must come to hold its short name, or not be made at all. */
    needsShortName?: boolean;
    /** Whether one that is there already is refused as `name-taken`. */
    mustBeNew?: boolean;
  },
): Promise<FoundCollection> {
  const found = await findEntity(ctx, actor, "entity" in input ? { name: input.entity } : { id: input.entityId });
  const { entity } = authorizeToMake(ctx, actor, found);
  const name = parseName(input.name);
  const visibility = newVisibility(ctx, input.visibility);
  const id = crypto.randomUUID();
  const now = ctx.now();
  const exists = sql`EXISTS (SELECT 1 FROM ${collections} WHERE ${and(eq(collections.entityId, entity.id), eq(collections.name, name))})`;
  const isOurs = sql`EXISTS (SELECT 1 FROM ${collections} WHERE ${eq(collections.id, id)})`;
  const results = await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "name-taken", isBuried("collection", `${entity.name}/${name}`)),
    ...(input.mustBeNew === true ? [guardAgainst(ctx.db, "name-taken", exists)] : []),
    ...limitGuard(ctx, actor, entity.ownerUserId, exists),
    statement(
      ctx.db,
      sql`
      INSERT INTO ${collections} (id, entity_id, name, short_name, description, visibility, created_by, created_at, updated_at)
      VALUES (${id}, ${entity.id}, ${name}, ${freeShortName(ctx, actor, name)}, ${input.description}, ${visibility},
        ${actorUserId(actor)}, ${now}, ${now})
      ON CONFLICT (entity_id, name) DO NOTHING`,
    ),
    ...(input.needsShortName === true
      ? [guardAgainst(ctx.db, "conflict", sql`NOT ${holdsShortName(entity.id, name)}`)]
      : []),
    auditRow(ctx, actor, "collection.create", `${entity.name}/${name}`, { in: id, when: isOurs }),
    auditRow(ctx, actor, "short-name.claim", `${entity.name}/${name}`, {
      detail: { shortName: name },
      in: id,
      when: sql`${isOurs} AND ${holdsShortName(entity.id, name)}`,
    }),
    collectionQuery(ctx, actor, collectionIs({ entity: entity.name, name })),
  ]);
  const [created] = results.at(-1) as FoundCollection[];
  if (created?.collection.id === id) searchSoon(ctx);
  return authorize(ctx, actor, "collection.see", created ?? null);
}

/** Members of a team are told why they may push to its collections, and make none. Nobody else learns of it. */
function authorizeToMake(ctx: Context, actor: Actor, found: Awaited<ReturnType<typeof findEntity>>) {
  try {
    return authorizeOnEntity(ctx, actor, "entity.create-collection", found);
  } catch (thrown) {
    const team = actor.kind === "user" && found !== null ? teamPlace(actor, found.entity.ownerUserId) : null;
    if (team === null || !(thrown instanceof RegistryError && thrown.code === "forbidden")) throw thrown;
    const message = `Only owners of the team ${team.name} make collections in ${found?.entity.name}. Ask one of them to make it, then push again.`;
    throw new RegistryError("forbidden", message, { cause: thrown });
  }
}

function holdsShortName(entityId: string, name: string): SQL {
  const isIt = and(eq(collections.entityId, entityId), eq(collections.name, name), eq(collections.shortName, name));
  return sql`EXISTS (SELECT 1 FROM ${collections} WHERE ${isIt})`;
}

/** @throws `private-only` */
export function ensureAllowed({ settings }: Context, visibility: Visibility): void {
  if (settings.PRIVATE_ONLY && visibility !== "private") throw new RegistryError("private-only");
}

function newVisibility(ctx: Context, wanted: Visibility | null): Visibility {
  if (wanted !== null) ensureAllowed(ctx, wanted);
  if (ctx.settings.PRIVATE_ONLY) return "private";
  return wanted ?? (ctx.settings.DEFAULT_PRIVATE ? "private" : "public");
}

/** Refuses an account one collection more than allowed, counted in the transaction; one that exists already is none more. */
export function limitGuard(ctx: Context, actor: Actor, accountId: string, exists: SQL): Statement[] {
  const limit = ctx.settings.USER_COLLECTION_LIMIT;
  if (limit === null || isAdministrator(actor)) return [];
  const owned = sql`(
    SELECT count(*) FROM ${collections} INNER JOIN ${entities} ON ${eq(entities.id, collections.entityId)}
    WHERE ${eq(entities.ownerUserId, accountId)})`;
  return [guardAgainst(ctx.db, "collection-limit", sql`NOT ${exists} AND ${owned} >= ${limit}`)];
}

/** The short name if it is free and may be claimed, else NULL. The one for one-part references is given out by administrators. */
function freeShortName(ctx: Context, actor: Actor, name: string): SQL {
  if (name === LIBRARY_SHORT_NAME) return sql`NULL`;
  if (ctx.settings.SHORT_NAMES_ADMIN_ONLY && !isAdministrator(actor)) return sql`NULL`;
  const isHeld = sql`EXISTS (SELECT 1 FROM ${collections} WHERE ${eq(collections.shortName, name)})`;
  return sql`CASE WHEN NOT ${isHeld} AND NOT ${isBuried("short-name", name)} THEN ${name} END`;
}
