import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { statement } from "../../storage/db/client.ts";
import { guardChanged } from "../../storage/db/guard.ts";
import { entities } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnSite } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { guardStillGood } from "../people/still-good.ts";
import { searchSoon } from "../search/search-soon.ts";
import { ensureSeen, guardShown, loadShown, type Mark, markOf } from "../shown.ts";
import { auditRow } from "../upkeep/audit.ts";
import { type EndingRights, endingRightsOf } from "./ending-rights.ts";
import type { Owner } from "./entity-page.ts";

/** What goes to somebody else with an entity. */
export interface EntityMove {
  from: Owner;
  to: Owner;
  collections: number;
  sizeBytes: number;
  /** Share links and pipelines that end: their makers would not own the collection, or not push to it, any more. */
  shares: number;
  publishers: number;
}

/**
 * What giving an entity to somebody else would give them. Three queries.
 * @throws `not-found`, `already-so`, `conflict` where they may own none, and what the policy refuses
 */
export async function previewEntityMove(
  ctx: Context,
  actor: Actor,
  name: string,
  to: Owner,
): Promise<{ move: EntityMove; tag: string }> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const { id, ownerId } = await findGiven(ctx, name);
  const owner = await findNewOwner(ctx, to, ownerId);
  const { facts, tag } = await loadShown<Facts>(ctx, moveFactsOf(ctx, id, owner.id), id);
  const { owner: from, isTeam, collections, sizeBytes, ending } = facts;
  const move = {
    from: { name: from, kind: isTeam === 1 ? ("team" as const) : ("user" as const) },
    to,
    ...{ collections: collections.count, sizeBytes },
    ...{ shares: ending.shares.count, publishers: ending.publishers.count },
  };
  return { move, tag };
}

/**
 * Gives an entity, with all that is in it, to another user or team: for one whose owner is gone. Their space is not asked.
 * @param seen the tag of the preview that was shown
 * @throws `not-found`, `already-so`, `conflict`, `precondition-failed`, and what the policy refuses
 */
export async function giveEntity(ctx: Context, actor: Actor, name: string, to: Owner, seen: string): Promise<void> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const { id, ownerId } = await findGiven(ctx, name);
  const owner = await findNewOwner(ctx, to, ownerId);
  const expression = moveFactsOf(ctx, id, owner.id);
  const shown = await loadShown<Facts>(ctx, expression, id);
  ensureSeen(shown, seen);
  const isThere = sql`EXISTS (SELECT 1 FROM ${users} WHERE ${and(eq(users.id, owner.id), isNull(users.disabledAt))})`;
  await writeTogether(ctx.db, [
    guardShown(ctx, expression, shown),
    ...guardStillGood(ctx, actor),
    ctx.db
      .update(entities)
      .set({ ownerUserId: owner.id })
      .where(and(eq(entities.id, id), eq(entities.ownerUserId, ownerId), isThere)),
    guardChanged(ctx.db, "conflict"),
    // Whoever owns all of it needs no right in a part of it.
    statement(
      ctx.db,
      sql`
      DELETE FROM collection_members WHERE user_id = ${owner.id}
        AND collection_id IN (SELECT c.id FROM collections AS c WHERE c.entity_id = ${id})`,
    ),
    auditRow(ctx, actor, "entity.give", name.toLowerCase(), { detail: { from: shown.facts.owner, to: to.name } }),
  ]);
  searchSoon(ctx);
}

interface Facts {
  owner: string;
  isTeam: 0 | 1;
  collections: Mark;
  sizeBytes: number;
  ending: EndingRights;
}

/** An expression for all that is said of it, as one JSON text. */
function moveFactsOf(ctx: Context, id: string, newOwner: string): SQL {
  const moved = sql`SELECT c.id FROM collections AS c WHERE c.entity_id = ${id}`;
  return sql`(SELECT json_object('ownerId', u.id, 'owner', u.username, 'isTeam', u.is_team, 'sizeBytes', e.size_bytes,
      'to', ${newOwner}, 'collections', json(${markOf(sql`collections`, sql`id`, sql`collections.entity_id = ${id}`)}),
      'ending', json(${endingRightsOf(moved, newOwner, ctx.now())}))
    FROM entities AS e INNER JOIN users AS u ON u.id = e.owner_user_id WHERE e.id = ${id})`;
}

async function findGiven(ctx: Context, name: string): Promise<{ id: string; ownerId: string }> {
  const found = await ctx.db
    .select({ id: entities.id, ownerId: entities.ownerUserId })
    .from(entities)
    .where(eq(entities.name, name.toLowerCase()))
    .get();
  if (found === undefined) throw new RegistryError("not-found");
  return found;
}

async function findNewOwner(ctx: Context, { name, kind }: Owner, present: string): Promise<{ id: string }> {
  const found = await ctx.db.select().from(users).where(eq(users.username, name.toLowerCase())).get();
  if (found === undefined || found.isTeam !== (kind === "team")) {
    throw new RegistryError("not-found", `There is no such ${kind}.`);
  }
  if (found.isRobot) throw new RegistryError("conflict", "A robot owns nothing: give it to a person or a team.");
  if (found.disabledAt !== null) throw new RegistryError("conflict", "This account is disabled.");
  if (found.id === present) throw new RegistryError("already-so");
  return { id: found.id };
}
