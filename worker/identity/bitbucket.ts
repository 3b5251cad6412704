import * as z from "zod";
import type { Provider } from "../registry/providers.ts";
import type { Account } from "./account.ts";
import { readApi } from "./read-api.ts";

const userSchema = z.object({
  uuid: z.string().min(1).max(255),
  display_name: z.string().catch(""),
  nickname: z.string().catch(""),
});
const emailsSchema = z.object({
  values: z.array(z.object({ email: z.string(), is_primary: z.boolean(), is_confirmed: z.boolean() })),
});
// The list that stayed when those across workspaces were removed in 2026 (Bitbucket Cloud's CHANGE-2770 and -3022).
const workspacesSchema = z.object({
  values: z.array(z.object({ workspace: z.object({ slug: z.string() }) })),
  next: z.string().optional(),
});

/** Nobody is in more workspaces than a thousand. */
const PAGES = 10;

/** A Bitbucket account. Its UUID stays when it is renamed. */
export async function bitbucketAccount(provider: Provider, accessToken: string): Promise<Account> {
  const { site, api, admit, admins } = provider;
  const user = await readApi(`${api}/user`, accessToken, userSchema);
  const emails = await readApi(`${api}/user/emails?pagelen=100`, accessToken, emailsSchema);
  const email = emails.values.find((entry) => entry.is_primary && entry.is_confirmed)?.email ?? null;
  const rules = [...(typeof admit === "string" ? [] : admit), ...admins];
  const needsWorkspaces = rules.some(({ kind }) => kind === "organization");
  return {
    issuer: site,
    subject: user.uuid,
    name: user.display_name || user.nickname,
    email,
    emailVerified: email !== null,
    suggestedName: user.nickname,
    groups: [],
    organizations: needsWorkspaces ? await workspacesOf(provider, accessToken) : [],
  };
}

async function workspacesOf({ api }: Provider, accessToken: string): Promise<string[]> {
  const slugs: string[] = [];
  // Counted here, instead of following `next`: it could lead anywhere with the token.
  for (let page = 1; page <= PAGES; page++) {
    const found = await readApi(`${api}/user/workspaces?pagelen=100&page=${page}`, accessToken, workspacesSchema);
    slugs.push(...found.values.map(({ workspace }) => workspace.slug));
    if (found.next === undefined) break;
  }
  return slugs;
}
