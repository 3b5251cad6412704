import { and, eq, sql } from "drizzle-orm";
import { type Actor, type CollectionRole, isAdministrator, type TeamRole } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { collectionMembers } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { searchSoon } from "../search/search-soon.ts";
import { auditRow } from "../upkeep/audit.ts";
import { isCandidate, kindOf } from "./candidates.ts";
import type { CollectionPath } from "./collections.ts";
import { type FoundCollection, findCollection } from "./collections.ts";
import { pathOf } from "./edit-collection.ts";
import { guardOwner } from "./guard-owner.ts";

/** Somebody with a right in a collection, and why. Who has several is there several times. */
export interface PersonOfCollection {
  name: string;
  kind: "user" | "robot" | "team";
  role: CollectionRole;
  reason: string;
  /** Whether it was granted in the collection, where it can be changed; else it comes with the entity. */
  isGranted: boolean;
  isDisabled: boolean;
}

/** Whom a role is given to: people and robots are users here. */
export interface Grantee {
  kind: "user" | "team";
  name: string;
}

/** Everybody with a right in a collection, for whoever has one. Two queries. @throws `not-found`, and what the policy refuses */
export async function listPeople(ctx: Context, actor: Actor, path: CollectionPath): Promise<PersonOfCollection[]> {
  const found = authorize(ctx, actor, "collection.see-people", await findCollection(ctx, actor, path));
  const { collection, entity } = found;
  const rows = await ctx.db.all<Row>(sql`
    SELECT 1 AS part, u.username AS name, u.is_team AS isTeam, u.is_robot AS isRobot, u.disabled_at AS disabledAt,
      NULL AS teamRole, NULL AS team, NULL AS role
    FROM users AS u WHERE u.id = ${entity.ownerUserId}
    UNION ALL
    SELECT 2, u.username, u.is_team, u.is_robot, u.disabled_at, place.role, team.username, NULL
    FROM team_members AS place INNER JOIN users AS u ON u.id = place.user_id INNER JOIN users AS team ON team.id = place.team_id
    WHERE place.team_id = ${entity.ownerUserId}
    UNION ALL
    SELECT 3, u.username, u.is_team, u.is_robot, u.disabled_at, NULL, NULL, member.role
    FROM collection_members AS member INNER JOIN users AS u ON u.id = member.user_id
    WHERE member.collection_id = ${collection.id}
    ORDER BY part, name LIMIT ${1 + limits.membersPerTeam + limits.peoplePerCollection}`);
  return rows.map(toPerson);
}

interface Row {
  part: 1 | 2 | 3;
  name: string;
  isTeam: 0 | 1;
  isRobot: 0 | 1;
  disabledAt: number | null;
  teamRole: TeamRole | null;
  team: string | null;
  role: CollectionRole | null;
}

function toPerson({ name, isTeam, isRobot, disabledAt, teamRole, team, role: granted }: Row): PersonOfCollection {
  const byTeam = teamRole === "member" ? "contributor" : "owner";
  const role = granted ?? byTeam;
  const byEntity = team === null ? "owner of the entity" : `${role} through team ${team}`;
  return {
    name,
    kind: kindOf(isTeam === 1, isRobot === 1),
    role,
    reason: granted === null ? byEntity : `${granted} of the collection`,
    isGranted: granted !== null,
    isDisabled: disabledAt !== null,
  };
}

/**
 * Gives a user, a robot or a team a role in a collection, or another one. With PEOPLE_FROM_TEAMS only to those that
 * the actor's teams bring together; whoever else there is, or is not, is answered alike.
 * @throws `people-from-teams`, `not-found`, `already-so` for the entity's owner, `limit-reached`, `conflict`, and what the
 *   policy refuses
 */
export async function setPerson(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  grantee: Grantee,
  role: CollectionRole,
): Promise<void> {
  const found = authorize(ctx, actor, "collection.manage", await findCollection(ctx, actor, path));
  const account = await findGrantee(ctx, actor, found, grantee);
  const { id } = found.collection;
  const ofIt = sql`SELECT count(*) FROM ${collectionMembers} WHERE ${eq(collectionMembers.collectionId, id)}`;
  const isOther = sql`${collectionMembers.userId} <> ${account.id}`;
  await writeTogether(ctx.db, [
    ...guardOwner(ctx, actor, found),
    guardAgainst(ctx.db, "limit-reached", sql`(${ofIt} AND ${isOther}) >= ${limits.peoplePerCollection}`),
    statement(
      ctx.db,
      sql`
      INSERT INTO ${collectionMembers} (collection_id, user_id, role, created_at)
      SELECT ${id}, u.id, ${role}, ${ctx.now()} FROM users AS u
      WHERE u.id = ${account.id} AND ${isCandidate(ctx, actor, found)}
      ON CONFLICT (collection_id, user_id) DO UPDATE SET role = excluded.role`,
    ),
    guardChanged(ctx.db, "conflict"),
    memberRow(ctx, actor, found, account.name, role),
  ]);
  searchSoon(ctx);
}

/** Takes somebody's role away. @throws `not-found` where they have none, `conflict`, and what the policy refuses */
export async function removePerson(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  { kind, name }: Grantee,
): Promise<void> {
  const found = authorize(ctx, actor, "collection.manage", await findCollection(ctx, actor, path));
  const isIt = sql`EXISTS (SELECT 1 FROM ${users} WHERE ${and(
    eq(users.id, collectionMembers.userId),
    eq(users.username, name.toLowerCase()),
    eq(users.isTeam, kind === "team"),
  )})`;
  await writeTogether(ctx.db, [
    ...guardOwner(ctx, actor, found),
    ctx.db.delete(collectionMembers).where(and(eq(collectionMembers.collectionId, found.collection.id), isIt)),
    guardChanged(ctx.db, "not-found"),
    memberRow(ctx, actor, found, name.toLowerCase(), null),
  ]);
  searchSoon(ctx);
}

/** Whether the account may be given a role here, one that it has already included. */
async function findGrantee(
  ctx: Context,
  actor: Actor,
  found: FoundCollection,
  { kind, name }: Grantee,
): Promise<{ id: string; name: string }> {
  const [row] = await ctx.db.all<{ id: string; name: string; isCandidate: 0 | 1 }>(sql`
    SELECT u.id, u.username AS name, ${isCandidate(ctx, actor, found)} AS isCandidate FROM users AS u
    WHERE u.username = ${name.toLowerCase()} AND u.is_team = ${kind === "team" ? 1 : 0}`);
  if (row?.id === found.entity.ownerUserId) {
    throw new RegistryError("already-so", "The entity is theirs, and so is everything in it.");
  }
  if (row?.isCandidate === 1) return row;
  if (ctx.settings.PEOPLE_FROM_TEAMS && !isAdministrator(actor)) throw new RegistryError("people-from-teams");
  throw new RegistryError("not-found", `There is no such ${kind}.`);
}

function memberRow(
  ctx: Context,
  actor: Actor,
  found: FoundCollection,
  username: string,
  role: CollectionRole | null,
): Statement {
  const detail = { username, role };
  return auditRow(ctx, actor, "collection.member", pathOf(found), { detail, in: found.collection.id });
}
