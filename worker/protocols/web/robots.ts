import type { Context } from "hono";
import * as z from "zod";
import type { AppEnv } from "../../http/request-context.ts";
import { limits } from "../../registry/limits.ts";
import type { Whose } from "../../registry/people/accounts.ts";
import { deleteUser, previewUserDeletion } from "../../registry/people/delete-user.ts";
import { addRobot, editRobot, getRobot, listRobots, type Robot } from "../../registry/people/robots.ts";
import { addToken, listTokens, revokeToken } from "../../registry/people/tokens.ts";
import { afterQuery, operation, pageSchema, setETag, versionOf } from "./operation.ts";
import { presentPage } from "./present.ts";
import { pathOf, presentMadeToken, presentRobot, presentToken } from "./present-account.ts";
import { deletionSchema, madeTokenSchema, newTokenBody, robotSchema, tokenSchema, username } from "./schemas.ts";

const description = z.string().max(limits.robotDescriptionLength);
const named = z.object({ username });
const tokenOfRobot = z.object({ username, id: z.string() });

/** Users who are no people: for pipelines and machines. Administrators and teams make them, and look after their own. */
export const robotOperations = [
  operation(
    {
      id: "listRobots",
      method: "get",
      path: "/api/v1/robots",
      section: "robots",
      summary: "Your robots and those of teams you own; all of them for administrators",
      actor: "user",
      query: afterQuery,
      answer: pageSchema(robotSchema).meta({ id: "RobotPage" }),
    },
    async ({ ctx, actor, query }) => presentPage(await listRobots(ctx, actor, query.after ?? null), presentRobot),
  ),
  operation(
    {
      id: "addRobot",
      method: "post",
      path: "/api/v1/robots",
      section: "robots",
      summary: "Make a robot, which is yours or a team's",
      about:
        "For administrators, and with `team` for its owners. It reaches the collections whose owners make it a member.",
      actor: "user",
      body: z
        .object({
          username,
          description: description.default(""),
          team: username.nullable().default(null).describe("The team it is to belong to; null for yourself."),
        })
        .meta({ id: "NewRobot" }),
      status: 201,
      answer: robotSchema,
      hasETag: true,
      problems: ["not-found", "name-invalid", "name-reserved", "name-taken", "limit-reached", "conflict"],
    },
    async ({ c, ctx, actor, body }) => tagged(c, await addRobot(ctx, actor, body)),
  ),
  operation(
    {
      id: "getRobot",
      method: "get",
      path: "/api/v1/robots/{username}",
      section: "robots",
      summary: "A robot",
      actor: "user",
      params: named,
      answer: robotSchema,
      hasETag: true,
      problems: ["not-found"],
    },
    async ({ c, ctx, actor, params }) => tagged(c, await getRobot(ctx, actor, params.username)),
  ),
  operation(
    {
      id: "editRobot",
      method: "patch",
      path: "/api/v1/robots/{username}",
      section: "robots",
      summary: "Describe a robot, stop it or let it work again, or give it another owner",
      actor: "user",
      params: named,
      body: z
        .object({
          description: description.optional(),
          isDisabled: z.boolean().optional(),
          owner: username.optional().describe("An administrator, or a team of yours."),
        })
        .meta({ id: "RobotEdit" }),
      answer: robotSchema,
      hasETag: true,
      needsIfMatch: true,
      problems: ["not-found", "conflict", "precondition-failed", "limit-reached"],
    },
    async ({ c, ctx, actor, params, body, ifMatch }) =>
      tagged(c, await editRobot(ctx, actor, params.username, body, versionOf(ifMatch))),
  ),
  operation(
    {
      id: "deleteRobot",
      method: "delete",
      path: "/api/v1/robots/{username}",
      section: "robots",
      summary: "Delete a robot, with its tokens and memberships",
      actor: "user",
      params: named,
      preview: deletionSchema,
      problems: ["not-found", "conflict"],
    },
    ({ ctx, actor, params, ifMatch }) => deleteUser(ctx, actor, params.username, "robot", ifMatch),
    async ({ ctx, actor, params }) => {
      const { deletion, tag } = await previewUserDeletion(ctx, actor, params.username, "robot");
      return { shown: deletion, tag };
    },
  ),
  operation(
    {
      id: "listRobotTokens",
      method: "get",
      path: "/api/v1/robots/{username}/tokens",
      section: "robots",
      summary: "A robot's tokens, the newest first",
      actor: "user",
      params: named,
      query: afterQuery,
      answer: pageSchema(tokenSchema).meta({ id: "RobotTokenPage" }),
      problems: ["not-found"],
    },
    async ({ ctx, actor, params, query }) =>
      presentPage(await listTokens(ctx, actor, robot(params), query.after ?? null), presentToken),
  ),
  operation(
    {
      id: "makeRobotToken",
      method: "post",
      path: "/api/v1/robots/{username}/tokens",
      section: "robots",
      summary: "Make a token for a robot",
      actor: "session",
      params: named,
      body: newTokenBody,
      status: 201,
      answer: madeTokenSchema,
      problems: ["not-found", "limit-reached", "conflict"],
    },
    async ({ ctx, actor, params, body }) =>
      presentMadeToken(await addToken(ctx, actor, robot(params), { ...body, collection: pathOf(body.collection) })),
  ),
  operation(
    {
      id: "revokeRobotToken",
      method: "delete",
      path: "/api/v1/robots/{username}/tokens/{id}",
      section: "robots",
      summary: "End a robot's token at once",
      actor: "user",
      params: tokenOfRobot,
      problems: ["not-found", "already-so"],
    },
    ({ ctx, actor, params }) => revokeToken(ctx, actor, robot(params), { id: params.id }),
  ),
];

function robot({ username }: { username: string }): Whose {
  return { username, kind: "robot" };
}

function tagged(c: Context<AppEnv>, found: Robot) {
  setETag(c, found.robot.version);
  return presentRobot(found);
}
