import * as o from "oauth4webapi";
import { describe, RegistryError } from "../registry/errors.ts";
import { limits } from "../registry/limits.ts";
import type { Provider } from "../registry/providers.ts";
import { isInsecure, requestOptions } from "./client.ts";

// Only issuers of the settings are ever looked up. oauth4webapi keeps a server's keys with its description, and asks
// for them again when none fits.
const known = new Map<string, { server: o.AuthorizationServer; readAt: number }>();

/**
 * What a provider says of itself; of one that does not speak OpenID Connect, what its documentation does.
 * @throws `provider-unavailable`
 */
export async function describeServer(provider: Provider): Promise<o.AuthorizationServer> {
  if (provider.kind !== "oidc") return documented(provider);
  const kept = known.get(provider.site);
  const age = kept === undefined ? Number.POSITIVE_INFINITY : Date.now() - kept.readAt;
  if (kept !== undefined && age < limits.providerCacheSeconds * 1000) return kept.server;
  const server = await discover(provider);
  known.set(provider.site, { server, readAt: Date.now() });
  return server;
}

async function discover(provider: Provider): Promise<o.AuthorizationServer> {
  const issuer = new URL(provider.site);
  try {
    const response = await o.discoveryRequest(issuer, requestOptions(provider));
    return await o.processDiscoveryResponse(issuer, response);
  } catch (thrown) {
    if (thrown instanceof RegistryError) throw thrown;
    const detail = `${provider.id}: its discovery document is not right: ${describe(thrown)}`;
    throw new RegistryError("provider-unavailable", undefined, { detail, cause: thrown });
  }
}

/** Where a browser goes to sign in. @throws `provider-unavailable` for what no browser should be sent to */
export function authorizationEndpoint(provider: Provider, server: o.AuthorizationServer): URL {
  const text = server.authorization_endpoint ?? "";
  const url = URL.canParse(text) ? new URL(text) : null;
  const isFine = url?.protocol === "https:" || (url?.protocol === "http:" && isInsecure(provider));
  if (url !== null && isFine) return url;
  throw new RegistryError("provider-unavailable", undefined, { detail: `${provider.id}: it has no sign-in page` });
}

/** Sources: the OAuth documentation of GitHub, Bitbucket Cloud and X, 2026. */
function documented({ kind, site, api }: Provider): o.AuthorizationServer {
  switch (kind) {
    case "github":
      return {
        // As github.com's answers name it since 2026 (RFC 9207); an answer without it is fine too.
        issuer: `${site}/login/oauth`,
        authorization_endpoint: `${site}/login/oauth/authorize`,
        token_endpoint: `${site}/login/oauth/access_token`,
        token_endpoint_auth_methods_supported: ["client_secret_post"],
      };
    case "bitbucket":
      return {
        issuer: site,
        authorization_endpoint: `${site}/site/oauth2/authorize`,
        token_endpoint: `${site}/site/oauth2/access_token`,
      };
    case "x":
      return {
        issuer: site,
        authorization_endpoint: `${site}/i/oauth2/authorize`,
        token_endpoint: `${api}/oauth2/token`,
      };
    case "oidc":
      throw new RegistryError("internal", undefined, { detail: "OpenID Connect is discovered" });
    default:
      return kind satisfies never;
  }
}
