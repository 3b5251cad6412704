import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from "jose";
import { describe, RegistryError } from "../registry/errors.ts";
import { limits } from "../registry/limits.ts";
import type { Settings } from "../registry/settings.ts";
import { type CiJob, type CiService, readJob } from "./ci-claims.ts";
import { keysOf } from "./issuer-keys.ts";

/** Signatures alone: with HS256 a public key would be the secret. */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

/** A pipeline that has proved what it runs for. */
export interface ProvedJob extends CiJob {
  service: CiService;
  issuer: string;
  /** The token's own text without its signature, which has more than one spelling. */
  signed: string;
  /** When the token is not taken any more, in milliseconds since the epoch. */
  expiresAt: number;
}

type Issuers = Pick<Settings, "CI_GITHUB_ISSUERS" | "CI_GITLAB_ISSUERS">;

/**
 * Reads a token that a CI service gave to a job, and holds it against the service's keys.
 * @param audience whom it must have been asked for: this registry's origin
 * @param now milliseconds since the epoch
 * @throws `publisher-refused`, saying to the pipeline's author what is wrong with it; `provider-unavailable`
 */
export async function verifyCiToken(
  token: string,
  { issuers, audience, now }: { issuers: Issuers; audience: string; now: number },
): Promise<ProvedJob> {
  const { issuer, kid } = readUnverified(token);
  const service = serviceOf(issuers, issuer);
  const keys = createLocalJWKSet(await keysOf(issuer, kid, now));
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    audience,
    algorithms,
    currentDate: new Date(now),
    clockTolerance: limits.clockSkewSeconds,
    maxTokenAge: limits.assertionMaxSeconds,
    requiredClaims: ["exp", "iat", "aud"],
  }).catch((thrown) => {
    throw explain(thrown, audience);
  });
  ensureForUsAlone(payload, audience);
  return {
    ...readJob(service, payload),
    service,
    issuer,
    signed: token.slice(0, token.lastIndexOf(".")),
    expiresAt: endOf(payload),
  };
}

/** Who says to have signed it, and with which key. */
function readUnverified(token: string): { issuer: string; kid: string } {
  try {
    const { iss } = decodeJwt(token);
    const { kid, alg } = decodeProtectedHeader(token);
    if (typeof iss === "string" && typeof kid === "string" && algorithms.includes(alg ?? ""))
      return { issuer: iss, kid };
  } catch {
    // Falls through: whatever it is, it is no such token.
  }
  throw refused("This is no token of a CI service: it must be a signed JWT that names its issuer and key.");
}

function serviceOf({ CI_GITHUB_ISSUERS, CI_GITLAB_ISSUERS }: Issuers, issuer: string): CiService {
  if (CI_GITHUB_ISSUERS.includes(issuer)) return "GitHub";
  if (CI_GITLAB_ISSUERS.includes(issuer)) return "GitLab";
  throw refused("This registry takes no tokens of this issuer.");
}

/** One that others take too could be passed on by any of them. */
function ensureForUsAlone({ aud }: JWTPayload, audience: string): void {
  const isAlone = aud === audience || (Array.isArray(aud) && aud.length === 1);
  if (!isAlone) throw refused(`The token's audience must be ${audience} alone.`);
}

function endOf({ exp = 0, iat = 0 }: JWTPayload): number {
  return (Math.min(exp, iat + limits.assertionMaxSeconds) + limits.clockSkewSeconds) * 1000;
}

/** What jose threw, in words for the pipeline's author. What it did not expect is a key that it cannot use. */
function explain(thrown: unknown, audience: string): RegistryError {
  if (thrown instanceof errors.JWTExpired) return refused("The token has expired.");
  if (thrown instanceof errors.JWTClaimValidationFailed) {
    if (thrown.claim === "aud") return refused(`The token's audience must be ${audience}.`);
    if (thrown.claim === "nbf" || thrown.claim === "iat") return refused("The token is not valid yet, or has no time.");
    return refused(`The token's ${thrown.claim} will not do.`);
  }
  if (thrown instanceof errors.JWKSNoMatchingKey) {
    return refused(
      `The issuer has no such key. If it is a new one, try again in ${limits.keysRefreshSeconds} seconds.`,
    );
  }
  const isOurs = thrown instanceof errors.JOSEError && !(thrown instanceof errors.JOSENotSupported);
  if (isOurs) return refused("The token's signature is wrong.");
  return new RegistryError("provider-unavailable", undefined, { detail: describe(thrown), cause: thrown });
}

function refused(why: string): RegistryError {
  return new RegistryError("publisher-refused", why);
}
