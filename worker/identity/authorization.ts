import * as o from "oauth4webapi";
import { RegistryError } from "../registry/errors.ts";
import type { Provider } from "../registry/providers.ts";
import type { Account, Attempt } from "./account.ts";
import { bitbucketAccount } from "./bitbucket.ts";
import { clientAuthentication, requestOptions } from "./client.ts";
import { authorizationEndpoint, describeServer } from "./discovery.ts";
import { githubAccount } from "./github.ts";
import { openIdAccount } from "./openid.ts";
import { xAccount } from "./x.ts";

/**
 * Where to send a browser so that its user signs in at a provider, and what to remember until they are back.
 * @param redirectUri where the provider sends them back to; registered there, letter by letter
 * @throws `provider-unavailable`
 */
export async function beginAuthorization(
  provider: Provider,
  redirectUri: string,
): Promise<{ url: string; attempt: Attempt }> {
  const server = await describeServer(provider);
  const attempt = {
    state: o.generateRandomState(),
    nonce: o.generateRandomNonce(),
    verifier: o.generateRandomCodeVerifier(),
  };
  const url = authorizationEndpoint(provider, server);
  const parameters = {
    client_id: provider.clientId,
    response_type: "code",
    redirect_uri: redirectUri,
    scope: provider.scopes,
    state: attempt.state,
    code_challenge: await o.calculatePKCECodeChallenge(attempt.verifier),
    code_challenge_method: "S256",
    ...(provider.kind === "oidc" ? { nonce: attempt.nonce } : {}),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return { url: url.href, attempt };
}

/**
 * Who came back from a provider. The code is exchanged over a connection of our own, and everything that ties it to
 * the attempt is checked: state, issuer, verifier, and with OpenID Connect nonce, audience, time and signature.
 * @param callback the query the browser came back with
 * @throws `sign-in-failed`, `provider-unavailable`; the reasons are in `detail`
 */
export async function finishAuthorization(
  provider: Provider,
  redirectUri: string,
  attempt: Attempt,
  callback: URLSearchParams,
): Promise<Account> {
  try {
    const server = await describeServer(provider);
    const client: o.Client = { client_id: provider.clientId };
    const options = requestOptions(provider);
    const checked = o.validateAuthResponse(server, client, callback, attempt.state);
    const authentication = clientAuthentication(server, provider);
    const response = await o.authorizationCodeGrantRequest(
      server,
      client,
      authentication,
      checked,
      redirectUri,
      attempt.verifier,
      options,
    );
    if (provider.kind === "oidc") return await openIdAccount(provider, { server, client, response, attempt });
    const { access_token } = await o.processAuthorizationCodeResponse(server, client, response);
    return await accountOf(provider, access_token);
  } catch (thrown) {
    throw explain(provider, thrown);
  }
}

async function accountOf(provider: Provider, accessToken: string): Promise<Account> {
  switch (provider.kind) {
    case "github":
      return await githubAccount(provider, accessToken);
    case "bitbucket":
      return await bitbucketAccount(provider, accessToken);
    case "x":
      return await xAccount(provider, accessToken);
    case "oidc":
      throw new RegistryError("internal", undefined, { detail: "OpenID Connect has an account of its own" });
    default:
      return provider.kind satisfies never;
  }
}

/** Whatever it was, the browser learns no more than that it did not work. No message of oauth4webapi repeats a token. */
function explain(provider: Provider, thrown: unknown): RegistryError {
  if (thrown instanceof RegistryError) return thrown;
  const said =
    thrown instanceof o.AuthorizationResponseError || thrown instanceof o.ResponseBodyError ? ` (${thrown.error})` : "";
  const what = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : "something that is no error";
  return new RegistryError("sign-in-failed", undefined, { detail: `${provider.id}: ${what}${said}`, cause: thrown });
}
