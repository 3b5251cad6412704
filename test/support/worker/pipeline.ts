import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { vi } from "vitest";
import { ORIGIN } from "./registry.ts";

/*
 * CI services that exist for tests of the Worker alone: whatever it asks of an issuer is answered here, and nothing
 * leaves the machine. Real ones on real sockets are in test/server/publishers.test.ts.
 */
let keys = generateKeyPair("RS256");
let kid = crypto.randomUUID();

/** All of them sign with another key from now on. */
export function rotateKeys(): void {
  keys = generateKeyPair("RS256");
  kid = crypto.randomUUID();
}

/** A token that the issuer gave to a job on the branch main of a/b, or wherever the claims say. */
export async function pipeline(issuer: string, claims: JWTPayload = {}): Promise<string> {
  await answerFor();
  const gitlab = { project_path: "a/b", project_id: "7", ref: "main", ref_type: "branch", pipeline_source: "push" };
  const github = {
    repository: "a/b",
    repository_id: "7",
    ref: "refs/heads/main",
    ref_type: "branch",
    event_name: "push",
  };
  const common = { iss: issuer, aud: ORIGIN, jti: crypto.randomUUID() };
  const payload = { ...common, ...(issuer.includes("gitlab") ? gitlab : github), ...claims };
  return await new SignJWT(payload)
    .setProtectedHeader({ alg: "RS256", kid })
    .setIssuedAt(Math.floor(Date.now() / 1000))
    .setExpirationTime(Math.floor(Date.now() / 1000) + 300)
    .sign((await keys).privateKey);
}

async function answerFor(): Promise<void> {
  const jwk = { ...(await exportJWK((await keys).publicKey)), kid, alg: "RS256", use: "sig" };
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    const { origin, pathname } = new URL(String(input));
    if (pathname === "/.well-known/openid-configuration") {
      return Response.json({ issuer: origin, jwks_uri: `${origin}/keys` });
    }
    return Response.json({ keys: [jwk] });
  });
}
