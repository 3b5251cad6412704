import { and, eq, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { pictureTypeOf } from "../../formats/picture.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { users } from "../../storage/db/schema/people.ts";
import { teams } from "../../storage/db/schema/teams.ts";
import { discardedObjects } from "../../storage/db/schema/upkeep.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { pictureKey } from "../../storage/layout.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { auditRow } from "../upkeep/audit.ts";
import { guardManages } from "./team-guards.ts";
import { authorizedTeam, type Team } from "./teams.ts";

/** A team that may get a picture, before its bytes are read. @throws `not-found`, and what the policy refuses */
export async function teamForPicture(ctx: Context, actor: Actor, teamName: string): Promise<Team> {
  return await authorizedTeam(ctx, actor, "team.manage", teamName);
}

/**
 * Gives a team a picture in place of the one it had. What is written to R2 stands among the discarded objects until
 * the team has it, so that nothing is left behind, whatever becomes of the request.
 * @throws `picture-invalid`, `conflict`, and `not-found` for a team that was deleted meanwhile
 */
export async function setTeamPicture(
  ctx: Context,
  actor: Actor,
  team: Team,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const type = pictureTypeOf(bytes);
  if (type === null) throw new RegistryError("picture-invalid");
  const key = pictureKey(crypto.randomUUID());
  const discardedAt = ctx.now() + limits.pictureSeconds * 1000;
  await ctx.db.insert(discardedObjects).values({ objectKey: key, discardedAt }).run();
  await ctx.bucket.put(key, bytes, { httpMetadata: { contentType: type } });
  const { id, username } = team.account;
  await writeTogether(ctx.db, [
    ctx.db.delete(discardedObjects).where(eq(discardedObjects.objectKey, key)),
    guardChanged(ctx.db, "conflict"),
    ...guardManages(ctx, actor, id),
    discardPicture(ctx, id),
    ctx.db.update(teams).set({ pictureKey: key, pictureType: type }).where(eq(teams.id, id)),
    guardChanged(ctx.db, "not-found"),
    countChange(ctx, id),
    auditRow(ctx, actor, "team.picture", username, { detail: { type, bytes: bytes.length } }),
  ]);
}

/** Takes a team's picture away. @throws `not-found` where there is none, and what the policy refuses */
export async function removeTeamPicture(ctx: Context, actor: Actor, teamName: string): Promise<void> {
  const { account, picture } = await authorizedTeam(ctx, actor, "team.manage", teamName);
  if (picture === null) throw noPicture();
  const isThere = sql`EXISTS (SELECT 1 FROM ${teams} WHERE ${and(eq(teams.id, account.id), eq(teams.pictureKey, picture.key))})`;
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "conflict", sql`NOT ${isThere}`),
    ...guardManages(ctx, actor, account.id),
    discardPicture(ctx, account.id),
    ctx.db.update(teams).set({ pictureKey: null, pictureType: null }).where(eq(teams.id, account.id)),
    countChange(ctx, account.id),
    auditRow(ctx, actor, "team.picture", account.username, { detail: { type: null } }),
  ]);
}

/** A team's picture. `tag` names it: another picture has another one. @throws `not-found`, and what the policy refuses */
export async function getTeamPicture(
  ctx: Context,
  actor: Actor,
  teamName: string,
): Promise<{ tag: string; type: string; open: () => Promise<ReadableStream> }> {
  const { picture } = await authorizedTeam(ctx, actor, "team.see", teamName);
  if (picture === null) throw noPicture();
  const open = async () => {
    const object = await ctx.bucket.get(picture.key);
    // It was replaced, and upkeep was faster.
    if (object === null) throw noPicture();
    return object.body;
  };
  return { tag: picture.key.slice(picture.key.lastIndexOf("/") + 1), type: picture.type, open };
}

/** For a batch that replaces or deletes it: upkeep takes its object away. */
export function discardPicture(ctx: Context, teamId: string): Statement {
  return statement(
    ctx.db,
    sql`
    INSERT INTO ${discardedObjects} (object_key, discarded_at)
    SELECT picture_key, ${ctx.now()} FROM ${teams} WHERE id = ${teamId} AND picture_key IS NOT NULL`,
  );
}

/** The picture is a part of what a team's version tells of. */
function countChange(ctx: Context, teamId: string): Statement {
  return ctx.db
    .update(users)
    .set({ version: sql`${users.version} + 1` })
    .where(eq(users.id, teamId));
}

function noPicture(): RegistryError {
  return new RegistryError("not-found", "This team has no picture.");
}
