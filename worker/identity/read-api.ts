import type * as z from "zod";
import { boundedFetch } from "./bounded-fetch.ts";

/**
 * Asks a provider's own API something in its user's name.
 * @throws for anything but the JSON that was expected; `provider-unavailable`
 */
export async function readApi<Output>(url: string, accessToken: string, schema: z.ZodType<Output>): Promise<Output> {
  const response = await boundedFetch(url, {
    headers: {
      Accept: "application/json",
      Authorization: `Bearer ${accessToken}`,
      // GitHub refuses whoever does not say who they are.
      "User-Agent": "sregistry-edge",
    },
  });
  const { pathname } = new URL(url);
  if (response.status !== 200) throw new Error(`${pathname} answered ${response.status}`);
  const result = schema.safeParse(await response.json());
  if (result.success) return result.data;
  const fields = result.error.issues.map(({ path }) => path.join("."));
  throw new Error(`the answer of ${pathname} lacks what it should have: ${fields.join(", ")}`);
}
