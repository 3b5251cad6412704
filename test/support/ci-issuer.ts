import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from "jose";

/** Undefined leaves one out. */
export type Claims = Record<string, unknown>;

/** A CI service on loopback that gives its jobs OIDC tokens, as GitHub Actions and GitLab CI do. */
export interface CiIssuer {
  /** What its tokens name, and where it says which keys it signs with. */
  url: string;
  /** A token with these claims, signed with the service's key. Times are those of a token made now unless they say otherwise. */
  sign: (claims: Claims, header?: Partial<JWTHeaderParameters>, key?: CryptoKey | Uint8Array) => Promise<string>;
  /** Signs with another key from now on. */
  rotate: () => Promise<void>;
  /** The public key, as it is published. */
  publicJwk: () => JWK;
  /** Answers a path in another way from now on. */
  answer: (path: string, how: (response: ServerResponse) => void) => void;
  /** Paths that were asked for, in their order. */
  asked: string[];
  /** The claims that its jobs' tokens have, for `GET /job-token?audience=…` with the bearer `job`, as GitHub's runners ask. */
  job: Claims;
  stop: () => Promise<void>;
}

export const DISCOVERY = "/.well-known/openid-configuration";
export const KEYS = "/keys";

export async function startCiIssuer(): Promise<CiIssuer> {
  let current = await newKey();
  const answers = new Map<string, (response: ServerResponse) => void>();
  const json = (response: ServerResponse, body: unknown) =>
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", url);
    issuer.asked.push(pathname);
    const special = answers.get(pathname);
    if (special !== undefined) return special(response);
    if (pathname === DISCOVERY) return json(response, { issuer: url, jwks_uri: `${url}${KEYS}` });
    if (pathname === KEYS) return json(response, { keys: [current.jwk] });
    if (pathname === "/job-token" && isJob(request)) {
      return void issuer
        .sign({ ...issuer.job, aud: searchParams.get("audience") ?? "" })
        .then((value) => json(response, { value }));
    }
    return response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  const issuer: CiIssuer = {
    url,
    asked: [],
    job: {},
    sign: async (claims, header = {}, key = current.privateKey) => {
      const now = Math.floor(Date.now() / 1000);
      const usual = { iss: url, iat: now, nbf: now - 60, exp: now + 300, jti: crypto.randomUUID() };
      return await new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg: "RS256", kid: current.kid, typ: "JWT", ...header })
        .sign(key);
    },
    rotate: async () => {
      current = await newKey();
    },
    publicJwk: () => current.jwk,
    answer: (path, how) => answers.set(path, how),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return issuer;
}

function isJob(request: IncomingMessage): boolean {
  return request.headers.authorization === "Bearer job";
}

async function newKey() {
  const kid = crypto.randomUUID();
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" } };
}
