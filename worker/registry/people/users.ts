import { asc, eq, gt, sql } from "drizzle-orm";
import { type Actor, actorUserId } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { entities } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnSite } from "../authorize.ts";
import { newEntity } from "../catalog/entities.ts";
import { bury, isBuried } from "../catalog/tombstones.ts";
import { RegistryError } from "../errors.ts";
import { parseEntityName } from "../names.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import { auditRow } from "../upkeep/audit.ts";

export type User = typeof users.$inferSelect;
export type SiteRole = "admin" | "superuser";

/** @throws `not-found` */
export async function findUser(ctx: Context, username: string): Promise<User> {
  const user = await ctx.db.select().from(users).where(eq(users.username, username.toLowerCase())).get();
  if (user === undefined) throw new RegistryError("not-found", "There is no such user.");
  return user;
}

/** Users by name, a page at a time. `after` is the last page's `next`. */
export async function listUsers(ctx: Context, actor: Actor, after: string | null): Promise<Page<User>> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const rows = await ctx.db
    .select()
    .from(users)
    .where(after === null ? undefined : gt(users.username, after))
    .orderBy(asc(users.username))
    .limit(PAGE_ROWS)
    .all();
  return pageOf(rows, ({ username }) => username);
}

/**
 * Creates a user and the entity of the same name, which is theirs.
 * @throws `name-invalid`, `name-reserved`, `name-taken`, and what the policy refuses
 */
export async function addUser(ctx: Context, actor: Actor, given: string): Promise<User> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const username = parseEntityName(given);
  const user: User = {
    id: crypto.randomUUID(),
    username,
    isAdmin: false,
    isSuperuser: false,
    disabledAt: null,
    createdAt: ctx.now(),
  };
  const taken = sql`EXISTS (SELECT 1 FROM ${entities} WHERE ${eq(entities.name, username)})
    OR EXISTS (SELECT 1 FROM ${users} WHERE ${eq(users.username, username)}) OR ${isBuried("entity", username)}`;
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "name-taken", taken),
    ctx.db.insert(users).values(user),
    ctx.db.insert(entities).values(newEntity(ctx, username, user.id)),
    auditRow(ctx, actor, "user.add", username),
  ]);
  return user;
}

const roleColumn = { admin: "isAdmin", superuser: "isSuperuser" } as const;

/**
 * Grants or takes away a site role.
 * @throws `already-so`, `not-found`, and what the policy refuses
 */
export async function setSiteRole(
  ctx: Context,
  actor: Actor,
  username: string,
  role: SiteRole,
  granted: boolean,
): Promise<void> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const user = await findUser(ctx, username);
  const column = roleColumn[role];
  await writeTogether(ctx.db, [
    ctx.db
      .update(users)
      .set({ [column]: granted })
      .where(sql`${users.id} = ${user.id} AND ${users[column]} <> ${granted ? 1 : 0}`),
    guardChanged(ctx.db, "already-so"),
    auditRow(ctx, actor, granted ? `user.add-${role}` : `user.remove-${role}`, user.username),
  ]);
}

/** Disables a user, which stops every token at once, or enables them again. @throws `already-so`, `not-found` */
export async function setDisabled(ctx: Context, actor: Actor, username: string, disabled: boolean): Promise<void> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const user = await findUser(ctx, username);
  await writeTogether(ctx.db, [
    ctx.db
      .update(users)
      .set({ disabledAt: disabled ? ctx.now() : null })
      .where(sql`${users.id} = ${user.id} AND (${users.disabledAt} IS NULL) = ${disabled ? 1 : 0}`),
    guardChanged(ctx.db, "already-so"),
    auditRow(ctx, actor, disabled ? "user.disable" : "user.enable", user.username),
  ]);
}

/**
 * Deletes a user who owns no collection any more, with their tokens and entity. The name stays taken until
 * an administrator frees it.
 * @throws `conflict` while they own collections, `not-found`
 */
export async function deleteUser(ctx: Context, actor: Actor, username: string): Promise<void> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const user = await findUser(ctx, username);
  if (user.id === actorUserId(actor)) throw new RegistryError("forbidden");
  const owned = await ctx.db
    .select({ name: entities.name })
    .from(entities)
    .where(eq(entities.ownerUserId, user.id))
    .all();
  const holdsCollections = sql`EXISTS (
    SELECT 1 FROM collections INNER JOIN ${entities} ON ${entities.id} = collections.entity_id
    WHERE ${eq(entities.ownerUserId, user.id)})`;
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "conflict", holdsCollections),
    ...owned.map((entity) => bury(ctx, "entity", entity.name)),
    ctx.db.delete(entities).where(eq(entities.ownerUserId, user.id)),
    ctx.db.delete(users).where(eq(users.id, user.id)),
    auditRow(ctx, actor, "user.delete", user.username),
  ]).catch((thrown) => {
    if (!(thrown instanceof RegistryError) || thrown.code !== "conflict") throw thrown;
    throw new RegistryError("conflict", "This user still owns collections. Delete them first.");
  });
}
