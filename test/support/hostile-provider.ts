import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

/** What its token endpoint does next. */
type Answer = (response: ServerResponse) => void;

export interface HostileProvider {
  url: string;
  /** The claims of a token that would do. */
  claims: (nonce: string) => Record<string, unknown>;
  /** Signs with the key that it publishes, or with another one under the same name. */
  sign: (claims: Record<string, unknown>, key?: "published" | "other") => Promise<string>;
  /** Has the token endpoint give this id token. */
  give: (idToken: string | null) => void;
  /** Has it do anything else. */
  answer: (how: Answer) => void;
  /** What userinfo says. */
  userinfo: Record<string, unknown>;
  /** How often its token endpoint was asked. */
  asked: () => number;
  stop: () => Promise<void>;
}

export const HOSTILE_CLIENT = "the-registry";

/**
 * An OpenID Connect provider that answers whatever a test wants. Its issuer is `URL/honest`; others below it
 * describe themselves wrongly: `liar` as another issuer, `scripted` with a script for a sign-in page, `elsewhere`
 * by a redirect, `huge` without end.
 */
export async function startHostileProvider(): Promise<HostileProvider> {
  const [published, other] = [await generateKeyPair("RS256", { extractable: true }), await generateKeyPair("RS256")];
  const jwk = { ...(await exportJWK(published.publicKey)), kid: "one", alg: "RS256", use: "sig" };
  let answer: Answer = (response) => json(response, 400, { error: "invalid_grant" });
  let asked = 0;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hostile: HostileProvider = {
    url,
    claims: (nonce) => {
      const now = Math.floor(Date.now() / 1000);
      const who = { sub: "somebody", email: "somebody@institute.example", email_verified: true, name: "Somebody" };
      return { iss: `${url}/honest`, aud: HOSTILE_CLIENT, iat: now, exp: now + 300, nonce, ...who };
    },
    sign: async (claims, key = "published") =>
      await new SignJWT(claims)
        .setProtectedHeader({ alg: "RS256", kid: "one" })
        .sign((key === "published" ? published : other).privateKey),
    give: (idToken) => {
      const said = { access_token: "an-access-token", token_type: "Bearer", expires_in: 60 };
      answer = (response) => json(response, 200, idToken === null ? said : { ...said, id_token: idToken });
    },
    answer: (how) => {
      answer = how;
    },
    userinfo: {},
    asked: () => asked,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const documents = new Map(Object.entries(discoveryDocuments(url)));
  server.on("request", (request, response) => {
    const path = (request.url ?? "").replace(/\?.*/, "");
    const document = documents.get(path.replace("/.well-known/openid-configuration", ""));
    if (document !== undefined) return json(response, 200, document);
    if (path.startsWith("/elsewhere/")) return redirect(response, `${url}/honest/.well-known/openid-configuration`);
    if (path === "/jwks") return json(response, 200, { keys: [jwk] });
    if (path === "/userinfo") return json(response, 200, hostile.userinfo);
    if (path !== "/token") return json(response, 404, {});
    asked++;
    return answer(response);
  });
  return hostile;
}

/** By the path of their issuer. */
function discoveryDocuments(url: string): Record<string, Record<string, unknown>> {
  const describe = (name: string, changes: Record<string, unknown> = {}) => ({
    issuer: `${url}/${name}`,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    userinfo_endpoint: `${url}/userinfo`,
    jwks_uri: `${url}/jwks`,
    response_types_supported: ["code"],
    // It would take what nobody should.
    id_token_signing_alg_values_supported: ["RS256", "HS256", "none"],
    ...changes,
  });
  return {
    "/honest": describe("honest"),
    "/liar": describe("honest"),
    "/scripted": describe("scripted", { authorization_endpoint: "javascript:1" }),
    "/huge": describe("huge", { padding: "x".repeat(300 * 1024) }),
  };
}

export function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
}

export function redirect(response: ServerResponse, location: string): void {
  response.writeHead(307, { Location: location }).end();
}
