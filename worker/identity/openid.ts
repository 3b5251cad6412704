import * as o from "oauth4webapi";
import * as z from "zod";
import type { Provider } from "../registry/providers.ts";
import type { Account, Attempt } from "./account.ts";
import { requestOptions } from "./client.ts";

interface Exchange {
  server: o.AuthorizationServer;
  client: o.Client;
  /** The token endpoint's answer, unread. */
  response: Response;
  attempt: Attempt;
}

type Claims = Readonly<Record<string, unknown>>;

/**
 * Whom an OpenID Connect provider's tokens are about. What it leaves out of the id token it is asked for once more.
 * @throws whatever oauth4webapi finds wrong
 */
export async function openIdAccount(provider: Provider, exchange: Exchange): Promise<Account> {
  const { server, client, response, attempt } = exchange;
  const options = requestOptions(provider);
  const tokens = await o.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: attempt.nonce,
    requireIdToken: true,
  });
  // The signature as well: then neither a proxy nor a mistake in how TLS is ended can speak for the provider.
  await o.validateApplicationLevelSignature(server, response, options);
  const claims = o.getValidatedIdTokenClaims(tokens);
  if (claims === undefined) throw new Error("the answer has no id token");
  const { sub } = claims;
  if (sub.trim() === "" || sub.length > 255) throw new Error("the subject is empty, or longer than it may be");
  let information: Claims = {};
  if (needsMore(provider, claims) && server.userinfo_endpoint !== undefined) {
    const answer = await o.userInfoRequest(server, client, tokens.access_token, options);
    information = await o.processUserInfoResponse(server, client, claims.sub, answer);
  }
  return toAccount(provider, server.issuer, claims, information);
}

function needsMore({ groupsClaim, organizationsClaim, admit, admins }: Provider, claims: Claims): boolean {
  const rules = [...(typeof admit === "string" ? [] : admit), ...admins];
  const isMissing = (kind: string, claim: string | null) =>
    claim !== null && !(claim in claims) && rules.some((rule) => rule.kind === kind);
  return (
    !("email" in claims) ||
    !("name" in claims || "preferred_username" in claims) ||
    isMissing("group", groupsClaim) ||
    isMissing("organization", organizationsClaim)
  );
}

const text = z.string().catch("");
const texts = z.union([z.array(z.string()), z.string().transform((one) => [one])]).catch([]);

function toAccount(
  { groupsClaim, organizationsClaim }: Provider,
  issuer: string,
  claims: Claims & { sub: string },
  information: Claims,
): Account {
  const either = (name: string) => text.parse(claims[name]) || text.parse(information[name]);
  const listed = (name: string | null) => (name === null ? [] : texts.parse(claims[name] ?? information[name]));
  // Address and verification go together: one must not vouch for the other's.
  const source = text.parse(claims.email) === "" ? information : claims;
  const email = text.parse(source.email);
  return {
    issuer,
    subject: claims.sub,
    name: either("name") || either("preferred_username") || either("nickname"),
    email: email === "" ? null : email,
    // Some write it as a text.
    emailVerified: email !== "" && (source.email_verified === true || source.email_verified === "true"),
    suggestedName: either("preferred_username") || either("nickname") || email.split("@")[0] || either("name"),
    groups: listed(groupsClaim),
    organizations: listed(organizationsClaim),
  };
}
