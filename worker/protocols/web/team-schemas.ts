import * as z from "zod";
import { limits } from "../../registry/limits.ts";
import { time, username } from "./schemas.ts";

/** What the JSON API says of teams, in more than one place. */

export const teamName = username.describe("The team's name, which is its entity's too.");
export const ofTeam = z.object({ team: teamName });
export const teamDescription = z.string().max(limits.descriptionLength);
export const teamRole = z.enum(["owner", "member"]).meta({
  id: "TeamRole",
  description:
    "In the collections of the team's own entities, its members are contributors and its owners are owners. Owners look after the team.",
});
export const joining = z.enum(["open", "invitation"]).meta({
  id: "Joining",
  description: "How people come into a team: `open`, whoever is signed in may join; `invitation`, by a link alone.",
});

export const teamSchema = z
  .object({
    name: z.string(),
    description: z.string(),
    joining,
    picture: z.string().nullable().describe("The path of its picture; null without one."),
    role: teamRole.nullable().describe("What you are in it; null where you are not."),
    createdAt: time,
  })
  .meta({ id: "Team" });

export const teamMemberSchema = z
  .object({ username: z.string(), role: teamRole, joinedAt: time })
  .meta({ id: "TeamMember" });

export const teamDeletionSchema = z
  .object({
    deletes: z.object({
      entities: z.array(z.string()),
      collections: z.array(z.string()),
      images: z.int(),
      tags: z.int(),
      bytes: z.int().describe("Freed when nobody else has the same content, and the last download has ended."),
      shares: z
        .int()
        .describe(
          "Links that still work: to its images, those that its robots made, and its people where it alone lets them.",
        ),
      publishers: z
        .int()
        .describe(
          "Pipelines that push to its collections, in the name of its robots, or of its people where it alone lets them.",
        ),
      uploads: z.int().describe("Pushes that are under way: to its collections, and those of its robots."),
      robots: z.array(z.string()),
      tokens: z.int().describe("Of its robots."),
      members: z.int().describe("People who are in it."),
      invitations: z.int(),
      grants: z.int().describe("Roles that it and its robots have in collections of others."),
      offers: z.int().describe("Hand-overs of its collections, or to it."),
    }),
    keeps: z.array(z.string()).describe("What stays, in sentences."),
    obstacles: z
      .array(z.string())
      .describe("What must be settled first, in sentences; empty where nothing is in the way."),
  })
  .meta({ id: "TeamDeletion", description: "What deleting a team would do." });

export const invitationSchema = z
  .object({
    id: z.uuid(),
    role: teamRole,
    note: z.string().describe("Whom it is for, to tell it from others."),
    createdBy: z.string(),
    createdAt: time,
    expiresAt: time,
  })
  .meta({ id: "Invitation", description: "A link that brings one person into a team, without its secret." });

export const madeInvitationSchema = invitationSchema
  .extend({ link: z.url().describe("The link itself. It is shown this once.") })
  .meta({ id: "MadeInvitation" });

export const shownInvitationSchema = z
  .object({
    team: z.object({ name: z.string(), description: z.string() }),
    role: teamRole,
    invitedBy: z.string(),
    expiresAt: time,
    yourRole: teamRole.nullable().describe("What you are in the team already; null where you are not in it."),
  })
  .meta({ id: "ShownInvitation", description: "What an invitation leads to, for whoever holds it." });
