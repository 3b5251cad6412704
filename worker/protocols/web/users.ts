import type { Context } from "hono";
import * as z from "zod";
import type { AppEnv } from "../../http/request-context.ts";
import { quotaOfUser } from "../../registry/people/account-quotas.ts";
import type { User, Whose } from "../../registry/people/accounts.ts";
import { deleteUser, previewUserDeletion } from "../../registry/people/delete-user.ts";
import { editUser } from "../../registry/people/edit-user.ts";
import { endCredentials } from "../../registry/people/end-credentials.ts";
import { listTokens } from "../../registry/people/tokens.ts";
import { addUser, getUser, listUsers } from "../../registry/people/users.ts";
import { afterQuery, operation, pageSchema, setETag, versionOf } from "./operation.ts";
import { presentPage } from "./present.ts";
import { presentToken, presentUser } from "./present-account.ts";
import {
  deletionSchema,
  quotaBytes,
  siteRole,
  tokenSchema,
  userDetailSchema,
  username,
  userSchema,
} from "./schemas.ts";

const named = z.object({ username });

/** People, for administrators. Of superusers and other administrators only a superuser decides. */
export const userOperations = [
  operation(
    {
      id: "listUsers",
      method: "get",
      path: "/api/v1/users",
      section: "users",
      summary: "All users, by name",
      actor: "user",
      query: afterQuery.extend({ q: username.optional().describe("What the name begins with.") }),
      answer: pageSchema(userSchema).meta({ id: "UserPage" }),
    },
    async ({ ctx, actor, query: { after, q } }) => {
      const page = await listUsers(ctx, actor, after ?? null, q === undefined ? {} : { beginning: q });
      return presentPage(page, (user) => presentUser(ctx, user));
    },
  ),
  operation(
    {
      id: "addUser",
      method: "post",
      path: "/api/v1/users",
      section: "users",
      summary: "Add a user, and the entity of the same name",
      about: "They sign in by a login link (`npm run admin -- login-link`), and link an account of theirs.",
      actor: "user",
      body: z.object({ username }).meta({ id: "NewUser" }),
      status: 201,
      answer: userDetailSchema,
      hasETag: true,
      problems: ["name-invalid", "name-reserved", "name-taken"],
    },
    async ({ c, ctx, actor, body }) => tagged(c, await addUser(ctx, actor, body.username)),
  ),
  operation(
    {
      id: "getUser",
      method: "get",
      path: "/api/v1/users/{username}",
      section: "users",
      summary: "A user",
      actor: "user",
      params: named,
      answer: userDetailSchema,
      hasETag: true,
      problems: ["not-found"],
    },
    async ({ c, ctx, actor, params }) => tagged(c, await getUser(ctx, actor, params.username)),
  ),
  operation(
    {
      id: "editUser",
      method: "patch",
      path: "/api/v1/users/{username}",
      section: "users",
      summary: "Disable a user or let them work again; say how much they may hold; give or take a role (superusers)",
      about: "Disabling ends every session, and stops every token and key at once. A changed role ends their sessions.",
      actor: "user",
      params: named,
      body: z
        .object({ isDisabled: z.boolean().optional(), role: siteRole.optional(), quotaBytes: quotaBytes.optional() })
        .meta({ id: "UserEdit" }),
      answer: userDetailSchema,
      hasETag: true,
      needsIfMatch: true,
      problems: ["session-required", "not-found", "conflict", "precondition-failed"],
    },
    async ({ c, ctx, actor, params, body, ifMatch }) =>
      tagged(c, await editUser(ctx, actor, params.username, body, versionOf(ifMatch))),
  ),
  operation(
    {
      id: "deleteUser",
      method: "delete",
      path: "/api/v1/users/{username}",
      section: "users",
      summary: "Delete a user who owns no collection any more",
      actor: "user",
      params: named,
      preview: deletionSchema,
      problems: ["session-required", "not-found", "conflict", "last-owner"],
    },
    ({ ctx, actor, params, ifMatch }) => deleteUser(ctx, actor, params.username, "person", ifMatch),
    async ({ ctx, actor, params }) => {
      const { deletion, tag } = await previewUserDeletion(ctx, actor, params.username, "person");
      return { shown: deletion, tag };
    },
  ),
  operation(
    {
      id: "listUserTokens",
      method: "get",
      path: "/api/v1/users/{username}/tokens",
      section: "users",
      summary: "A user's tokens, the newest first",
      actor: "user",
      params: named,
      query: afterQuery,
      answer: pageSchema(tokenSchema).meta({ id: "UserTokenPage" }),
      problems: ["not-found"],
    },
    async ({ ctx, actor, params, query }) =>
      presentPage(await listTokens(ctx, actor, person(params), query.after ?? null), presentToken),
  ),
  operation(
    {
      id: "endCredentials",
      method: "delete",
      path: "/api/v1/users/{username}/credentials",
      section: "users",
      summary: "End all of a user's sessions, tokens, login links, publishers and their key at once",
      actor: "user",
      params: named,
      problems: ["not-found"],
    },
    ({ ctx, actor, params }) => endCredentials(ctx, actor, person(params)),
  ),
];

function person({ username: name }: { username: string }): Whose {
  return { username: name, kind: "person" };
}

async function tagged(c: Context<AppEnv>, user: User) {
  const quota = await quotaOfUser(c.var.ctx, user);
  setETag(c, user.version);
  return { ...presentUser(c.var.ctx, user), quota };
}
