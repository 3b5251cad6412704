import { and, eq, isNull, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { statement } from "../../storage/db/client.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { entities } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnSite } from "../authorize.ts";
import { sha256Hex } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { guardStillGood } from "../people/still-good.ts";
import { searchSoon } from "../search/search-soon.ts";
import { auditRow } from "../upkeep/audit.ts";
import type { Owner } from "./entity-page.ts";

/** What goes to somebody else with an entity. */
export interface EntityMove {
  from: Owner;
  to: Owner;
  collections: number;
  sizeBytes: number;
}

/**
 * What giving an entity to somebody else would give them. Two queries.
 * @throws `not-found`, `conflict` where they may own none, and what the policy refuses
 */
export async function previewEntityMove(
  ctx: Context,
  actor: Actor,
  name: string,
  to: Owner,
): Promise<{ move: EntityMove; tag: string }> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const { facts, tag } = await load(ctx, name);
  await findNewOwner(ctx, to);
  const { owner, isTeam, collections, sizeBytes } = facts;
  return { move: { from: { name: owner, kind: isTeam === 1 ? "team" : "user" }, to, collections, sizeBytes }, tag };
}

/**
 * Gives an entity, with all that is in it, to another user or team: for one whose owner is gone. Their space is not asked.
 * @param seen the tag of the preview; `*` for whatever there is
 * @throws `not-found`, `already-so`, `conflict`, `precondition-failed`, and what the policy refuses
 */
export async function giveEntity(ctx: Context, actor: Actor, name: string, to: Owner, seen: string): Promise<void> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const { id, facts, text, tag } = await load(ctx, name);
  if (seen !== "*" && seen !== tag) throw new RegistryError("precondition-failed");
  const owner = await findNewOwner(ctx, to);
  if (owner.id === facts.ownerId) throw new RegistryError("already-so");
  const isStill = sql`(SELECT ${entityFacts} FROM entities AS e INNER JOIN users AS u ON u.id = e.owner_user_id WHERE e.id = ${id})`;
  const isThere = sql`EXISTS (SELECT 1 FROM ${users} WHERE ${and(eq(users.id, owner.id), isNull(users.disabledAt))})`;
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "precondition-failed", seen === "*" ? sql`0` : sql`${isStill} IS NOT ${text}`),
    ...guardStillGood(ctx, actor),
    ctx.db
      .update(entities)
      .set({ ownerUserId: owner.id })
      .where(and(eq(entities.id, id), eq(entities.ownerUserId, facts.ownerId), isThere)),
    guardChanged(ctx.db, "conflict"),
    // Whoever owns all of it needs no right in a part of it.
    statement(
      ctx.db,
      sql`
      DELETE FROM collection_members WHERE user_id = ${owner.id}
        AND collection_id IN (SELECT c.id FROM collections AS c WHERE c.entity_id = ${id})`,
    ),
    auditRow(ctx, actor, "entity.give", name.toLowerCase(), { detail: { from: facts.owner, to: to.name } }),
  ]);
  searchSoon(ctx);
}

interface Facts {
  ownerId: string;
  owner: string;
  isTeam: 0 | 1;
  collections: number;
  sizeBytes: number;
}

/** As one text, which can be held against itself in the transaction. */
const entityFacts = sql`json_object('ownerId', u.id, 'owner', u.username, 'isTeam', u.is_team, 'sizeBytes', e.size_bytes,
  'collections', (SELECT count(*) FROM collections AS c WHERE c.entity_id = e.id))`;

async function load(ctx: Context, name: string): Promise<{ id: string; facts: Facts; text: string; tag: string }> {
  const [row] = await ctx.db.all<{ id: string; text: string }>(sql`
    SELECT e.id, ${entityFacts} AS text FROM entities AS e INNER JOIN users AS u ON u.id = e.owner_user_id
    WHERE e.name = ${name.toLowerCase()}`);
  if (row === undefined) throw new RegistryError("not-found");
  const { id, text } = row;
  return { id, text, facts: JSON.parse(text) as Facts, tag: (await sha256Hex(text)).slice(0, 32) };
}

async function findNewOwner(ctx: Context, { name, kind }: Owner): Promise<{ id: string }> {
  const found = await ctx.db.select().from(users).where(eq(users.username, name.toLowerCase())).get();
  if (found === undefined || found.isTeam !== (kind === "team")) {
    throw new RegistryError("not-found", `There is no such ${kind}.`);
  }
  if (found.isRobot) throw new RegistryError("conflict", "A robot owns nothing: give it to a person or a team.");
  if (found.disabledAt !== null) throw new RegistryError("conflict", "This account is disabled.");
  return { id: found.id };
}
