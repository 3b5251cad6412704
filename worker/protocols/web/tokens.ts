import * as z from "zod";
import { addKey, getKey, type KeyRow, revokeKey } from "../../registry/people/sregistry-keys.ts";
import { addToken, getToken, listTokens, revokeOwnToken, revokeToken } from "../../registry/people/tokens.ts";
import { afterQuery, operation, pageSchema } from "./operation.ts";
import { presentPage, timeOf, timeOrNull } from "./present.ts";
import { pathOf, presentMadeToken, presentToken } from "./present-account.ts";
import { madeTokenSchema, newTokenBody, time, tokenSchema } from "./schemas.ts";

const keySchema = z.object({ id: z.uuid(), createdAt: time, lastUsedAt: time.nullable() }).meta({ id: "SregistryKey" });

/** The credentials that one's clients use. */
export const tokenOperations = [
  operation(
    {
      id: "listTokens",
      method: "get",
      path: "/api/v1/tokens",
      section: "tokens",
      summary: "Your access tokens, the newest first",
      actor: "user",
      query: afterQuery,
      answer: pageSchema(tokenSchema).meta({ id: "TokenPage" }),
    },
    async ({ ctx, actor, query }) =>
      presentPage(await listTokens(ctx, actor, "own", query.after ?? null), presentToken),
  ),
  operation(
    {
      id: "makeToken",
      method: "post",
      path: "/api/v1/tokens",
      section: "tokens",
      summary: "Make an access token",
      actor: "session",
      body: newTokenBody,
      status: 201,
      answer: madeTokenSchema,
      problems: ["not-found", "limit-reached", "conflict"],
    },
    async ({ ctx, actor, body }) =>
      presentMadeToken(await addToken(ctx, actor, "own", { ...body, collection: pathOf(body.collection) })),
  ),
  operation(
    {
      id: "getToken",
      method: "get",
      path: "/api/v1/tokens/{id}",
      section: "tokens",
      summary: "One of your tokens",
      actor: "user",
      params: z.object({ id: z.string() }),
      answer: tokenSchema,
      problems: ["not-found"],
    },
    async ({ ctx, actor, params }) => presentToken(await getToken(ctx, actor, "own", params.id)),
  ),
  operation(
    {
      id: "revokeToken",
      method: "delete",
      path: "/api/v1/tokens/{id}",
      section: "tokens",
      summary: "End a token at once",
      about: "`current` is the token the request came with: whoever finds one can end it.",
      actor: "user",
      beforeTerms: true,
      params: z.object({ id: z.string() }),
      problems: ["not-found", "already-so"],
    },
    ({ ctx, actor, params: { id } }) =>
      id === "current" ? revokeOwnToken(ctx, actor) : revokeToken(ctx, actor, "own", { id }),
  ),
  operation(
    {
      id: "getSregistryKey",
      method: "get",
      path: "/api/v1/sregistry-key",
      section: "tokens",
      summary: "Whether you have a key for sregistry-cli, and since when",
      actor: "user",
      answer: keySchema,
      problems: ["not-found"],
    },
    async ({ ctx, actor }) => presentKey(await getKey(ctx, actor, "own")),
  ),
  operation(
    {
      id: "makeSregistryKey",
      method: "post",
      path: "/api/v1/sregistry-key",
      section: "tokens",
      summary: "Make your key for sregistry-cli; the one you had ends",
      actor: "session",
      status: 201,
      answer: z.object({ key: keySchema, secret: z.string() }).meta({ id: "MadeSregistryKey" }),
      problems: ["keys-disabled", "conflict"],
    },
    async ({ ctx, actor }) => {
      const { key: secret, ...key } = await addKey(ctx, actor, "own");
      return { key: presentKey(key), secret };
    },
  ),
  operation(
    {
      id: "revokeSregistryKey",
      method: "delete",
      path: "/api/v1/sregistry-key",
      section: "tokens",
      summary: "End your key for sregistry-cli",
      actor: "user",
      beforeTerms: true,
      problems: ["already-so"],
    },
    ({ ctx, actor }) => revokeKey(ctx, actor, "own"),
  ),
];

function presentKey({ id, createdAt, lastUsedAt }: Pick<KeyRow, "id" | "createdAt" | "lastUsedAt">) {
  return { id, createdAt: timeOf(createdAt), lastUsedAt: timeOrNull(lastUsedAt) };
}
