import * as z from "zod";
import type { Provider } from "../registry/providers.ts";
import type { Account } from "./account.ts";
import { readApi } from "./read-api.ts";

const userSchema = z.object({
  data: z.object({ id: z.string().regex(/^\d{1,30}$/), name: z.string(), username: z.string() }),
});

/** An X account. It says nothing of addresses or groups. */
export async function xAccount({ site, api }: Provider, accessToken: string): Promise<Account> {
  const { data } = await readApi(`${api}/users/me`, accessToken, userSchema);
  return {
    issuer: site,
    subject: data.id,
    name: data.name || data.username,
    email: null,
    emailVerified: false,
    suggestedName: data.username,
    groups: [],
    organizations: [],
  };
}
