import * as z from "zod";
import type { Provider } from "../registry/providers.ts";
import type { Account } from "./account.ts";
import { readApi } from "./read-api.ts";

const userSchema = z.object({ id: z.int().positive(), login: z.string(), name: z.string().nullish() });
const emailsSchema = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }));
const organizationsSchema = z.array(z.object({ login: z.string() }));

const PAGE = 100;
/** Nobody is in more organizations than a thousand. */
const PAGES = 10;

/** GitHub's and GitHub Enterprise's account. Its number stays when its login is given to somebody else. */
export async function githubAccount(provider: Provider, accessToken: string): Promise<Account> {
  const { site, api } = provider;
  const user = await readApi(`${api}/user`, accessToken, userSchema);
  const emails = await readApi(`${api}/user/emails?per_page=${PAGE}`, accessToken, emailsSchema);
  const email = emails.find(({ primary, verified }) => primary && verified)?.email ?? null;
  return {
    issuer: site,
    subject: String(user.id),
    name: user.name || user.login,
    email,
    emailVerified: email !== null,
    suggestedName: user.login,
    groups: [],
    organizations: provider.scopes.includes("read:org") ? await organizationsOf(provider, accessToken) : [],
  };
}

async function organizationsOf({ api }: Provider, accessToken: string): Promise<string[]> {
  const names: string[] = [];
  for (let page = 1; page <= PAGES; page++) {
    const url = `${api}/user/orgs?per_page=${PAGE}&page=${page}`;
    const found = await readApi(url, accessToken, organizationsSchema);
    names.push(...found.map(({ login }) => login));
    if (found.length < PAGE) break;
  }
  return names;
}
