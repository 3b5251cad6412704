import { and, asc, eq, gt, gte, lt, type SQL, sql } from "drizzle-orm";
import type { Action } from "../../access/policy.ts";
import { type Actor, type TeamFacts, type TeamRole, teamPlace } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardAgainst } from "../../storage/db/guard.ts";
import { entities } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { teamMembers, teams } from "../../storage/db/schema/teams.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorizeOnSite, authorizeOnTeam } from "../authorize.ts";
import { newEntity } from "../catalog/entities.ts";
import { RegistryError } from "../errors.ts";
import { parseEntityName } from "../names.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import { searchSoon } from "../search/search-soon.ts";
import { auditRow } from "../upkeep/audit.ts";
import { findAccount, present, type User } from "./accounts.ts";
import { type Act, changeUser } from "./change-user.ts";
import { guardStillGood } from "./still-good.ts";
import { guardStillOwner, isInTooMany } from "./team-guards.ts";
import { asUser } from "./user-actor.ts";
import { isNameTaken, newUser } from "./users.ts";

/*
 * Teams: people who work together. A team is an account that nobody signs in to: it owns an entity of its name, is
 * given roles in collections, and owns robots; its people act for it.
 */

export type Joining = TeamFacts["joining"];

export interface Team {
  account: User;
  joining: Joining;
  picture: { key: string; type: string } | null;
  /** What the actor is in it; null for whoever is not. */
  place: TeamRole | null;
  facts: TeamFacts;
}

/** The team, where the actor may do this with it. One query. @throws `not-found`, and what the policy refuses */
export async function authorizedTeam(
  ctx: Context,
  actor: Actor,
  action: Extract<Action, `team.${string}`>,
  name: string,
): Promise<Team> {
  const row = await teamQuery(ctx).where(eq(users.username, name.toLowerCase())).get();
  return authorizeOnTeam(ctx, actor, action, row === undefined ? null : teamOf(actor, row));
}

/** @throws `not-found`, and what the policy refuses */
export async function getTeam(ctx: Context, actor: Actor, name: string): Promise<Team> {
  return await authorizedTeam(ctx, actor, "team.see", name);
}

/**
 * Teams by name, a page at a time. `after` is the last page's `next`.
 * @param options.beginning what the names begin with
 * @param options.isMine only those that the actor is in
 * @throws what the policy refuses: to whoever may see none, as for each of them
 */
export async function listTeams(
  ctx: Context,
  actor: Actor,
  after: string | null,
  options: { beginning?: string; isMine?: boolean } = {},
): Promise<Page<Team>> {
  authorizeOnTeam(ctx, actor, "team.see", { facts: { teamId: "any", joining: "invitation" } });
  const beginning = (options.beginning ?? "").toLowerCase();
  const rows = await teamQuery(ctx)
    .where(options.isMine === true ? isMine(actor, after, beginning) : isListed(after, beginning))
    .orderBy(asc(users.username))
    .limit(PAGE_ROWS)
    .all();
  const found = rows.map((row) => teamOf(actor, row));
  return pageOf(found, ({ account }) => account.username);
}

function isListed(after: string | null, beginning: string): SQL | undefined {
  return and(
    eq(users.isTeam, true),
    eq(users.isRobot, false),
    after === null ? undefined : gt(users.username, after),
    // Names have nothing in them that comes behind "z".
    beginning === "" ? undefined : and(gte(users.username, beginning), lt(users.username, `${beginning}{`)),
  );
}

/** The actor knows their teams: no more is read than these. */
function isMine(actor: Actor, after: string | null, beginning: string): SQL {
  const names = (actor.kind === "user" ? actor.teams : [])
    .map(({ name }) => name)
    .filter((name) => name.startsWith(beginning) && name > (after ?? ""));
  return sql`${users.username} IN (SELECT value FROM json_each(${JSON.stringify(names)}))`;
}

export interface NewTeam {
  name: string;
  description: string;
  joining: Joining;
}

/**
 * Makes a team whose owner the actor is, and the entity of the same name, which is the team's.
 * @throws `name-invalid`, `name-reserved`, `name-taken`, `limit-reached`, and what the policy refuses
 */
export async function addTeam(ctx: Context, actor: Actor, input: NewTeam): Promise<Team> {
  authorizeOnSite(ctx.settings, actor, "site.create-team");
  const { userId, username } = asUser(actor);
  return { ...(await makeTeam(ctx, actor, input, { id: userId, username })), place: "owner" };
}

/** The same for somebody else, by an administrator. @throws also `not-found`, `conflict` for a disabled user */
export async function addTeamFor(ctx: Context, actor: Actor, input: NewTeam, username: string): Promise<Team> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const owner = present(await findAccount(ctx, username, "person"));
  if (owner.disabledAt !== null) throw new RegistryError("conflict", "This user is disabled. Enable them first.");
  return await makeTeam(ctx, actor, input, owner);
}

async function makeTeam(
  ctx: Context,
  actor: Actor,
  { name: given, description, joining }: NewTeam,
  owner: Pick<User, "id" | "username">,
): Promise<Team> {
  const name = parseEntityName(given);
  const account: User = { ...newUser(ctx, name), isTeam: true, description };
  const team = { id: account.id, joining, pictureKey: null, pictureType: null };
  const ownership = { teamId: account.id, userId: owner.id, role: "owner" as const, createdAt: ctx.now() };
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "name-taken", isNameTaken(name)),
    guardAgainst(ctx.db, "limit-reached", isInTooMany(owner.id)),
    ...guardStillGood(ctx, actor),
    ctx.db.insert(users).values(account),
    ctx.db.insert(teams).values(team),
    ctx.db.insert(teamMembers).values(ownership),
    ctx.db.insert(entities).values(newEntity(ctx, name, account.id)),
    auditRow(ctx, actor, "team.add", name, { detail: { owner: owner.username } }),
  ]);
  searchSoon(ctx);
  return teamOf(actor, { account, team });
}

/**
 * Says what a team is, and how people come into it; each as far as it is given.
 * @param expected the version the client saw; null for whichever it is
 * @throws `not-found`, `precondition-failed`, `conflict`, and what the policy refuses
 */
export async function editTeam(
  ctx: Context,
  actor: Actor,
  name: string,
  edit: { description?: string | undefined; joining?: Joining | undefined },
  expected: number | null,
): Promise<Team> {
  const team = await authorizedTeam(ctx, actor, "team.manage", name);
  const { description = team.account.description, joining = team.joining } = edit;
  const acts: Act[] = [
    ...(description === team.account.description ? [] : [{ action: "team.describe" }]),
    ...(joining === team.joining ? [] : [{ action: "team.joining", detail: { joining } }]),
  ];
  const guards = [
    ctx.db.update(teams).set({ joining }).where(eq(teams.id, team.account.id)),
    ...guardStillOwner(ctx, actor, team.account.id),
  ];
  const change = { set: { description }, acts, endsSignIns: false, guards };
  const account = await changeUser(ctx, actor, team.account, change, expected);
  return { ...team, account, joining };
}

function teamQuery(ctx: Context) {
  return ctx.db
    .select({ account: columnsOf(users), team: columnsOf(teams) })
    .from(users)
    .innerJoin(teams, eq(teams.id, users.id))
    .$dynamic();
}

function teamOf(actor: Actor, { account, team }: { account: User; team: typeof teams.$inferSelect }): Team {
  const { joining, pictureKey, pictureType } = team;
  const picture = pictureKey === null || pictureType === null ? null : { key: pictureKey, type: pictureType };
  const place = actor.kind === "user" ? (teamPlace(actor, account.id)?.role ?? null) : null;
  return { account, joining, picture, place, facts: { teamId: account.id, joining } };
}
