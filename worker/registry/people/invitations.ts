import { and, desc, eq, gt, type SQL, sql } from "drizzle-orm";
import { type Actor, ownAccount, type TeamRole } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { users } from "../../storage/db/schema/people.ts";
import { invitations, teamMembers } from "../../storage/db/schema/teams.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnAccount } from "../authorize.ts";
import { sha256Hex } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { auditRow } from "../upkeep/audit.ts";
import { guardStillGood } from "./still-good.ts";
import { guardManages, guardRoomFor, inRoomWords } from "./team-guards.ts";
import type { TeamMember } from "./team-members.ts";
import { authorizedTeam } from "./teams.ts";
import { asUser } from "./user-actor.ts";

/*
 * Links that bring one person into a team. The secret stands behind the `#`, so that it is in no request, log or
 * Referer, and whoever only opens the link uses nothing up: the page's button sends it.
 */

export interface Invitation {
  id: string;
  role: TeamRole;
  note: string;
  /** The owner who made it. */
  createdBy: string;
  createdAt: number;
  expiresAt: number;
}

/**
 * Makes an invitation. The link is in the answer and nowhere else: only its secret's SHA-256 is kept.
 * @throws `not-found`, `session-required`, `limit-reached`, `misdirected`, and what the policy refuses
 */
export async function makeInvitation(
  ctx: Context,
  actor: Actor,
  teamName: string,
  input: { role: TeamRole; note: string; days: number | null },
): Promise<{ invitation: Invitation; link: string }> {
  const { account } = await authorizedTeam(ctx, actor, "team.manage", teamName);
  const me = asUser(actor);
  // Whoever finds a token must not be able to bring somebody in who outlives it.
  if (me.credential.kind !== "session") throw new RegistryError("session-required");
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(limits.secretRandomBytes))).toString("base64url");
  const link = `${ctx.origin()}/invitations#${secret}`;
  const now = ctx.now();
  const seconds = input.days === null ? limits.invitationSeconds : input.days * 86_400;
  const row: typeof invitations.$inferSelect = {
    id: crypto.randomUUID(),
    teamId: account.id,
    hash: await sha256Hex(secret),
    role: input.role,
    note: input.note,
    createdBy: me.userId,
    createdAt: now,
    expiresAt: now + Math.min(seconds, limits.invitationMaxSeconds) * 1000,
  };
  const isOpen = and(eq(invitations.teamId, account.id), gt(invitations.expiresAt, now));
  const count = sql`(SELECT count(*) FROM ${invitations} WHERE ${isOpen})`;
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "limit-reached", sql`${count} >= ${limits.invitationsPerTeam}`),
    ...guardManages(ctx, actor, account.id),
    ctx.db.insert(invitations).values(row),
    auditRow(ctx, actor, "invitation.make", account.username, { detail: { id: row.id, role: row.role } }),
  ]);
  const { id, role, note, createdAt, expiresAt } = row;
  return { invitation: { id, role, note, createdBy: me.username, createdAt, expiresAt }, link };
}

/** A team's invitations that can be used, the newest first. @throws `not-found`, and what the policy refuses */
export async function listInvitations(ctx: Context, actor: Actor, teamName: string): Promise<Invitation[]> {
  const { account } = await authorizedTeam(ctx, actor, "team.manage", teamName);
  const rows = await ctx.db
    .select({ invitation: columnsOf(invitations), maker: sql<string>`${users.username}`.as("maker") })
    .from(invitations)
    .innerJoin(users, eq(users.id, invitations.createdBy))
    .where(and(eq(invitations.teamId, account.id), gt(invitations.expiresAt, ctx.now())))
    .orderBy(desc(invitations.createdAt), desc(invitations.id))
    .limit(limits.invitationsPerTeam)
    .all();
  return rows.map(({ invitation: { id, role, note, createdAt, expiresAt }, maker }) => {
    return { id, role, note, createdBy: maker, createdAt, expiresAt };
  });
}

/** Ends an invitation that nobody has used. @throws `not-found`, and what the policy refuses */
export async function endInvitation(ctx: Context, actor: Actor, teamName: string, id: string): Promise<void> {
  const { account } = await authorizedTeam(ctx, actor, "team.manage", teamName);
  await writeTogether(ctx.db, [
    ctx.db.delete(invitations).where(and(eq(invitations.teamId, account.id), eq(invitations.id, id))),
    guardChanged(ctx.db, "not-found"),
    ...guardManages(ctx, actor, account.id),
    auditRow(ctx, actor, "invitation.end", account.username, { detail: { id } }),
  ]);
}

/** What an invitation leads to, for whoever holds it. */
export interface InvitationShown {
  team: { name: string; description: string };
  role: TeamRole;
  invitedBy: string;
  expiresAt: number;
  /** What they are in the team already; null where they are not in it. */
  place: TeamRole | null;
}

/** What an invitation leads to. Uses nothing up. @throws `link-ended`, and what the policy refuses */
export async function showInvitation(ctx: Context, actor: Actor, secret: string): Promise<InvitationShown> {
  const { invitation, team, invitedBy, place } = await findInvitation(ctx, actor, secret);
  return { team, role: invitation.role, invitedBy, expiresAt: invitation.expiresAt, place };
}

/**
 * Brings the actor into a team, which ends the invitation. Of two at once one gets in. Whoever is in it already gets
 * the better of the two roles; where that is what they are, the invitation stays for somebody else.
 * @throws `link-ended`, `already-so`, `limit-reached`, `conflict`, and what the policy refuses
 */
export async function acceptInvitation(
  ctx: Context,
  actor: Actor,
  secret: string,
): Promise<{ team: string; member: TeamMember }> {
  const { invitation, team, place } = await findInvitation(ctx, actor, secret);
  const me = asUser(actor);
  const { teamId, role, id } = invitation;
  if (place === role || place === "owner") {
    throw new RegistryError("already-so", `You are in the team ${team.name} already.`);
  }
  const row = { teamId, userId: me.userId, role, createdAt: ctx.now() };
  const statements: [Statement, ...Statement[]] = [
    guardRoomFor(ctx, teamId, me.userId),
    ...guardStillGood(ctx, actor),
    ctx.db.delete(invitations).where(isGoodNow(ctx, invitation.hash)),
    guardChanged(ctx.db, "link-ended"),
    ctx.db
      .insert(teamMembers)
      .values(row)
      .onConflictDoUpdate({
        target: [teamMembers.teamId, teamMembers.userId],
        // Somebody who became an owner meanwhile stays one.
        set: { role: sql`CASE WHEN ${teamMembers.role} = 'owner' THEN 'owner' ELSE excluded.role END` },
      }),
    auditRow(ctx, actor, "team.join", team.name, { detail: { invitation: id, role } }),
  ];
  await inRoomWords(() => writeTogether(ctx.db, statements));
  return { team: team.name, member: { username: me.username, role, createdAt: row.createdAt } };
}

/** An invitation is worth what its maker may do: nothing once they are disabled, or neither owner nor administrator. */
function isGoodNow(ctx: Context, hash: string): SQL {
  const now = ctx.now();
  const mayInvite = sql`(maker.is_admin = 1 OR maker.is_superuser = 1 OR coalesce(maker.claimed_admin_until, 0) > ${now}
    OR EXISTS (SELECT 1 FROM ${teamMembers} AS place
      WHERE place.team_id = ${invitations.teamId} AND place.user_id = maker.id AND place.role = 'owner'))`;
  return sql`${invitations.hash} = ${hash} AND ${invitations.expiresAt} > ${now} AND EXISTS (
    SELECT 1 FROM ${users} AS maker
    WHERE maker.id = ${invitations.createdBy} AND maker.disabled_at IS NULL AND ${mayInvite})`;
}

async function findInvitation(ctx: Context, actor: Actor, secret: string) {
  const me = asUser(actor);
  authorizeOnAccount(ctx.settings, actor, "account.manage", ownAccount(me));
  // A token is no person at a browser, and the team would outlive it.
  if (me.credential.kind !== "session") throw new RegistryError("session-required");
  const row = await ctx.db
    .select({
      invitation: columnsOf(invitations),
      invitedBy: sql<string>`inviting.username`.as("invited_by"),
      name: sql<string>`team.username`.as("team_name"),
      description: sql<string>`team.description`.as("team_description"),
    })
    .from(invitations)
    .innerJoin(sql`${users} AS inviting`, sql`inviting.id = ${invitations.createdBy}`)
    .innerJoin(sql`${users} AS team`, sql`team.id = ${invitations.teamId}`)
    .where(isGoodNow(ctx, await sha256Hex(secret)))
    .get();
  if (row === undefined) throw new RegistryError("link-ended");
  const { invitation, invitedBy, name, description } = row;
  const place = me.teams.find(({ id }) => id === invitation.teamId)?.role ?? null;
  return { invitation, team: { name, description }, invitedBy, place };
}
