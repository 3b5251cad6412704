import * as z from "zod";
import { setSealedCookie } from "../../http/session-cookie.ts";
import { limits } from "../../registry/limits.ts";
import { beginLink, type Identity, listIdentities, unlinkIdentity } from "../../registry/people/identities.ts";
import { operation } from "./operation.ts";
import { timeOf } from "./present.ts";
import { identitySchema, next, redirectSchema } from "./schemas.ts";

/** The accounts elsewhere that one signs in with. */
export const identityOperations = [
  operation(
    {
      id: "listIdentities",
      method: "get",
      path: "/api/v1/identities",
      section: "identities",
      summary: "The accounts you sign in with",
      actor: "user",
      answer: z.object({ items: z.array(identitySchema) }).meta({ id: "Identities" }),
    },
    async ({ ctx, actor }) => ({ items: (await listIdentities(ctx, actor)).map(presentIdentity) }),
  ),
  operation(
    {
      id: "beginLink",
      method: "post",
      path: "/api/v1/identities",
      section: "identities",
      summary: "Begin to link another account",
      about: "The browser goes to the address in the answer, and comes back with that account linked.",
      actor: "session",
      body: z.object({ provider: z.string().max(64), next: next.default("/account") }).meta({ id: "NewLink" }),
      status: 201,
      answer: redirectSchema,
      problems: ["https-required", "not-found", "provider-unavailable", "limit-reached", "rate-limited"],
    },
    async ({ c, ctx, actor, body }) => {
      const { url, sealed } = await beginLink(ctx, actor, body);
      setSealedCookie(c, "sign-in", sealed, limits.signInSeconds);
      return { url };
    },
  ),
  operation(
    {
      id: "unlinkIdentity",
      method: "delete",
      path: "/api/v1/identities/{id}",
      section: "identities",
      summary: "Unlink an account",
      actor: "session",
      params: z.object({ id: z.string() }),
      problems: ["not-found", "last-identity", "conflict"],
    },
    async ({ ctx, actor, params }) => await unlinkIdentity(ctx, actor, params.id),
  ),
];

function presentIdentity({ identity, providerName }: { identity: Identity; providerName: string }) {
  const { id, provider, issuer, subject, name, email, emailVerified, createdAt, lastUsedAt } = identity;
  return {
    id,
    provider: { id: provider, name: providerName },
    issuer,
    subject,
    name,
    email,
    isEmailVerified: emailVerified,
    createdAt: timeOf(createdAt),
    lastUsedAt: timeOf(lastUsedAt),
  };
}
