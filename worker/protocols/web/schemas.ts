import * as z from "zod";
import { scopes } from "../../access/roles.ts";
import { limits } from "../../registry/limits.ts";

/** What the JSON API says, and is told, in more than one place. */

export const time = z.iso
  .datetime()
  .meta({ id: "Time", description: "A moment in UTC, such as `2026-11-25T04:10:00.000Z`." });
export const username = z.string().min(1).max(limits.nameLength);
export const scope = z.enum(scopes as ["pull", "push", "manage"]).meta({
  id: "Scope",
  description: "`pull` reads images, `push` adds images and tags, `manage` changes and deletes.",
});
export const siteRole = z.enum(["user", "admin", "superuser"]).meta({
  id: "SiteRole",
  description: "What somebody is on the whole registry. Each may do what those before it may.",
});
export const collectionPath = z
  .string()
  .max(limits.referenceLength)
  .regex(/^[^/]+\/[^/]+$/)
  .describe("`ENTITY/COLLECTION`");
export const expiresInDays = z.int().min(1).max(limits.tokenMaxDays);

/** A number that an administrator gives. */
export const quotaBytes = z
  .int()
  .min(0)
  .nullable()
  .describe("How many bytes; null for what `USER_QUOTA_BYTES` or `TEAM_QUOTA_BYTES` says.");

export const quotaSchema = z
  .object({
    usedBytes: z.int().describe("Of the images there are. One counts once in each collection that has it."),
    reservedBytes: z.int().describe("Of images on their way."),
    quotaBytes: z.int().nullable().describe("How much there may be in all; null for any number."),
  })
  .meta({ id: "Quota" });

export const accountQuotaSchema = z
  .object({
    account: z.string(),
    isTeam: z.boolean(),
    isOwnNumber: z.boolean().describe("Whether an administrator gave it; else it is what the settings say for all."),
    quota: quotaSchema,
  })
  .meta({ id: "AccountQuota" });

/** An address to go on with after signing in: a path of this registry. */
export const next = z
  .string()
  .max(1024)
  .regex(/^\/(?![/\\])/)
  .describe("A path of this registry to go on with.");

export const tokenSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    hint: z.string().describe("Its last characters, to tell it from others."),
    scopes: z.array(scope),
    collection: z
      .string()
      .nullable()
      .describe("The one collection it is good for; null for all. `deleted` for one that is gone."),
    createdAt: time,
    expiresAt: time.nullable(),
    lastUsedAt: time.nullable().describe("To the hour."),
    state: z.enum(["active", "expired", "revoked"]),
    publisher: z
      .string()
      .nullable()
      .describe("The pipeline it was given to, as `REPOSITORY branch|tag REF`; null for one made by a person."),
  })
  .meta({ id: "Token", description: "An access token, without what could be used as one." });

export const newTokenBody = z
  .object({
    name: z.string().trim().min(1).max(limits.tokenNameLength),
    scopes: z.array(scope).min(1),
    collection: collectionPath.nullable().default(null),
    expiresInDays: expiresInDays.nullable().default(null),
  })
  .meta({ id: "NewToken" });

export const madeTokenSchema = z
  .object({ token: tokenSchema, secret: z.string().describe("The token itself. It is shown this once.") })
  .meta({ id: "MadeToken" });

export const userSchema = z
  .object({
    username: z.string(),
    role: siteRole,
    isDisabled: z.boolean(),
    createdAt: time,
    isAdminByClaim: z.boolean().describe("Whether the role comes from a claim of an identity provider."),
  })
  .meta({ id: "User" });

export const userDetailSchema = userSchema.extend({ quota: quotaSchema }).meta({ id: "UserDetail" });

export const robotSchema = z
  .object({
    username: z.string(),
    description: z.string(),
    owner: z.string().nullable().describe("The user or team that looks after it; null when they are gone."),
    isDisabled: z.boolean(),
    createdAt: time,
  })
  .meta({ id: "Robot", description: "A user who is no person: it holds tokens, and never signs in." });

export const termsState = z.object({
  required: z.string().nullable().describe("The version one must have agreed to; null where there are none."),
  agreed: z.string().nullable(),
  agreedAt: time.nullable(),
});

export const meSchema = z
  .object({
    username: z.string(),
    role: siteRole,
    isRobot: z.boolean(),
    entity: z
      .string()
      .nullable()
      .describe("Where one's own collections are; a robot has none. Not told to a token for one collection."),
    createdAt: time,
    quota: quotaSchema
      .nullable()
      .describe(
        "Of one's own collections. A robot has none, and so holds nothing. Null to a token for one collection.",
      ),
    terms: termsState,
    credential: z.object({
      kind: z.enum(["session", "token"]),
      id: z.string(),
      scopes: z.array(scope),
      isNarrowed: z.boolean().describe("Whether it is good for one collection alone."),
    }),
  })
  .meta({ id: "Me" });

export const sessionSchema = z
  .object({
    id: z.uuid(),
    isCurrent: z.boolean(),
    signedInWith: z.string().describe("A provider's id, or `login-link`."),
    userAgent: z.string(),
    createdAt: time,
    lastUsedAt: time.describe("To the hour."),
    expiresAt: time,
  })
  .meta({ id: "Session" });

export const identitySchema = z
  .object({
    id: z.uuid(),
    provider: z.object({ id: z.string(), name: z.string() }),
    issuer: z.string(),
    subject: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    isEmailVerified: z.boolean(),
    createdAt: time,
    lastUsedAt: time,
  })
  .meta({ id: "Identity", description: "An account elsewhere that one signs in with." });

export const redirectSchema = z
  .object({ url: z.url().describe("Where the browser goes next: the identity provider.") })
  .meta({ id: "SignIn" });

export const registrationSchema = z
  .object({
    provider: z.object({ id: z.string(), name: z.string() }),
    name: z.string(),
    email: z.string().nullable(),
    suggestedUsername: z.string().describe("A name that is free; empty where none came to mind."),
    terms: z.string().nullable().describe("The version of the terms to agree to; null where there are none."),
  })
  .meta({ id: "Registration", description: "Somebody who has signed in for the first time and has no name here yet." });

export const settingSchema = z
  .object({
    name: z.string(),
    group: z.enum(["site", "policy", "sign-in", "network", "secrets"]),
    allowed: z.string().describe("What may be set."),
    meaning: z.string(),
    default: z.string(),
    value: z
      .string()
      .nullable()
      .describe("The value that counts, as it is written; null where it is unset, or a secret."),
    isSet: z.boolean().describe("Whether it is something else than the default. All that is told of a secret."),
    source: z.enum(["environment", "database", "default"]),
    isEditable: z.boolean().describe("Whether it can be changed here: the environment locks what it says."),
    updatedBy: z.string().nullable(),
    updatedAt: time.nullable(),
  })
  .meta({ id: "Setting" });

export const auditEntrySchema = z
  .object({
    id: z.int(),
    at: time,
    actor: z.string(),
    credential: z.string().nullable(),
    action: z.string(),
    target: z.string(),
    detail: z.record(z.string(), z.unknown()).nullable(),
    requestId: z.string(),
    address: z.string().nullable().describe("A keyed hash of the network address: equal ones were the same."),
  })
  .meta({ id: "AuditEntry" });

export const publisherSchema = z
  .object({
    id: z.uuid(),
    issuer: z.url(),
    repository: z.string(),
    refKind: z.enum(["branch", "tag"]),
    ref: z.string(),
    repositoryId: z.string().nullable().describe("The issuer's id of the repository, kept from its first token."),
    createdBy: z.string(),
    createdAt: time,
    lastUsedAt: time.nullable(),
  })
  .meta({ id: "Publisher", description: "A pipeline that may push to a collection without a stored secret." });

export const newPublisherBody = z
  .object({
    issuer: z.url().max(limits.publisherRefLength),
    repository: z.string().min(3).max(limits.publisherRefLength),
    refKind: z.enum(["branch", "tag"]),
    ref: z.string().min(1).max(limits.publisherRefLength).describe("Its name; a `*` stands for any characters."),
  })
  .meta({ id: "NewPublisher" });

export const visibility = z.enum(["public", "internal", "private"]).meta({
  id: "Visibility",
  description: "Who sees it: everybody, whoever is signed in, or its people alone.",
});
export const collectionRole = z.enum(["owner", "contributor", "reader"]).meta({
  id: "CollectionRole",
  description:
    "A reader pulls, a contributor pushes too, an owner may do everything. Each may do what those before it may.",
});
export const description = z.string().max(limits.descriptionLength).describe("Markdown.");
export const accountSchema = z
  .object({ name: z.string(), kind: z.enum(["user", "team"]) })
  .meta({ id: "Account", description: "Somebody who can own things: a user or a team." });

export const brokenFields = {
  breaks: z
    .array(z.string())
    .describe(`References that would lead nowhere, without their tags: the first ${limits.pageSize}.`),
  shortName: z.string().nullable().describe("The short name, by which references go on; null where it has none."),
};

export const deletionSchema = z
  .object({
    deletes: z.object({
      entities: z.array(z.string()).describe("Entities that nobody gets."),
      collections: z.array(z.string()),
      images: z.int(),
      tags: z.int(),
      bytes: z.int().describe("Freed when nobody else has the same content, and the last download has ended."),
      tokens: z.int(),
      sessions: z.int(),
      identities: z.int(),
      hasSregistryKey: z.boolean(),
      memberships: z.int().describe("In collections of others."),
      teams: z.int().describe("Places in teams."),
      invitations: z.int().describe("Links into teams that were made and not used."),
      publishers: z.int().describe("Pipelines that push in the account's name, wherever, or to what is deleted."),
      shares: z.int().describe("Share links that work: the account's, wherever, and those to images that are deleted."),
      offers: z.int().describe("Hand-overs that the account offers, or is offered."),
      stars: z.int(),
      uploads: z.int().describe("Pushes that are under way: the account's, wherever, and those to what is deleted."),
    }),
    handsOver: z.array(z.object({ what: z.string(), to: z.string() })),
    keeps: z.array(z.string()).describe("What stays, in sentences."),
    obstacles: z
      .array(z.string())
      .describe("What must be settled first, in sentences; empty where nothing is in the way."),
  })
  .meta({ id: "Deletion", description: "What deleting an account would do." });

export const problemSchema = z
  .object({
    type: z.string().describe("An address that says more of the code."),
    title: z.string().describe("What is wrong, for everything with this code."),
    status: z.int(),
    detail: z.string().describe("What is wrong here."),
    code: z.string(),
    help: z.string().describe("The way out."),
    requestId: z.string().describe("Names the request in the registry's log."),
  })
  .meta({ id: "Problem", description: "RFC 9457 problem details." });
