import type { Context } from "../../context.ts";
import { isLoopback } from "../../origin.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";

/**
 * Browsers keep the cookie of a sign-in on https and on loopback alone; elsewhere they would drop it silently.
 * @throws `https-required`, `misdirected`
 */
export function ensureSecureOrigin(ctx: Context): void {
  if (!isSecureOrigin(ctx.origin())) throw new RegistryError("https-required");
}

export function isSecureOrigin(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === "https:" || isLoopback(hostname);
}

/**
 * Counts an attempt to sign in, by the address it comes from where that is known.
 * @param what ways back are counted for themselves: whoever begins once could come back with it again and again, and
 *   each has the provider asked
 * @throws `rate-limited`
 */
export async function countSignIn(ctx: Context, what: "sign-ins" | "sign-in returns" = "sign-ins"): Promise<void> {
  const { address } = ctx.client;
  const isWithin =
    address === null
      ? await ctx.rateLimits.count(what, limits.signInsPerMinuteOfAll)
      : await ctx.rateLimits.count(`${what} ${address}`, limits.signInsPerMinute);
  if (!isWithin) throw new RegistryError("rate-limited");
}
