import { and, asc, eq, gt, gte, lt, type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { entities } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnSite } from "../authorize.ts";
import { newEntity } from "../catalog/entities.ts";
import { isBuried } from "../catalog/tombstones.ts";
import { RegistryError } from "../errors.ts";
import { parseEntityName } from "../names.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import { auditRow } from "../upkeep/audit.ts";
import { authorizedUser, findAccount, present, type User } from "./accounts.ts";
import { endSignIns } from "./end-credentials.ts";
import { guardStillGood } from "./still-good.ts";

export type SiteRole = "admin" | "superuser";

/** A person or a robot. @throws `not-found` */
export async function findUser(ctx: Context, username: string): Promise<User> {
  return present(await findAccount(ctx, username, "any"));
}

/** A person, for administrators. @throws `not-found`, and what the policy refuses */
export async function getUser(ctx: Context, actor: Actor, username: string): Promise<User> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  return present(await findAccount(ctx, username, "person"));
}

/**
 * People by name, a page at a time. `after` is the last page's `next`.
 * @param options.beginning what the names begin with
 */
export async function listUsers(
  ctx: Context,
  actor: Actor,
  after: string | null,
  options: { beginning?: string } = {},
): Promise<Page<User>> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const beginning = (options.beginning ?? "").toLowerCase();
  const rows = await ctx.db
    .select()
    .from(users)
    .where(
      and(
        eq(users.isTeam, false),
        eq(users.isRobot, false),
        after === null ? undefined : gt(users.username, after),
        // Names have nothing in them that comes behind "z".
        beginning === "" ? undefined : and(gte(users.username, beginning), lt(users.username, `${beginning}{`)),
      ),
    )
    .orderBy(asc(users.username))
    .limit(PAGE_ROWS)
    .all();
  return pageOf(rows, ({ username }) => username);
}

/**
 * Creates a person and the entity of the same name, which is theirs.
 * @throws `name-invalid`, `name-reserved`, `name-taken`, and what the policy refuses
 */
export async function addUser(ctx: Context, actor: Actor, given: string): Promise<User> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const username = parseEntityName(given);
  const user = newUser(ctx, username);
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "name-taken", isNameTaken(username)),
    ...guardStillGood(ctx, actor),
    ctx.db.insert(users).values(user),
    ctx.db.insert(entities).values(newEntity(ctx, username, user.id)),
    auditRow(ctx, actor, "user.add", username),
  ]);
  return user;
}

/** Whether a person, a robot or an entity has the name, or something deleted keeps it. */
export function isNameTaken(username: string): SQL {
  return sql`(EXISTS (SELECT 1 FROM ${entities} WHERE ${eq(entities.name, username)})
    OR EXISTS (SELECT 1 FROM ${users} WHERE ${eq(users.username, username)}) OR ${isBuried("entity", username)})`;
}

export function newUser(ctx: Context, username: string): User {
  return {
    id: crypto.randomUUID(),
    username,
    isAdmin: false,
    isSuperuser: false,
    disabledAt: null,
    createdAt: ctx.now(),
    isRobot: false,
    isTeam: false,
    quotaBytes: null,
    ownerUserId: null,
    description: "",
    claimedAdminUntil: null,
    claimedAdminBy: null,
    agreedTerms: null,
    agreedTermsAt: null,
    version: 1,
  };
}

/**
 * Grants or takes away a site role; taking one away ends a claim of an identity provider too. Their sessions end.
 * @throws `already-so`, `not-found`, `conflict` for a robot, and what the policy refuses
 */
export async function setSiteRole(
  ctx: Context,
  actor: Actor,
  username: string,
  role: SiteRole,
  granted: boolean,
): Promise<void> {
  authorizeOnSite(ctx.settings, actor, "site.govern");
  const user = await findUser(ctx, username);
  if (user.isRobot) throw new RegistryError("conflict", "A robot has no role: its owner could act with it.");
  const isAnotherClaim = role === "admin" && !granted ? sql`${users.claimedAdminUntil} IS NOT NULL` : sql`0`;
  const change =
    role === "superuser"
      ? { isSuperuser: granted }
      : { isAdmin: granted, ...(granted ? {} : { claimedAdminUntil: null, claimedAdminBy: null }) };
  const column = role === "superuser" ? users.isSuperuser : users.isAdmin;
  const isOther = sql`${users.id} = ${user.id} AND (${column} <> ${granted ? 1 : 0} OR ${isAnotherClaim})`;
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "already-so", sql`NOT EXISTS (SELECT 1 FROM ${users} WHERE ${isOther})`),
    // Before the change: they may be taking their own role away.
    ...guardStillGood(ctx, actor),
    ctx.db
      .update(users)
      .set({ ...change, version: sql`${users.version} + 1` })
      .where(isOther),
    ...endSignIns(ctx, user.id),
    auditRow(ctx, actor, granted ? `user.add-${role}` : `user.remove-${role}`, user.username),
  ]);
}

/**
 * Disables a person or a robot, which stops every token and key at once and ends every session, or enables them
 * again. @throws `already-so`, `not-found`, and what the policy refuses
 */
export async function setDisabled(ctx: Context, actor: Actor, username: string, disabled: boolean): Promise<void> {
  const user = await authorizedUser(ctx, actor, "account.disable", { username, kind: "any" });
  await writeTogether(ctx.db, [
    ctx.db
      .update(users)
      .set({ disabledAt: disabled ? ctx.now() : null, version: sql`${users.version} + 1` })
      .where(sql`${users.id} = ${user.id} AND (${users.disabledAt} IS NULL) = ${disabled ? 1 : 0}`),
    guardChanged(ctx.db, "already-so"),
    ...guardStillGood(ctx, actor),
    ...(disabled ? endSignIns(ctx, user.id) : []),
    auditRow(ctx, actor, disabled ? "user.disable" : "user.enable", user.username),
  ]);
}
