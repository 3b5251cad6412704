import * as z from "zod";
import { type Actor, scopes } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { type CollectionPath, listCollections } from "../../registry/catalog/collections.ts";
import { deleteImage } from "../../registry/catalog/delete-image.ts";
import {
  deleteCollection,
  freeName,
  giveShortName,
  setFrozen,
  setMember,
  setReadOnly,
  setVisibility,
} from "../../registry/catalog/manage.ts";
import { addTopic, listTopics, removeTopic } from "../../registry/catalog/topics.ts";
import { RegistryError } from "../../registry/errors.ts";
import { listInspections, runInspection } from "../../registry/inspect/run-inspection.ts";
import { limits } from "../../registry/limits.ts";
import { parseContainerPath, parseImageReference, parseName } from "../../registry/names.ts";
import { getQuota, setQuota } from "../../registry/people/account-quotas.ts";
import type { User, Whose } from "../../registry/people/accounts.ts";
import { deleteTeam } from "../../registry/people/delete-team.ts";
import { makeLoginLink } from "../../registry/people/login-links.ts";
import { addRobot, listRobots, type Robot } from "../../registry/people/robots.ts";
import { addKey, listKeys, resealKeys, revokeKey } from "../../registry/people/sregistry-keys.ts";
import { removeTeamMember, setTeamMember } from "../../registry/people/team-members.ts";
import { addTeamFor, listTeams, type Team } from "../../registry/people/teams.ts";
import { addToken, listTokens, revokeToken, type Token } from "../../registry/people/tokens.ts";
import {
  addUser,
  deleteUser,
  findUser,
  listUsers,
  type SiteRole,
  setDisabled,
  setSiteRole,
} from "../../registry/people/users.ts";
import { resolveImage } from "../../registry/pull/resolve.ts";
import { rebuildSearch } from "../../registry/search/rebuild-search.ts";
import { changeSetting, listSettings, resetSetting } from "../../registry/site/manage-settings.ts";
import { checkIntegrity } from "../../registry/upkeep/check-integrity.ts";
import { listAudit } from "../../registry/upkeep/list-audit.ts";
import { checkBlob, listBlobs } from "../../registry/upkeep/verify-blobs.ts";

type Verb = (ctx: Context, actor: Actor, args: unknown) => Promise<unknown>;

/** What each command takes. The command line's help is made from this; every value arrives as text or true. */
const username = z.string().max(limits.nameLength);
/** As it stands in a URI of the clients, or without its scheme. */
const reference = z
  .string()
  .max(limits.referenceLength)
  .transform((text) => parseImageReference(text.replace(/^library:\/\//, "")));
const arch = z.string().max(40).nullish();
const after = z.string().max(limits.referenceLength).nullish();
const collection = z
  .string()
  .max(limits.referenceLength)
  .transform((text, issues): CollectionPath => {
    const [entity, name, ...rest] = text.split("/");
    if (entity && name && rest.length === 0) return { entity, name };
    issues.addIssue({ code: "custom", message: "must be ENTITY/COLLECTION" });
    return z.NEVER;
  });
const container = z
  .string()
  .max(limits.referenceLength)
  .transform((text, issues) => {
    const path = parseContainerPath(text);
    if (path !== null) return path;
    issues.addIssue({ code: "custom", message: "must be ENTITY/COLLECTION/CONTAINER" });
    return z.NEVER;
  });
const topic = z.string().max(limits.referenceLength);
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
const settingName = z.string().max(limits.nameLength);
/** A day, or a moment in UTC. */
const moment = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })])
  .transform((text) => Date.parse(text))
  .optional();
const days = z.coerce.number().int().positive().max(limits.tokenMaxDays).nullish();

export const verbs: Readonly<Record<string, Verb>> = {
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
  "delete-user": verb(z.object({ username }), (ctx, actor, args) => deleteUser(ctx, actor, args.username)),
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
  "delete-robot": verb(z.object({ username }), (ctx, actor, args) => deleteUser(ctx, actor, args.username, "robot")),
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
  "list-collections": verb(z.object({ after }), async (ctx, actor, args) => {
    const { items, next } = await listCollections(ctx, actor, args.after ?? null);
    return {
      items: items.map(({ collection: { name, shortName, visibility }, entity }) => ({
        path: `${entity.name}/${name}`,
        shortName,
        visibility,
      })),
      next,
    };
  }),
  "set-visibility": verb(
    z.object({ collection, visibility: z.enum(["public", "internal", "private"]) }),
    (ctx, actor, args) => setVisibility(ctx, actor, args.collection, args.visibility),
  ),
  "set-member": verb(
    z.object({
      collection,
      username,
      role: z.enum(["owner", "contributor", "reader", "none"]),
      team: z.literal("true").nullish(),
    }),
    (ctx, actor, { collection, username, role, team }) =>
      setMember(ctx, actor, collection, username, role === "none" ? null : role, team === "true" ? "team" : "user"),
  ),
  "delete-collection": verb(z.object({ collection }), (ctx, actor, args) =>
    deleteCollection(ctx, actor, args.collection),
  ),
  "give-short-name": verb(z.object({ collection, name: z.string() }), (ctx, actor, args) =>
    giveShortName(ctx, actor, args.collection, args.name === "" ? null : parseName(args.name)),
  ),
  "free-name": verb(
    z.object({ kind: z.enum(["entity", "collection", "short-name"]), name: z.string().max(limits.referenceLength) }),
    (ctx, actor, args) => freeName(ctx, actor, args.kind, args.name),
  ),
  freeze: verb(z.object({ image: reference, arch }), (ctx, actor, args) =>
    setFrozen(ctx, actor, args.image, args.arch ?? null, true),
  ),
  thaw: verb(z.object({ image: reference, arch }), (ctx, actor, args) =>
    setFrozen(ctx, actor, args.image, args.arch ?? null, false),
  ),
  "set-read-only": verb(z.object({ container, value: z.enum(["true", "false"]) }), (ctx, actor, args) =>
    setReadOnly(ctx, actor, args.container, args.value === "true"),
  ),
  "add-topic": verb(z.object({ container, topic }), (ctx, actor, args) =>
    addTopic(ctx, actor, args.container, args.topic),
  ),
  "remove-topic": verb(z.object({ container, topic }), (ctx, actor, args) =>
    removeTopic(ctx, actor, args.container, args.topic),
  ),
  "list-topics": verb(z.object({ after }), (ctx, actor, args) => listTopics(ctx, actor, args.after ?? null)),
  "delete-image": verb(z.object({ image: reference, arch }), (ctx, actor, args) =>
    deleteImage(ctx, actor, args.image, args.arch ?? null),
  ),
  "list-blobs": verb(z.object({ after }), (ctx, actor, args) => listBlobs(ctx, actor, args.after ?? null)),
  "verify-blob": verb(z.object({ digest: z.string() }), (ctx, actor, args) => checkBlob(ctx, actor, args.digest)),
  "list-inspections": verb(z.object({ after }), (ctx, actor, args) => listInspections(ctx, actor, args.after ?? null)),
  "inspect-image": verb(z.object({ id: z.string().max(limits.referenceLength) }), (ctx, actor, args) =>
    runInspection(ctx, actor, args.id),
  ),
  "find-image": verb(z.object({ image: reference, arch }), async (ctx, actor, args) => {
    const { image } = await resolveImage(ctx, actor, "collection.see", args.image, args.arch ?? null);
    return { id: image.id, image: image.digest };
  }),
  "find-digest": verb(z.object({ image: reference, arch }), async (ctx, actor, args) => {
    const { image } = await resolveImage(ctx, actor, "collection.see", args.image, args.arch ?? null);
    return { digest: image.digest };
  }),
  "rebuild-search": verb(z.object({ after }), (ctx, actor, args) => rebuildSearch(ctx, actor, args.after ?? null)),
  "list-audit": verb(
    z.object({
      after,
      actor: z.string().max(limits.referenceLength).optional(),
      action: z.string().max(limits.referenceLength).optional(),
      target: z.string().max(limits.referenceLength).optional(),
      since: moment,
      until: moment,
    }),
    async (ctx, actor, { after: given, ...filter }) => {
      const { items, next } = await listAudit(ctx, actor, given ?? null, filter);
      return { items: items.map((entry) => ({ ...entry, at: new Date(entry.at).toISOString() })), next };
    },
  ),
  "show-settings": verb(z.object({ name: settingName.optional() }), async (ctx, actor, args) => {
    const all = await listSettings(ctx, actor);
    const items = all.filter(({ name }) => args.name === undefined || name === args.name);
    if (items.length === 0) throw new RegistryError("not-found", "There is no such setting.");
    return { items: items.map(({ name, value, source, isSet }) => ({ name, value, source, isSet })) };
  }),
  // At the command line nobody has looked first: what is there is changed, whatever it is.
  "set-setting": verb(
    z.object({ name: settingName, value: z.string().max(limits.settingLength) }),
    async (ctx, actor, args) => {
      await changeSetting(ctx, actor, { ...args, version: null });
    },
  ),
  "reset-setting": verb(z.object({ name: settingName }), async (ctx, actor, args) => {
    await resetSetting(ctx, actor, { ...args, version: null });
  }),
  "check-integrity": verb(z.object({ after }), (ctx, actor, args) => checkIntegrity(ctx, actor, args.after ?? null)),
};

/** Parses a command's arguments before it runs. @throws `body-invalid`, saying which argument is wrong and why */
function verb<Schema extends z.ZodType>(
  schema: Schema,
  run: (ctx: Context, actor: Actor, args: z.output<Schema>) => Promise<unknown>,
): Verb {
  return async (ctx, actor, args) => {
    const result = schema.safeParse(args);
    if (result.success) return await run(ctx, actor, result.data);
    const problems = result.error.issues.map(({ path, message }) => {
      const name = `--${path.join(".")}`;
      return /received undefined$/.test(message) ? `${name} is missing` : `${name}: ${message}`;
    });
    throw new RegistryError("body-invalid", problems.join("; "));
  };
}

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
