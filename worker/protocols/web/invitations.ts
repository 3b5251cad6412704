import * as z from "zod";
import { limits } from "../../registry/limits.ts";
import {
  acceptInvitation,
  endInvitation,
  type Invitation,
  listInvitations,
  makeInvitation,
  showInvitation,
} from "../../registry/people/invitations.ts";
import { operation } from "./operation.ts";
import { timeOf } from "./present.ts";
import { presentMember } from "./team-members.ts";
import {
  invitationSchema,
  madeInvitationSchema,
  ofTeam,
  shownInvitationSchema,
  teamMemberSchema,
  teamRole,
} from "./team-schemas.ts";

const maxDays = limits.invitationMaxSeconds / 86_400;
const secretBody = z
  .object({ secret: z.string().min(1).max(limits.referenceLength).describe("What stands behind the `#` of the link.") })
  .meta({ id: "InvitationSecret" });

/** Links that bring one person into a team. */
export const invitationOperations = [
  operation(
    {
      id: "listInvitations",
      method: "get",
      path: "/api/v1/teams/{team}/invitations",
      section: "teams",
      summary: "A team's invitations that nobody has used yet, the newest first",
      actor: "user",
      params: ofTeam,
      answer: z.object({ items: z.array(invitationSchema) }).meta({ id: "Invitations" }),
    },
    async ({ ctx, actor, params }) => ({ items: (await listInvitations(ctx, actor, params.team)).map(present) }),
  ),
  operation(
    {
      id: "makeInvitation",
      method: "post",
      path: "/api/v1/teams/{team}/invitations",
      section: "teams",
      summary: "Make a link that brings one person into the team",
      about: "It ends with its first use, when its time is over, and when you are no owner of the team any more.",
      actor: "session",
      params: ofTeam,
      body: z
        .object({
          role: teamRole.default("member"),
          note: z.string().trim().max(limits.noteLength).default(""),
          days: z.int().min(1).max(maxDays).nullable().default(null).describe("Seven, unless said otherwise."),
        })
        .meta({ id: "NewInvitation" }),
      status: 201,
      answer: madeInvitationSchema,
      problems: ["limit-reached"],
    },
    async ({ ctx, actor, params, body }) => {
      const { invitation, link } = await makeInvitation(ctx, actor, params.team, body);
      return { ...present(invitation), link };
    },
  ),
  operation(
    {
      id: "endInvitation",
      method: "delete",
      path: "/api/v1/teams/{team}/invitations/{id}",
      section: "teams",
      summary: "End an invitation that nobody has used",
      actor: "user",
      params: ofTeam.extend({ id: z.string() }),
    },
    ({ ctx, actor, params }) => endInvitation(ctx, actor, params.team, params.id),
  ),
  operation(
    {
      id: "showInvitation",
      method: "post",
      path: "/api/v1/invitations/preview",
      section: "teams",
      summary: "What an invitation leads to",
      about: "Uses nothing up. The secret is sent in the body, so that it stands in no address.",
      actor: "session",
      body: secretBody,
      answer: shownInvitationSchema,
      problems: ["link-ended"],
    },
    async ({ ctx, actor, body }) => {
      const { place, expiresAt, ...shown } = await showInvitation(ctx, actor, body.secret);
      return { ...shown, expiresAt: timeOf(expiresAt), yourRole: place };
    },
  ),
  operation(
    {
      id: "acceptInvitation",
      method: "post",
      path: "/api/v1/invitations/acceptance",
      section: "teams",
      summary: "Come into a team by an invitation, which ends with that",
      actor: "session",
      body: secretBody,
      answer: z.object({ team: z.string(), member: teamMemberSchema }).meta({ id: "AcceptedInvitation" }),
      problems: ["link-ended", "already-so", "limit-reached"],
    },
    async ({ ctx, actor, body }) => {
      const { team, member } = await acceptInvitation(ctx, actor, body.secret);
      return { team, member: presentMember(member) };
    },
  ),
];

function present({ createdAt, expiresAt, ...rest }: Invitation): z.input<typeof invitationSchema> {
  return { ...rest, createdAt: timeOf(createdAt), expiresAt: timeOf(expiresAt) };
}
