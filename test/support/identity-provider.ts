import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Provider } from "oidc-provider";
import type { Browser } from "./cookie-jar.ts";

/** What a provider knows of somebody; the rest of their claims is as it stands. */
export interface Person {
  sub: string;
  [claim: string]: unknown;
}

export interface IdentityProvider {
  /** Its issuer, on loopback. */
  url: string;
  clientId: string;
  clientSecret: string;
  /** People by what they type as their login. They can be changed at any time. */
  people: Map<string, Person>;
  /** Signs in at the page a registry sent the browser to, and agrees. Answers where it sends the browser back to. */
  signIn: (browser: Browser, url: string, login: string) => Promise<string>;
  stop: () => Promise<void>;
}

/**
 * A real OpenID Connect provider (oidc-provider, which is certified) on a free port of loopback.
 * @param redirectUris where it may send browsers back to: exactly there
 * @param options.inIdToken puts every claim into the id token; without, most are told by userinfo alone
 */
export async function startIdentityProvider(
  redirectUris: () => string[],
  options: { inIdToken?: boolean } = {},
): Promise<IdentityProvider> {
  const people = new Map<string, Person>();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [clientId, clientSecret] = ["the-registry", "a-secret-of-the-provider's-own"];
  let handler: ReturnType<Provider["callback"]> | null = null;
  const start = () => {
    const provider = new Provider(url, {
      clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: redirectUris() }],
      conformIdTokenClaims: options.inIdToken !== true,
      pkce: { required: () => true },
      claims: {
        openid: ["sub", "groups", "hd"],
        email: ["email", "email_verified"],
        profile: ["name", "preferred_username", "nickname"],
      },
      findAccount: (_: unknown, sub: string) => ({
        accountId: sub,
        claims: async () => ({ ...([...people.values()].find((person) => person.sub === sub) ?? { sub }) }),
      }),
    });
    return provider.callback();
  };
  server.on("request", (request, response) => {
    // Made at the first request: only then is the registry's address known.
    handler ??= start();
    handler(request, response);
  });
  return {
    url,
    clientId,
    clientSecret,
    people,
    signIn: async (browser, address, login) => {
      const person = people.get(login);
      if (person === undefined) throw new Error(`nobody is called ${login} there`);
      return await walkThrough(browser, address, person.sub);
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Through the provider's own pages, which ask for a login and then for consent, until they lead elsewhere. */
async function walkThrough(browser: Browser, address: string, login: string): Promise<string> {
  const { origin } = new URL(address);
  let next = address;
  for (let step = 0; step < 12; step++) {
    const response = await browser.ask(next);
    const location = response.headers.get("location");
    if (location !== null) {
      next = new URL(location, next).href;
      if (new URL(next).origin !== origin) return next;
      continue;
    }
    const page = await response.text();
    const action = /action="([^"]+)"/.exec(page)?.[1];
    if (!response.ok || action === undefined) throw new Error(`${next}: ${response.status} ${page.slice(0, 500)}`);
    const hidden = [...page.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    const fields = Object.fromEntries(hidden.map(([, name = "", value = ""]) => [name, value]));
    if (page.includes('name="login"')) Object.assign(fields, { login, password: "any" });
    const answer = await browser.ask(new URL(action, next).href, { form: fields });
    next = new URL(answer.headers.get("location") ?? "/", next).href;
  }
  throw new Error("the provider leads nowhere");
}
