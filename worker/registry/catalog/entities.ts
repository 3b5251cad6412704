import { and, eq, ne, sql } from "drizzle-orm";
import { type Actor, actorUserId, type EntityFacts } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { entities } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnEntity, authorizeOnSite } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { parseEntityName } from "../names.ts";
import { auditRow } from "../upkeep/audit.ts";
import { holdsVisible } from "./facts.ts";
import { isBuried } from "./tombstones.ts";

export type Entity = typeof entities.$inferSelect;

/** @throws `not-found`, also for an entity that holds nothing the actor may see */
export async function getEntity(ctx: Context, actor: Actor, name: string): Promise<Entity> {
  return authorizeOnEntity(ctx, actor, "entity.see", await findEntity(ctx, actor, { name })).entity;
}

/** The entity that came with the actor's account. @throws `unauthenticated`, `not-found` */
export async function getOwnEntity(ctx: Context, actor: Actor): Promise<Entity> {
  if (actor.kind !== "user") throw new RegistryError("unauthenticated");
  return await getEntity(ctx, actor, actor.username);
}

export async function findEntity(
  ctx: Context,
  actor: Actor,
  by: { name: string } | { id: string },
): Promise<{ entity: Entity; facts: EntityFacts } | null> {
  const row = await ctx.db
    .select({
      entity: columnsOf(entities),
      holdsVisible: holdsVisible(actor, ctx.settings).mapWith(Boolean).as("holds"),
    })
    .from(entities)
    .where("name" in by ? eq(entities.name, by.name.toLowerCase()) : eq(entities.id, by.id))
    .get();
  if (row === undefined) return null;
  return {
    entity: row.entity,
    facts: { entityOwnerId: row.entity.ownerUserId, hasVisibleCollection: row.holdsVisible },
  };
}

/**
 * Creates an entity owned by the actor. Users have one of their own name from
 * the start; only administrators make more. Creating one's own again answers it.
 * @throws `name-invalid`, `name-reserved`, `name-taken`, `forbidden`
 */
export async function createEntity(ctx: Context, actor: Actor, given: string): Promise<Entity> {
  if (actor.kind === "anonymous") throw new RegistryError("unauthenticated");
  const name = given.toLowerCase();
  const userId = actorUserId(actor);
  const existing = await findEntity(ctx, actor, { name });
  if (existing !== null && existing.entity.ownerUserId === userId) return existing.entity;
  try {
    authorizeOnSite(ctx.settings, actor, "site.create-entity");
  } catch (thrown) {
    // The same words whether the name is somebody's or nobody's.
    if (!(thrown instanceof RegistryError) || thrown.code !== "forbidden" || actor.kind !== "user") throw thrown;
    throw new RegistryError(
      "forbidden",
      `You cannot push to '${printable(name)}'. Push to '${actor.username}/…' instead.`,
    );
  }
  if (userId === null) throw new RegistryError("forbidden");
  // The text as it was given: a letter that is none of a to z may become one in lower case.
  parseEntityName(given);
  const entity = newEntity(ctx, name, userId);
  // People have an entity of their name; robots have none, and keep their name all the same.
  const isAnothers = sql`EXISTS (SELECT 1 FROM ${users} WHERE ${and(eq(users.username, name), ne(users.id, userId))})`;
  try {
    await writeTogether(ctx.db, [
      guardAgainst(ctx.db, "name-taken", sql`${isBuried("entity", name)} OR ${isAnothers}`),
      ctx.db.insert(entities).values(entity).onConflictDoNothing(),
      guardChanged(ctx.db, "name-taken"),
      auditRow(ctx, actor, "entity.create", name),
    ]);
  } catch (thrown) {
    // A client that pushes from two machines at once asks for it twice.
    const now = await findEntity(ctx, actor, { name });
    if (now?.entity.ownerUserId !== userId) throw thrown;
    return now.entity;
  }
  return entity;
}

export function newEntity(ctx: Context, name: string, ownerUserId: string): Entity {
  return {
    id: crypto.randomUUID(),
    name,
    ownerUserId,
    description: "",
    createdAt: ctx.now(),
    sizeBytes: 0,
    publicCollections: 0,
    internalCollections: 0,
  };
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 60);
}
