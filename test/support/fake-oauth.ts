import { createHash } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "./hostile-provider.ts";

/** Who is signed in at the fake, as each API tells it. */
export interface FakeOAuth {
  url: string;
  /** What an API answers by path, such as `/api/v3/user`. */
  api: Map<string, unknown>;
  /** Asks that came with a token, with their query. */
  asked: string[];
  /** The scopes the last browser was sent with. */
  scopes: () => string[];
  stop: () => Promise<void>;
}

interface Code {
  challenge: string;
  redirectUri: string;
}

/**
 * A provider that speaks OAuth 2 without OpenID Connect, at the addresses of GitHub (and Enterprise), Bitbucket and
 * X. Whoever comes is signed in at once. It is strict about what a client must prove: id, secret, redirect address,
 * PKCE, and that a code is used once.
 */
export async function startFakeOAuth(clientId: string, clientSecret: string): Promise<FakeOAuth> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const state: State = { clientId, clientSecret, codes: new Map(), scopes: [] };
  const fake: FakeOAuth = {
    url,
    api: new Map(),
    asked: [],
    scopes: () => state.scopes,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on("request", async (request, response) => {
    const { pathname, searchParams, search } = new URL(request.url ?? "/", url);
    if (/\/(?:login\/oauth|site\/oauth2|i\/oauth2)\/authorize$/.test(pathname)) {
      const location = authorize(state, searchParams);
      // GitHub says who answers since 2026; the others do not.
      const issuer = pathname.startsWith("/login/oauth") ? `http://${request.headers.host}/login/oauth` : null;
      if (issuer !== null) location.searchParams.set("iss", issuer);
      return response.writeHead(302, { Location: location.href }).end();
    }
    if (/\/(?:login\/oauth\/access_token|site\/oauth2\/access_token|oauth2\/token)$/.test(pathname)) {
      return json(response, 200, exchange(state, request.headers.authorization, await read(request)));
    }
    if (request.headers.authorization !== "Bearer fake-token") return json(response, 401, {});
    fake.asked.push(`${pathname}${search}`);
    const answer = fake.api.get(pathname);
    return answer === undefined ? json(response, 404, {}) : json(response, 200, answer);
  });
  return fake;
}

interface State {
  clientId: string;
  clientSecret: string;
  codes: Map<string, Code>;
  scopes: string[];
}

function authorize(state: State, query: URLSearchParams): URL {
  const ask = (name: string) => query.get(name) ?? "";
  const code = crypto.randomUUID();
  state.codes.set(code, { challenge: ask("code_challenge"), redirectUri: ask("redirect_uri") });
  state.scopes = ask("scope").split(" ");
  const back = new URL(ask("redirect_uri"));
  back.searchParams.set("code", code);
  back.searchParams.set("state", ask("state"));
  return back;
}

function exchange(state: State, authorization: string | undefined, body: string): Record<string, string> {
  const form = new URLSearchParams(body);
  const { clientId, clientSecret, codes } = state;
  const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`;
  const isPosted = form.get("client_id") === clientId && form.get("client_secret") === clientSecret;
  const code = codes.get(form.get("code") ?? "");
  codes.delete(form.get("code") ?? "");
  const proof = createHash("sha256")
    .update(form.get("code_verifier") ?? "")
    .digest("base64url");
  const isRight = code?.challenge === proof && code.redirectUri === form.get("redirect_uri");
  // As GitHub does: an error with status 200.
  if (!isRight || !(isPosted || authorization === basic)) return { error: "bad_verification_code" };
  return { access_token: "fake-token", token_type: "bearer", scope: state.scopes.join(",") };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
