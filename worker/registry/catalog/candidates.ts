import { type SQL, sql } from "drizzle-orm";
import { type Actor, actorUserId, isAdministrator, isNarrowed } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { authorize } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import type { CollectionPath } from "./collections.ts";
import { type FoundCollection, findCollection } from "./collections.ts";

export interface Candidate {
  name: string;
  kind: "user" | "robot" | "team";
}

/** As many letters as a name must be asked for by, where that is the whole registry's. */
const LETTERS = 2;

/**
 * A page of those that the actor may give a role in a collection and who have none, by name.
 * @param query.beginning what their names begin with
 * @throws `query-invalid` where anybody may be chosen and it is too short, `not-found`, and what the policy refuses
 */
export async function listCandidates(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  { beginning, after }: { beginning: string; after: string | null },
): Promise<Page<Candidate>> {
  const found = authorize(ctx, actor, "collection.manage", await findCollection(ctx, actor, path));
  // Who the owner works with elsewhere is nothing to a token for this collection alone.
  if (isNarrowed(actor)) throw new RegistryError("insufficient-scope");
  const isAnybody = choosesAnybody(ctx, actor);
  if (isAnybody && beginning.length < LETTERS) {
    throw new RegistryError("query-invalid", `Ask for the beginning of a name: ${LETTERS} letters at least.`);
  }
  const start = beginning.toLowerCase();
  // Behind every name that begins so: names are ASCII.
  const range = start === "" ? sql`1` : sql`u.username >= ${start} AND u.username < ${`${start}\u{7f}`}`;
  const source = isAnybody
    ? sql`users AS u`
    : sql`${broughtTogether(actor, found)} AS known CROSS JOIN users AS u ON u.id = known.id`;
  const rows = await ctx.db.all<{ name: string; isTeam: 0 | 1; isRobot: 0 | 1 }>(sql`
    SELECT u.username AS name, u.is_team AS isTeam, u.is_robot AS isRobot FROM ${source}
    WHERE ${range} AND ${after === null ? sql`1` : sql`u.username > ${after}`}
      AND u.disabled_at IS NULL AND u.id <> ${found.entity.ownerUserId} AND NOT ${hasRole(found)}
    ORDER BY u.username LIMIT ${PAGE_ROWS}`);
  const { items, next } = pageOf(rows, ({ name }) => name);
  return {
    items: items.map(({ name, isTeam, isRobot }) => ({ name, kind: kindOf(isTeam === 1, isRobot === 1) })),
    next,
  };
}

/** Whether the account `u` may be given a role: it may be chosen, or has one already. */
export function isCandidate(ctx: Context, actor: Actor, found: FoundCollection): SQL {
  const isFree = sql`u.disabled_at IS NULL AND u.id <> ${found.entity.ownerUserId}`;
  if (choosesAnybody(ctx, actor)) return sql`(${isFree})`;
  return sql`(${isFree} AND (u.id IN (SELECT id FROM ${broughtTogether(actor, found)}) OR ${hasRole(found)}))`;
}

export function kindOf(isTeam: boolean, isRobot: boolean): Candidate["kind"] {
  if (isTeam) return "team";
  return isRobot ? "robot" : "user";
}

function choosesAnybody({ settings }: Context, actor: Actor): boolean {
  return !settings.PEOPLE_FROM_TEAMS || isAdministrator(actor);
}

function hasRole({ collection }: FoundCollection): SQL {
  return sql`EXISTS (
    SELECT 1 FROM collection_members AS has WHERE has.collection_id = ${collection.id} AND has.user_id = u.id)`;
}

/**
 * sregistry's rule: those whom the actor's teams bring together. The teams they are in, the people of these and of the
 * team that owns the collection, and the robots of all of them and of their own.
 */
function broughtTogether(actor: Actor, { entity }: FoundCollection): SQL {
  const teams = actor.kind === "user" ? actor.teams.map(({ id }) => id) : [];
  const around = sql`(SELECT value FROM json_each(${JSON.stringify([...teams, entity.ownerUserId])}))`;
  const keepers = sql`(SELECT value FROM json_each(${JSON.stringify([...teams, actorUserId(actor)])}))`;
  return sql`(
    SELECT value AS id FROM json_each(${JSON.stringify(teams)})
    UNION SELECT place.user_id FROM team_members AS place WHERE place.team_id IN ${around}
    UNION SELECT robot.id FROM users AS robot WHERE robot.owner_user_id IN ${keepers} AND robot.is_robot = 1
    UNION SELECT robot.id FROM users AS robot INNER JOIN users AS team ON team.id = robot.owner_user_id
      WHERE team.id = ${entity.ownerUserId} AND team.is_team = 1 AND robot.is_robot = 1)`;
}
