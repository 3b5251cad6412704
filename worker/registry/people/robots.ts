import { and, asc, eq, gt, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { type Actor, actorUserId, ownAccount } from "../../access/roles.ts";
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
import { accountFacts, findAccount, present, type User } from "./accounts.ts";
import { type Act, changeUser } from "./change-user.ts";
import { disablingOf } from "./edit-user.ts";
import { guardStillGood } from "./still-good.ts";
import { isAdminNow } from "./user-actor.ts";
import { isNameTaken, newUser } from "./users.ts";

/*
 * Users who are no people: for pipelines and machines. A robot holds tokens, never signs in, and has no entity and no
 * role: it reaches the collections whose owners make it a member.
 */

export interface Robot {
  robot: User;
  /** The owner's username; null when they are gone. */
  owner: string | null;
}

/** A page of the actor's robots, by name; of all of them for administrators. */
export async function listRobots(ctx: Context, actor: Actor, after: string | null): Promise<Page<Robot>> {
  const seesAll = mayOnSite(ctx.settings, actor, "site.administer");
  if (!seesAll) {
    if (actor.kind !== "user") throw new RegistryError("unauthenticated");
    authorizeOnAccount(ctx.settings, actor, "account.manage", ownAccount(actor));
  }
  const isOwn = seesAll ? undefined : eq(users.ownerUserId, actorUserId(actor) ?? "");
  const rows = await robotQuery(ctx, and(isOwn, after === null ? undefined : gt(users.username, after)));
  return pageOf(rows, ({ robot }) => robot.username);
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
 * Makes a robot, which is the actor's; the operator, who is nobody, says whose.
 * @throws `name-invalid`, `name-reserved`, `name-taken`, `limit-reached`, `conflict` where the owner may be none,
 *   and what the policy refuses
 */
export async function addRobot(
  ctx: Context,
  actor: Actor,
  input: { username: string; description: string; owner?: string | null },
): Promise<Robot> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const username = parseEntityName(input.username);
  const named = input.owner == null ? null : await findOwner(ctx, input.owner);
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
    ...guardStillGood(ctx, actor),
    ctx.db.insert(users).values(robot),
    auditRow(ctx, actor, "robot.add", username),
  ]);
  return { robot, owner: named?.username ?? (actor.kind === "user" ? actor.username : null) };
}

/**
 * Describes a robot, stops it or lets it work again, or gives it to another administrator; each as far as it is given.
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
  const owner = edit.owner === undefined ? null : await findOwner(ctx, edit.owner);
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
  const guards = isHandedOver ? [guardAgainst(ctx.db, "limit-reached", ownsTooMany(owner.id))] : [];
  const changed = await changeUser(ctx, actor, robot, { set, acts, endsSignIns: false, guards }, expected);
  return { robot: changed, owner: isHandedOver ? owner.username : found.owner };
}

/** Whom a robot may belong to. The same words whoever may not, so that they tell nothing of users. */
async function findOwner(ctx: Context, username: string): Promise<User> {
  const owner = await findAccount(ctx, username, "person");
  const isFit = owner !== null && owner.disabledAt === null && (owner.isSuperuser || isAdminNow(ctx, owner));
  if (!isFit) throw new RegistryError("conflict", "A robot's owner must be an administrator.");
  return present(owner);
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
