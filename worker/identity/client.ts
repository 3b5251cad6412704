import * as o from "oauth4webapi";
import type { Provider } from "../registry/providers.ts";
import { boundedFetch } from "./bounded-fetch.ts";

/** How oauth4webapi is to ask this provider. Plain http is for one whose own address says so: on loopback only. */
export function requestOptions(provider: Provider) {
  return {
    [o.customFetch]: async (url: string, options: o.CustomFetchOptions<string, unknown>) =>
      await boundedFetch(url, {
        method: options.method,
        headers: options.headers,
        body: options.body as BodyInit | null | undefined,
      }),
    [o.allowInsecureRequests]: isInsecure(provider),
  };
}

export function isInsecure({ site }: Provider): boolean {
  return new URL(site).protocol === "http:";
}

/** How this registry proves to a provider that it is its client. */
export function clientAuthentication(server: o.AuthorizationServer, { clientSecret }: Provider): o.ClientAuth {
  if (clientSecret === null) return o.None();
  const methods = server.token_endpoint_auth_methods_supported ?? [];
  return methods.includes("client_secret_post") ? o.ClientSecretPost(clientSecret) : basic(clientSecret);
}

/**
 * oauth4webapi's own encodes `-` and `_` too, as a form may. Providers that do not decode, and whose ids have them,
 * take the fewer escapes; those that do decode read both alike.
 */
function basic(clientSecret: string): o.ClientAuth {
  return (_server, client, _body, headers) => {
    const pair = `${encodeURIComponent(client.client_id)}:${encodeURIComponent(clientSecret)}`;
    headers.set("Authorization", `Basic ${btoa(pair)}`);
  };
}
