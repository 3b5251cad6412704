import type { Context } from "hono";
import * as z from "zod";
import { readBytes } from "../../http/body.ts";
import type { AppEnv } from "../../http/request-context.ts";
import { limits } from "../../registry/limits.ts";
import { deleteTeam, previewTeamDeletion } from "../../registry/people/delete-team.ts";
import {
  getTeamPicture,
  removeTeamPicture,
  setTeamPicture,
  teamForPicture,
} from "../../registry/people/team-picture.ts";
import { addTeam, editTeam, getTeam, listTeams, type Team } from "../../registry/people/teams.ts";
import { afterQuery, operation, pageSchema, setETag, versionOf } from "./operation.ts";
import { presentPage, timeOf } from "./present.ts";
import { username } from "./schemas.ts";
import { joining, ofTeam, teamDeletionSchema, teamDescription, teamName, teamSchema } from "./team-schemas.ts";

const pictureTypes = ["image/png", "image/jpeg", "image/webp"] as const;

/** Teams themselves. */
export const teamOperations = [
  operation(
    {
      id: "listTeams",
      method: "get",
      path: "/api/v1/teams",
      section: "teams",
      summary: "All teams, by name",
      actor: "user",
      query: afterQuery.extend({
        q: username.optional().describe("What the name begins with."),
        mine: z.literal("1").optional().describe("Only those that you are in."),
      }),
      answer: pageSchema(teamSchema).meta({ id: "TeamPage" }),
      problems: ["not-found"],
    },
    async ({ ctx, actor, query: { after, q, mine } }) => {
      const options = { isMine: mine === "1", ...(q === undefined ? {} : { beginning: q }) };
      return presentPage(await listTeams(ctx, actor, after ?? null, options), presentTeam);
    },
  ),
  operation(
    {
      id: "addTeam",
      method: "post",
      path: "/api/v1/teams",
      section: "teams",
      summary: "Make a team, whose owner you are, and its entity",
      actor: "user",
      body: z
        .object({ name: teamName, description: teamDescription.default(""), joining: joining.default("invitation") })
        .meta({ id: "NewTeam" }),
      status: 201,
      answer: teamSchema,
      hasETag: true,
      problems: ["name-invalid", "name-reserved", "name-taken", "limit-reached", "collections-disabled"],
    },
    async ({ c, ctx, actor, body }) => tagged(c, await addTeam(ctx, actor, body)),
  ),
  operation(
    {
      id: "getTeam",
      method: "get",
      path: "/api/v1/teams/{team}",
      section: "teams",
      summary: "A team",
      actor: "user",
      params: ofTeam,
      answer: teamSchema,
      hasETag: true,
    },
    async ({ c, ctx, actor, params }) => tagged(c, await getTeam(ctx, actor, params.team)),
  ),
  operation(
    {
      id: "editTeam",
      method: "patch",
      path: "/api/v1/teams/{team}",
      section: "teams",
      summary: "Describe a team, or say how people come into it",
      actor: "user",
      params: ofTeam,
      body: z.object({ description: teamDescription.optional(), joining: joining.optional() }).meta({ id: "TeamEdit" }),
      answer: teamSchema,
      hasETag: true,
      needsIfMatch: true,
    },
    async ({ c, ctx, actor, params, body, ifMatch }) =>
      tagged(c, await editTeam(ctx, actor, params.team, body, versionOf(ifMatch))),
  ),
  operation(
    {
      id: "deleteTeam",
      method: "delete",
      path: "/api/v1/teams/{team}",
      section: "teams",
      summary: "Delete a team, with its collections and robots",
      about: "For its owners, and administrators.",
      actor: "user",
      params: ofTeam,
      preview: teamDeletionSchema,
      problems: ["frozen"],
    },
    ({ ctx, actor, params, ifMatch }) => deleteTeam(ctx, actor, params.team, ifMatch),
    async ({ ctx, actor, params }) => {
      const { deletion, tag } = await previewTeamDeletion(ctx, actor, params.team);
      return { shown: deletion, tag };
    },
  ),
  operation(
    {
      id: "getTeamPicture",
      method: "get",
      path: "/api/v1/teams/{team}/picture",
      section: "teams",
      summary: "A team's picture",
      actor: "user",
      params: ofTeam,
      gives: pictureTypes,
      hasETag: true,
    },
    async ({ c, ctx, actor, params }) => {
      const { tag, type, open } = await getTeamPicture(ctx, actor, params.team);
      const etag = `"${tag}"`;
      // A browser asks each time, and is told that it has it already. Somebody put the file there: it is only ever shown.
      const headers = {
        ETag: etag,
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
      };
      const has = (c.req.header("if-none-match") ?? "")
        .split(",")
        .some((one) => one.trim().replace(/^W\//, "") === etag);
      if (has) return new Response(null, { status: 304, headers });
      return new Response(await open(), { headers: { ...headers, "Content-Type": type } });
    },
  ),
  operation(
    {
      id: "setTeamPicture",
      method: "put",
      path: "/api/v1/teams/{team}/picture",
      section: "teams",
      summary: "Give a team a picture",
      about: "The body is the file. What it is, its first bytes say.",
      actor: "user",
      params: ofTeam,
      takes: pictureTypes,
      problems: ["picture-invalid"],
    },
    async ({ c, ctx, actor, params }) => {
      const team = await teamForPicture(ctx, actor, params.team);
      await setTeamPicture(ctx, actor, team, await readBytes(c.req.raw, limits.pictureBytes));
    },
  ),
  operation(
    {
      id: "removeTeamPicture",
      method: "delete",
      path: "/api/v1/teams/{team}/picture",
      section: "teams",
      summary: "Take a team's picture away",
      actor: "user",
      params: ofTeam,
    },
    ({ ctx, actor, params }) => removeTeamPicture(ctx, actor, params.team),
  ),
];

function tagged(c: Context<AppEnv>, team: Team): z.input<typeof teamSchema> {
  setETag(c, team.account.version);
  return presentTeam(team);
}

function presentTeam({ account, joining: how, picture, place }: Team): z.input<typeof teamSchema> {
  const { username: name, description, createdAt } = account;
  return {
    name,
    description,
    joining: how,
    picture: picture === null ? null : `/api/v1/teams/${name}/picture`,
    role: place,
    createdAt: timeOf(createdAt),
  };
}
