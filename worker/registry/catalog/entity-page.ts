import { and, eq, sql } from "drizzle-orm";
import { decide } from "../../access/policy.ts";
import { type Actor, isAdministrator, isNarrowed, teamPlace } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardChanged } from "../../storage/db/guard.ts";
import { entities } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnEntity } from "../authorize.ts";
import { sha256Hex } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { searchSoon } from "../search/search-soon.ts";
import { auditRow } from "../upkeep/audit.ts";
import { holdsVisible } from "./facts.ts";

/** An account as others see it. */
export interface Owner {
  name: string;
  kind: "user" | "team";
}

/** What the page of an entity shows, but for its collections. `createdAt` is in milliseconds. */
export interface EntityPage {
  entity: string;
  description: string;
  /** Null for whoever is not signed in. */
  owner: Owner | null;
  /** Of all its collections, so for its people and administrators alone; else null. */
  sizeBytes: number | null;
  createdAt: number;
  /** What the actor may do with it. */
  may: ("create-collection" | "edit")[];
  /** Names the state of what can be edited. */
  tag: string;
}

/** One query. @throws `not-found`, also for an entity that holds nothing the actor may see */
export async function getEntityPage(ctx: Context, actor: Actor, name: string): Promise<EntityPage> {
  const found = authorizeOnEntity(ctx, actor, "entity.see", await findWithOwner(ctx, actor, name));
  return await toPage(ctx, actor, found);
}

/**
 * Describes an entity.
 * @param seen the tag of the state that is changed; `*` for whichever it is
 * @throws `not-found`, `precondition-failed`, and what the policy refuses
 */
export async function editEntity(
  ctx: Context,
  actor: Actor,
  name: string,
  { description }: { description: string },
  seen: string,
): Promise<EntityPage> {
  const found = authorizeOnEntity(ctx, actor, "entity.edit", await findWithOwner(ctx, actor, name));
  const { entity } = found;
  if (seen !== "*" && seen !== (await tagOf(entity))) throw new RegistryError("precondition-failed");
  const isAsSeen = and(
    eq(entities.id, entity.id),
    eq(entities.ownerUserId, entity.ownerUserId),
    seen === "*" ? undefined : eq(entities.description, entity.description),
  );
  await writeTogether(ctx.db, [
    ctx.db.update(entities).set({ description }).where(isAsSeen),
    guardChanged(ctx.db, "precondition-failed"),
    auditRow(ctx, actor, "entity.describe", entity.name),
  ]);
  searchSoon(ctx);
  return await toPage(ctx, actor, { ...found, entity: { ...entity, description } });
}

type Found = NonNullable<Awaited<ReturnType<typeof findWithOwner>>>;

/** Null where there is none; nothing is decided yet. */
async function findWithOwner(ctx: Context, actor: Actor, name: string) {
  const row = await ctx.db
    .select({
      entity: columnsOf(entities),
      ownerName: sql<string>`${users.username}`.as("owner_name"),
      isTeam: sql<boolean>`${users.isTeam}`.mapWith(Boolean).as("owner_is_team"),
      holdsVisible: holdsVisible(actor, ctx.settings).mapWith(Boolean).as("holds_visible"),
    })
    .from(entities)
    .innerJoin(users, eq(users.id, entities.ownerUserId))
    .where(eq(entities.name, name.toLowerCase()))
    .get();
  if (row === undefined) return null;
  const { entity, ownerName, isTeam } = row;
  const owner: Owner = { name: ownerName, kind: isTeam ? "team" : "user" };
  return { entity, owner, facts: { entityOwnerId: entity.ownerUserId, hasVisibleCollection: row.holdsVisible } };
}

async function toPage(ctx: Context, actor: Actor, { entity, owner, facts }: Found): Promise<EntityPage> {
  const isTheirs =
    isAdministrator(actor) ||
    (actor.kind === "user" && (facts.entityOwnerId === actor.userId || teamPlace(actor, facts.entityOwnerId) !== null));
  const may = (action: "entity.create-collection" | "entity.edit") =>
    decide(actor, action, facts, ctx.settings).allowed;
  return {
    entity: entity.name,
    description: entity.description,
    owner: actor.kind === "anonymous" ? null : owner,
    sizeBytes: isTheirs && !isNarrowed(actor) ? entity.sizeBytes : null,
    createdAt: entity.createdAt,
    may: [
      ...(may("entity.create-collection") ? (["create-collection"] as const) : []),
      ...(may("entity.edit") ? (["edit"] as const) : []),
    ],
    tag: await tagOf(entity),
  };
}

async function tagOf({ id, ownerUserId, description }: Found["entity"]): Promise<string> {
  return (await sha256Hex(JSON.stringify([id, ownerUserId, description]))).slice(0, 32);
}
