import * as z from "zod";
import { usualStatus } from "../../http/respond.ts";
import { errorHelp } from "../../registry/error-help.ts";
import { errorCodes, errorMessages, RegistryError } from "../../registry/errors.ts";
import { limits } from "../../registry/limits.ts";
import { waysToSignIn } from "../../registry/people/attempts.ts";
import { version } from "../../version.ts";
import { apiDocument } from "./api-docs.ts";
import { operation } from "./operation.ts";

const siteSchema = z
  .object({
    name: z.string(),
    uri: z.string().describe("A short id, and the remote's name in the lines to paste."),
    contactEmail: z.string().nullable(),
    institutionUrl: z.url().nullable(),
    analyticsId: z.string().nullable(),
    origin: z.url(),
    version: z.string(),
    signIn: z.object({
      obstacle: z
        .enum(["https-required", "no-providers"])
        .nullable()
        .describe("Why nobody can sign in by a provider; null where they can."),
      providers: z.array(z.object({ id: z.string(), name: z.string() })),
    }),
    termsVersion: z.string().nullable(),
    policies: z.object({
      usersCreateCollections: z.boolean(),
      collectionsPerUser: z.int().nullable(),
      isPrivateOnly: z.boolean(),
      isPrivateByDefault: z.boolean(),
      isPushingDisabled: z.boolean(),
      isAuthRequired: z.boolean(),
    }),
    limits: z.object({ imageBytes: z.int(), requestBytes: z.int().nullable(), tokenDays: z.int() }),
  })
  .meta({ id: "Site" });

/** What anybody may know of the registry. */
export const siteOperations = [
  operation(
    {
      id: "getSite",
      method: "get",
      path: "/api/v1/site",
      section: "site",
      summary: "What the registry says of itself: name, ways to sign in, policies, limits",
      actor: "none",
      answer: siteSchema,
    },
    ({ c, ctx }) => {
      const { settings, origin } = ctx;
      c.header("Cache-Control", "public, max-age=60");
      return {
        name: settings.REGISTRY_NAME,
        uri: settings.REGISTRY_URI,
        contactEmail: settings.HELP_CONTACT_EMAIL === "" ? null : settings.HELP_CONTACT_EMAIL,
        institutionUrl: settings.HELP_INSTITUTION_SITE,
        analyticsId: settings.GOOGLE_ANALYTICS === "" ? null : settings.GOOGLE_ANALYTICS,
        origin: origin(),
        version,
        signIn: waysToSignIn(ctx),
        termsVersion: settings.TERMS_VERSION === "" ? null : settings.TERMS_VERSION,
        policies: {
          usersCreateCollections: settings.USER_COLLECTIONS,
          collectionsPerUser: settings.USER_COLLECTION_LIMIT,
          isPrivateOnly: settings.PRIVATE_ONLY,
          isPrivateByDefault: settings.DEFAULT_PRIVATE,
          isPushingDisabled: settings.DISABLE_BUILDING,
          isAuthRequired: settings.API_REQUIRE_AUTH,
        },
        limits: {
          imageBytes: settings.MAX_IMAGE_BYTES,
          requestBytes: settings.MAX_REQUEST_BYTES,
          tokenDays: limits.tokenMaxDays,
        },
      };
    },
  ),
  operation(
    {
      id: "getTerms",
      method: "get",
      path: "/api/v1/terms",
      section: "site",
      summary: "The terms of use",
      actor: "none",
      answer: z.object({ version: z.string(), text: z.string() }).meta({ id: "Terms" }),
      problems: ["not-found"],
    },
    ({ ctx }) => {
      const { TERMS, TERMS_VERSION } = ctx.settings;
      if (TERMS_VERSION === "") throw new RegistryError("not-found", "This registry has no terms of use.");
      return { version: TERMS_VERSION, text: TERMS };
    },
  ),
  operation(
    {
      id: "getError",
      method: "get",
      path: "/api/v1/errors/{code}",
      section: "site",
      summary: "What an error code means, and the way out",
      actor: "none",
      params: z.object({ code: z.enum(errorCodes) }),
      answer: z
        .object({ code: z.string(), title: z.string(), status: z.int(), help: z.string() })
        .meta({ id: "ErrorCode" }),
      problems: ["not-found"],
    },
    ({ c, params: { code } }) => {
      c.header("Cache-Control", `public, max-age=${limits.discoveryCacheSeconds}`);
      return { code, title: errorMessages[code], status: usualStatus[code], help: errorHelp[code] };
    },
  ),
  operation(
    {
      id: "getDocument",
      method: "get",
      path: "/api/v1/openapi.json",
      section: "site",
      summary: "This document: OpenAPI 3.1",
      about: "Its ETag goes into `If-None-Match`: while nothing has changed the answer is 304, without a body.",
      actor: "none",
      answer: z.record(z.string(), z.unknown()),
      hasETag: true,
    },
    ({ c }) => apiDocument(c),
  ),
];
