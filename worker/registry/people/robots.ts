import { and, asc, eq, gt, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { type Actor, actorUserId, isAdministrator, ownAccount, ownsAccount } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardAgainst } from "../../storage/db/guard.ts";
import { users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnAccount, authorizeOnSite, mayOnSite } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { parseEntityName } from "../names.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import { auditRow } from "../upkeep/audit.ts";
import { accountFacts, type User } from "./accounts.ts";
import { type Act, changeUser } from "./change-user.ts";
import { disablingOf } from "./edit-user.ts";
import { guardStillGood } from "./still-good.ts";
import { guardManages, guardStillOwner } from "./team-guards.ts";
import { authorizedTeam } from "./teams.ts";
import { isAdminNow } from "./user-actor.ts";
import { isNameTaken, newUser } from "./users.ts";

/*
 * Users who are no people: for pipelines and machines. A robot holds tokens, never signs in, and has no entity and no
 * role: it reaches the collections whose owners make it a member. It belongs to an administrator, or to a team, whose
 * owners look after it.
 */

export interface Robot {
  robot: User;
  /** The owner's username, or the team's name; null when they are gone. */
  owner: string | null;
}

/** A page of the robots of the actor and of the teams they own, by name; of all of them for administrators. */
export async function listRobots(ctx: Context, actor: Actor, after: string | null): Promise<Page<Robot>> {
  const seesAll = mayOnSite(ctx.settings, actor, "site.administer");
  if (!seesAll) {
    if (actor.kind !== "user") throw new RegistryError("unauthenticated");
    authorizeOnAccount(ctx.settings, actor, "account.manage", ownAccount(actor));
  }
  // A robot is no team anyway: it is said for the index, which has each kind of account by name.
  const isOne = seesAll
    ? eq(users.isTeam, false)
    : sql`${users.ownerUserId} IN (SELECT value FROM json_each(${ownersText(actor)}))`;
  const rows = await robotQuery(ctx, and(isOne, after === null ? undefined : gt(users.username, after)));
  return pageOf(rows, ({ robot }) => robot.username);
}

/** The accounts whose robots are the actor's to look after. */
function ownersText(actor: Actor): string {
  if (actor.kind !== "user") return "[]";
  return JSON.stringify([actor.userId, ...actor.teams.filter(({ role }) => role === "owner").map(({ id }) => id)]);
}

/** @throws `not-found`, also for another's robot */
export async function getRobot(ctx: Context, actor: Actor, username: string): Promise<Robot> {
  const [found] = await robotQuery(ctx, eq(users.username, username.toLowerCase()));
  const facts = found === undefined ? null : accountFacts(ctx, found.robot);
  authorizeOnAccount(ctx.settings, actor, "account.manage", facts);
  if (found === undefined) throw new RegistryError("not-found");
  return found;
}

/**
 * Makes a robot, which is the actor's; the operator, who is nobody, says whose. With a team, it is the team's, whose
 * owners may make it.
 * @throws `not-found` (the team), `name-invalid`, `name-reserved`, `name-taken`, `limit-reached`, `conflict` where the owner may be none,
 *   and what the policy refuses
 */
export async function addRobot(
  ctx: Context,
  actor: Actor,
  input: { username: string; description: string; owner?: string | null; team?: string | null },
): Promise<Robot> {
  const team = input.team == null ? null : (await authorizedTeam(ctx, actor, "team.manage", input.team)).account;
  if (team === null) authorizeOnSite(ctx.settings, actor, "site.administer");
  const username = parseEntityName(input.username);
  const named = team ?? (input.owner == null ? null : await findOwner(ctx, actor, input.owner));
  const ownerUserId = named?.id ?? actorUserId(actor);
  const robot: User = {
    ...newUser(ctx, username),
    isRobot: true,
    ownerUserId,
    description: input.description,
  };
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "name-taken", isNameTaken(username)),
    guardAgainst(ctx.db, "limit-reached", ownsTooMany(ownerUserId)),
    ...(team === null ? guardStillGood(ctx, actor) : guardManages(ctx, actor, team.id)),
    ctx.db.insert(users).values(robot),
    auditRow(ctx, actor, "robot.add", username, team === null ? {} : { detail: { team: team.username } }),
  ]);
  return { robot, owner: named?.username ?? (actor.kind === "user" ? actor.username : null) };
}

/**
 * Describes a robot, stops it or lets it work again, or gives it to an administrator or to a team that the actor may
 * give robots; each as far as it is given.
 * @param expected the version the client saw; null for whichever it is
 * @throws `not-found`, `precondition-failed`, `conflict`, `limit-reached`, and what the policy refuses
 */
export async function editRobot(
  ctx: Context,
  actor: Actor,
  username: string,
  edit: { description?: string | undefined; isDisabled?: boolean | undefined; owner?: string | undefined },
  expected: number | null,
): Promise<Robot> {
  const [found] = await robotQuery(ctx, eq(users.username, username.toLowerCase()));
  const facts = found === undefined ? null : accountFacts(ctx, found.robot);
  authorizeOnAccount(ctx.settings, actor, "account.manage", facts);
  if (edit.isDisabled !== undefined) authorizeOnAccount(ctx.settings, actor, "account.disable", facts);
  if (found === undefined) throw new RegistryError("not-found");
  const { robot } = found;
  const owner = edit.owner === undefined ? null : await findOwner(ctx, actor, edit.owner);
  const isHandedOver = owner !== null && owner.id !== robot.ownerUserId;
  const isDescribed = edit.description !== undefined && edit.description !== robot.description;
  const disabling = disablingOf(ctx, robot, edit.isDisabled);
  const acts: Act[] = [
    ...(disabling === null ? [] : [disabling.act]),
    ...(isDescribed ? [{ action: "robot.describe" }] : []),
    ...(isHandedOver ? [{ action: "robot.hand-over", detail: { owner: owner.username } }] : []),
  ];
  const set = {
    ...disabling?.set,
    ...(isDescribed ? { description: edit.description ?? "" } : {}),
    ...(isHandedOver ? { ownerUserId: owner.id } : {}),
  };
  const guards = isHandedOver
    ? [
        guardAgainst(ctx.db, "limit-reached", ownsTooMany(owner.id)),
        ...(owner.isTeam ? guardStillOwner(ctx, actor, owner.id) : []),
      ]
    : [];
  const changed = await changeUser(ctx, actor, robot, { set, acts, endsSignIns: false, guards }, expected);
  return { robot: changed, owner: isHandedOver ? owner.username : found.owner };
}

/** Whom a robot may belong to. The same words whoever may not, so that they tell nothing of users. */
async function findOwner(ctx: Context, actor: Actor, username: string): Promise<User> {
  const [owner] = await ctx.db.select().from(users).where(eq(users.username, username.toLowerCase())).all();
  if (owner === undefined || !isFit(ctx, actor, owner)) {
    throw new RegistryError("conflict", "A robot's owner must be an administrator, or a team of yours.");
  }
  return owner;
}

function isFit(ctx: Context, actor: Actor, owner: User): boolean {
  if (owner.isTeam) return isAdministrator(actor) || ownsAccount(actor, owner.id);
  return !owner.isRobot && owner.disabledAt === null && (owner.isSuperuser || isAdminNow(ctx, owner));
}

function ownsTooMany(ownerUserId: string | null): SQL {
  return sql`(SELECT count(*) FROM ${users} WHERE ${eq(users.ownerUserId, ownerUserId ?? "")}) >= ${limits.robotsPerOwner}`;
}

async function robotQuery(ctx: Context, where: SQL | undefined): Promise<Robot[]> {
  const owners = alias(users, "owners");
  return await ctx.db
    .select({ robot: columnsOf(users), owner: sql<string | null>`${owners.username}`.as("owner_username") })
    .from(users)
    .leftJoin(owners, eq(owners.id, users.ownerUserId))
    .where(and(eq(users.isRobot, true), where))
    .orderBy(asc(users.username))
    .limit(PAGE_ROWS)
    .all();
}
