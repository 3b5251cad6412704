import { and, asc, eq, gt, sql } from "drizzle-orm";
import { type Actor, isAdministrator, ownAccount, type TeamRole } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { users } from "../../storage/db/schema/people.ts";
import { invitations, teamMembers, teams } from "../../storage/db/schema/teams.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnAccount, authorizeOnTeam } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import { auditRow } from "../upkeep/audit.ts";
import type { User } from "./accounts.ts";
import { guardStillGood } from "./still-good.ts";
import { guardManages, guardNotLastOwner, guardRoomFor, inRoomWords } from "./team-guards.ts";
import { authorizedTeam, type Team } from "./teams.ts";
import { asUser } from "./user-actor.ts";

/** Somebody in a team. */
export interface TeamMember {
  username: string;
  role: TeamRole;
  /** Since when. */
  createdAt: number;
}

/** A team's people by name, a page at a time. @throws `not-found`, and what the policy refuses */
export async function listTeamMembers(
  ctx: Context,
  actor: Actor,
  teamName: string,
  after: string | null,
): Promise<Page<TeamMember>> {
  const { account } = await authorizedTeam(ctx, actor, "team.see", teamName);
  const rows = await ctx.db
    .select({ username: users.username, role: teamMembers.role, createdAt: teamMembers.createdAt })
    .from(teamMembers)
    .innerJoin(users, eq(users.id, teamMembers.userId))
    .where(and(eq(teamMembers.teamId, account.id), after === null ? undefined : gt(users.username, after)))
    .orderBy(asc(users.username))
    .limit(PAGE_ROWS)
    .all();
  return pageOf(rows, ({ username }) => username);
}

/**
 * Makes the actor a member of an open team. Whoever is in it already stays what they are.
 * @throws `not-found`, `forbidden` where it takes an invitation, `limit-reached`, `conflict` when it was closed
 *   meanwhile, and what the policy refuses
 */
export async function joinTeam(ctx: Context, actor: Actor, teamName: string): Promise<TeamMember> {
  const team = await authorizedTeam(ctx, actor, "team.see", teamName);
  const me = asUser(actor);
  authorizeOnAccount(ctx.settings, actor, "account.manage", ownAccount(me));
  const { id: teamId, username: name } = team.account;
  const { member } = await findMember(ctx, team, me.username);
  if (member !== null) return member;
  if (team.joining !== "open") {
    throw new RegistryError("forbidden", "This team takes an invitation. Ask one of its owners for one.");
  }
  authorizeOnTeam(ctx, actor, "team.join", team);
  const row = { teamId, userId: me.userId, role: "member" as const, createdAt: ctx.now() };
  const isOpen = sql`EXISTS (SELECT 1 FROM ${teams} WHERE ${eq(teams.id, teamId)} AND joining = 'open')`;
  const statements: [Statement, ...Statement[]] = [
    guardAgainst(ctx.db, "conflict", sql`NOT ${isOpen}`),
    guardRoomFor(ctx, teamId, me.userId),
    ...guardStillGood(ctx, actor),
    ctx.db.insert(teamMembers).values(row).onConflictDoNothing(),
    auditRow(ctx, actor, "team.join", name, { when: sql`changes() > 0` }),
  ];
  await inRoomWords(() => writeTogether(ctx.db, statements));
  return { username: me.username, role: "member", createdAt: row.createdAt };
}

/**
 * Says what somebody is in a team. People come into it by joining or an invitation; only an administrator puts
 * somebody in, so that a team whose owners are gone gets one again.
 * @throws `not-found`, `last-owner`, `limit-reached`, `conflict`, and what the policy refuses
 */
export async function setTeamMember(
  ctx: Context,
  actor: Actor,
  teamName: string,
  username: string,
  role: TeamRole,
): Promise<TeamMember> {
  const team = await authorizedTeam(ctx, actor, "team.manage", teamName);
  const { user, member } = await findMember(ctx, team, username);
  if (user === null || (member === null && !isAdministrator(actor))) throw noSuchMember();
  if (member?.role === role) return member;
  if (member === null && user.disabledAt !== null) {
    throw new RegistryError("conflict", "This user is disabled. Enable them first.");
  }
  const teamId = team.account.id;
  const row = { teamId, userId: user.id, createdAt: member?.createdAt ?? ctx.now() };
  const change =
    member === null
      ? ctx.db.insert(teamMembers).values({ ...row, role })
      : ctx.db
          .update(teamMembers)
          .set({ role })
          .where(and(eq(teamMembers.teamId, teamId), eq(teamMembers.userId, user.id)));
  const statements: [Statement, ...Statement[]] = [
    guardRoomFor(ctx, teamId, user.id),
    ...(role === "owner" ? [] : [guardNotLastOwner(ctx, teamId, user.id)]),
    ...guardManages(ctx, actor, teamId),
    change,
    // Somebody else may have taken them out, or let them in.
    guardChanged(ctx.db, "conflict"),
    ...(role === "owner" ? [] : [endInvitationsBy(ctx, teamId, user.id)]),
    auditRow(ctx, actor, "team.member", team.account.username, { detail: { username: user.username, role } }),
  ];
  await inRoomWords(() => writeTogether(ctx.db, statements));
  return { username: user.username, role, createdAt: row.createdAt };
}

/**
 * Takes somebody out of a team; oneself, to leave it. Their rights through it end at once, and so do the invitations
 * they made.
 * @throws `not-found`, `last-owner`, `conflict`, and what the policy refuses
 */
export async function removeTeamMember(ctx: Context, actor: Actor, teamName: string, username: string): Promise<void> {
  const isLeaving = actor.kind === "user" && actor.username === username.toLowerCase();
  const team = await authorizedTeam(ctx, actor, isLeaving ? "team.see" : "team.manage", teamName);
  if (isLeaving) authorizeOnAccount(ctx.settings, actor, "account.manage", ownAccount(actor));
  const { user, member } = await findMember(ctx, team, username);
  if (user === null || member === null) throw noSuchMember();
  const { id: teamId, username: name } = team.account;
  await writeTogether(ctx.db, [
    guardNotLastOwner(ctx, teamId, user.id),
    ...(isLeaving ? guardStillGood(ctx, actor) : guardManages(ctx, actor, teamId)),
    ctx.db.delete(teamMembers).where(and(eq(teamMembers.teamId, teamId), eq(teamMembers.userId, user.id))),
    guardChanged(ctx.db, "not-found"),
    endInvitationsBy(ctx, teamId, user.id),
    isLeaving
      ? auditRow(ctx, actor, "team.leave", name)
      : auditRow(ctx, actor, "team.remove", name, { detail: { username: user.username } }),
  ]);
}

/** Whoever is no owner any more could come back by an invitation they made. */
function endInvitationsBy(ctx: Context, teamId: string, userId: string): Statement {
  return ctx.db.delete(invitations).where(and(eq(invitations.teamId, teamId), eq(invitations.createdBy, userId)));
}

/** A person by name, and what they are in the team. One query. */
async function findMember(
  ctx: Context,
  { account }: Team,
  username: string,
): Promise<{ user: User | null; member: TeamMember | null }> {
  const row = await ctx.db
    .select({ user: columnsOf(users), place: columnsOf(teamMembers) })
    .from(users)
    .leftJoin(teamMembers, and(eq(teamMembers.teamId, account.id), eq(teamMembers.userId, users.id)))
    .where(eq(users.username, username.toLowerCase()))
    .get();
  if (row === undefined || row.user.isRobot || row.user.isTeam) return { user: null, member: null };
  const { user, place } = row;
  const isMember = place !== null && place.userId !== null;
  return {
    user,
    member: isMember ? { username: user.username, role: place.role, createdAt: place.createdAt } : null,
  };
}

function noSuchMember(): RegistryError {
  return new RegistryError("not-found", "There is nobody of that name in this team.");
}
