import * as z from "zod";
import { type Actor, scopes } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { RegistryError } from "../../registry/errors.ts";
import { limits } from "../../registry/limits.ts";
import { getQuota, setQuota } from "../../registry/people/account-quotas.ts";
import type { User, Whose } from "../../registry/people/accounts.ts";
import { deleteTeam } from "../../registry/people/delete-team.ts";
import { deleteUser } from "../../registry/people/delete-user.ts";
import { makeLoginLink } from "../../registry/people/login-links.ts";
import { addRobot, listRobots, type Robot } from "../../registry/people/robots.ts";
import { addKey, listKeys, resealKeys, revokeKey } from "../../registry/people/sregistry-keys.ts";
import { removeTeamMember, setTeamMember } from "../../registry/people/team-members.ts";
import { addTeamFor, listTeams, type Team } from "../../registry/people/teams.ts";
import { addToken, listTokens, revokeToken, type Token } from "../../registry/people/tokens.ts";
import { addUser, findUser, listUsers, type SiteRole, setDisabled, setSiteRole } from "../../registry/people/users.ts";
import { after, collection, username, type Verb, verb } from "./arguments.ts";

const scopeList = z
  .string()
  .default("pull,push,manage")
  .transform((text, issues) => {
    const given = text.split(",").map((scope) => scope.trim());
    const known = scopes.filter((scope) => given.includes(scope));
    if (known.length === new Set(given).size) return known;
    issues.addIssue({ code: "custom", message: "must be some of pull, push, manage, separated by commas" });
    return z.NEVER;
  });
/** A number, or what the settings say. */
const quotaBytes = z
  .string()
  .regex(/^(?:default|\d{1,15})$/, "must be a number of bytes, or default")
  .transform((text) => (text === "default" ? null : Number(text)));
const days = z.coerce.number().int().positive().max(limits.tokenMaxDays).nullish();

/** Users, robots, teams, what they have, and how they come in. */
export const peopleVerbs = {
  "add-user": verb(z.object({ username }), async (ctx, actor, args) =>
    presentUser(await addUser(ctx, actor, args.username)),
  ),
  "add-superuser": verb(z.object({ username }), (ctx, actor, args) => grant(ctx, actor, args.username, "superuser")),
  "remove-superuser": verb(z.object({ username }), (ctx, actor, args) =>
    setSiteRole(ctx, actor, args.username, "superuser", false),
  ),
  "add-admin": verb(z.object({ username }), (ctx, actor, args) => grant(ctx, actor, args.username, "admin")),
  "remove-admin": verb(z.object({ username }), (ctx, actor, args) =>
    setSiteRole(ctx, actor, args.username, "admin", false),
  ),
  "disable-user": verb(z.object({ username }), (ctx, actor, args) => setDisabled(ctx, actor, args.username, true)),
  "enable-user": verb(z.object({ username }), (ctx, actor, args) => setDisabled(ctx, actor, args.username, false)),
  "delete-user": verb(z.object({ username }), (ctx, actor, args) => deleteUser(ctx, actor, args.username, "any", null)),
  "list-users": verb(z.object({ after }), async (ctx, actor, args) => {
    const { items, next } = await listUsers(ctx, actor, args.after ?? null);
    return { items: items.map(presentUser), next };
  }),
  "add-token": verb(
    z.object({
      username,
      name: z.string().min(1).max(limits.tokenNameLength).default("command line"),
      scopes: scopeList,
      collection: collection.nullish(),
      days,
    }),
    async (ctx, actor, args) => {
      const { name, scopes: wanted, collection: path = null, days: expiresInDays = null } = args;
      const input = { name, scopes: wanted, collection: path, expiresInDays };
      const { secret, token } = await addToken(ctx, actor, account(args), input);
      return { token: secret, id: token.id };
    },
  ),
  "list-tokens": verb(z.object({ username, after }), async (ctx, actor, args) => {
    const { items, next } = await listTokens(ctx, actor, account(args), args.after ?? null);
    return { items: items.map(presentToken), next };
  }),
  "revoke-token": verb(z.object({ username, id: z.string() }), (ctx, actor, args) =>
    revokeToken(ctx, actor, account(args), { prefix: args.id }),
  ),
  "add-robot": verb(
    z.object({
      username,
      owner: username.nullish(),
      team: username.nullish(),
      description: z.string().max(limits.robotDescriptionLength).default(""),
    }),
    async (ctx, actor, args) =>
      presentRobot(await addRobot(ctx, actor, { ...args, owner: args.owner ?? null, team: args.team ?? null })),
  ),
  "list-teams": verb(z.object({ after }), async (ctx, actor, args) => {
    const { items, next } = await listTeams(ctx, actor, args.after ?? null);
    return { items: items.map(presentTeam), next };
  }),
  "add-team": verb(
    z.object({
      name: username,
      owner: username,
      description: z.string().max(limits.descriptionLength).default(""),
      joining: z.enum(["open", "invitation"]).default("invitation"),
    }),
    async (ctx, actor, { owner, ...team }) => presentTeam(await addTeamFor(ctx, actor, team, owner)),
  ),
  "set-team-member": verb(
    z.object({ team: username, username, role: z.enum(["owner", "member", "none"]) }),
    async (ctx, actor, { team, role, ...args }) => {
      if (role === "none") await removeTeamMember(ctx, actor, team, args.username);
      else await setTeamMember(ctx, actor, team, args.username, role);
    },
  ),
  // At the command line nobody has looked first.
  "delete-team": verb(z.object({ name: username }), (ctx, actor, args) => deleteTeam(ctx, actor, args.name, null)),
  "login-link": verb(z.object({ username }), (ctx, actor, args) => makeLoginLink(ctx, actor, args.username)),
  "delete-robot": verb(z.object({ username }), (ctx, actor, args) =>
    deleteUser(ctx, actor, args.username, "robot", null),
  ),
  "list-robots": verb(z.object({ after }), async (ctx, actor, args) => {
    const { items, next } = await listRobots(ctx, actor, args.after ?? null);
    return { items: items.map(presentRobot), next };
  }),
  "add-key": verb(z.object({ username }), async (ctx, actor, args) => {
    const { key, id } = await addKey(ctx, actor, account(args));
    return { key, id, origin: ctx.settings.PUBLIC_ORIGIN };
  }),
  "list-keys": verb(z.object({ after }), (ctx, actor, args) => listKeys(ctx, actor, args.after ?? null)),
  "revoke-key": verb(z.object({ username }), (ctx, actor, args) => revokeKey(ctx, actor, account(args))),
  "reseal-keys": verb(z.object({ after }), (ctx, actor, args) => resealKeys(ctx, actor, args.after ?? null)),
  "set-quota": verb(
    z.object({ name: username, bytes: quotaBytes }),
    async (ctx, actor, args) => await setQuota(ctx, actor, args.name, args.bytes),
  ),
  "show-quota": verb(z.object({ name: username }), async (ctx, actor, args) => {
    const { account: name, isOwnNumber, quota } = await getQuota(ctx, actor, args.name);
    return { items: [{ name, ...quota, isOwnNumber }] };
  }),
} as const satisfies Readonly<Record<string, Verb>>;

/** Grants a role, creating the user where there is none: the first superuser is made by one command. */
async function grant(ctx: Context, actor: Actor, given: string, role: SiteRole): Promise<{ created: boolean }> {
  const existing = await findUser(ctx, given).catch((thrown) => {
    if (thrown instanceof RegistryError && thrown.code === "not-found") return null;
    throw thrown;
  });
  if (existing === null) await addUser(ctx, actor, given);
  await setSiteRole(ctx, actor, given, role, true);
  return { created: existing === null };
}

function account(args: { username: string }): Whose {
  return { username: args.username, kind: "any" };
}

function presentToken({ createdAt, expiresAt, lastUsedAt, ...token }: Token) {
  const timeOf = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  return { ...token, createdAt: timeOf(createdAt), expiresAt: timeOf(expiresAt), lastUsedAt: timeOf(lastUsedAt) };
}

function presentRobot({ robot: { username: name, description, disabledAt, createdAt }, owner }: Robot) {
  const times = { createdAt: new Date(createdAt).toISOString(), disabled: disabledAt !== null };
  return { username: name, owner, description, ...times };
}

function presentTeam({ account: { username: name, description, createdAt }, joining }: Team) {
  return { name, description, joining, createdAt: new Date(createdAt).toISOString() };
}

function presentUser(user: User) {
  const { username: name, isAdmin, isSuperuser, disabledAt, createdAt } = user;
  const times = { createdAt: new Date(createdAt).toISOString(), disabled: disabledAt !== null };
  return { username: name, role: isSuperuser ? "superuser" : isAdmin ? "admin" : "user", ...times };
}
