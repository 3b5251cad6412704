import * as z from "zod";
import {
  joinTeam,
  listTeamMembers,
  removeTeamMember,
  setTeamMember,
  type TeamMember,
} from "../../registry/people/team-members.ts";
import { afterQuery, operation, pageSchema } from "./operation.ts";
import { presentPage, timeOf } from "./present.ts";
import { username } from "./schemas.ts";
import { ofTeam, teamMemberSchema, teamRole } from "./team-schemas.ts";

const ofMember = ofTeam.extend({ username });

/** Who is in a team. */
export const teamMemberOperations = [
  operation(
    {
      id: "listTeamMembers",
      method: "get",
      path: "/api/v1/teams/{team}/members",
      section: "teams",
      summary: "A team's people, by name",
      actor: "user",
      params: ofTeam,
      query: afterQuery,
      answer: pageSchema(teamMemberSchema).meta({ id: "TeamMemberPage" }),
    },
    async ({ ctx, actor, params, query }) =>
      presentPage(await listTeamMembers(ctx, actor, params.team, query.after ?? null), presentMember),
  ),
  operation(
    {
      id: "joinTeam",
      method: "post",
      path: "/api/v1/teams/{team}/members",
      section: "teams",
      summary: "Join an open team",
      about: "Whoever is in it already stays what they are.",
      actor: "user",
      params: ofTeam,
      answer: teamMemberSchema,
      problems: ["limit-reached"],
    },
    async ({ ctx, actor, params }) => presentMember(await joinTeam(ctx, actor, params.team)),
  ),
  operation(
    {
      id: "setTeamMember",
      method: "put",
      path: "/api/v1/teams/{team}/members/{username}",
      section: "teams",
      summary: "Say what somebody is in a team",
      about:
        "Of somebody who is in it: people come in by joining or by an invitation. Administrators may put anybody in, so that a team whose owners are gone gets one again.",
      actor: "user",
      params: ofMember,
      body: z.object({ role: teamRole }).meta({ id: "TeamMemberEdit" }),
      answer: teamMemberSchema,
      problems: ["last-owner", "limit-reached"],
    },
    async ({ ctx, actor, params, body }) =>
      presentMember(await setTeamMember(ctx, actor, params.team, params.username, body.role)),
  ),
  operation(
    {
      id: "removeTeamMember",
      method: "delete",
      path: "/api/v1/teams/{team}/members/{username}",
      section: "teams",
      summary: "Take somebody out of a team; yourself, to leave it",
      about: "Their rights through the team end at once, and so do invitations that they made.",
      actor: "user",
      params: ofMember,
      problems: ["last-owner"],
    },
    ({ ctx, actor, params }) => removeTeamMember(ctx, actor, params.team, params.username),
  ),
];

export function presentMember({ username: name, role, createdAt }: TeamMember): z.input<typeof teamMemberSchema> {
  return { username: name, role, joinedAt: timeOf(createdAt) };
}
