import type { Context } from "../../context.ts";
import type { Account } from "../../identity/account.ts";
import { beginAuthorization, finishAuthorization } from "../../identity/authorization.ts";
import { type Claims, openCapability, signCapability } from "../../storage/capabilities.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Provider } from "../providers.ts";
import { countSignIn, ensureSecureOrigin, isSecureOrigin } from "./sign-in-limits.ts";

/** The providers one may sign in with, and what is in the way of it. */
export function waysToSignIn(ctx: Context): {
  obstacle: "https-required" | "no-providers" | null;
  providers: Pick<Provider, "id" | "name">[];
} {
  const providers = ctx.settings.providers.map(({ id, name }) => ({ id, name }));
  if (!isSecureOrigin(ctx.origin())) return { obstacle: "https-required", providers };
  return { obstacle: providers.length === 0 ? "no-providers" : null, providers };
}

/** A way to a provider and back. What must be known then goes with the browser, sealed: nothing is stored here. */
export type Attempt = Claims<"sign-in">;

/** A browser's way to a provider. */
export interface Departure {
  /** Where it goes. */
  url: string;
  /** What it must bring back. */
  sealed: string;
}

/**
 * @param input.sessionId the session whose user an account is to be linked to; null for signing in
 * @throws `https-required`, `rate-limited`, `not-found` (no such provider), `body-invalid` (`next` leads elsewhere),
 *   `provider-unavailable`
 */
export async function beginAttempt(
  ctx: Context,
  input: { provider: string; next: string; sessionId: string | null },
): Promise<Departure> {
  ensureSecureOrigin(ctx);
  await countSignIn(ctx);
  const provider = findProvider(ctx, input.provider);
  if (provider === null) throw new RegistryError("not-found", "This registry knows no such identity provider.");
  const next = parseNext(ctx, input.next);
  const { url, attempt } = await beginAuthorization(provider, redirectUri(ctx, provider));
  const said = { ...attempt, provider: provider.id, next, sessionId: input.sessionId };
  const expiresAt = ctx.now() + limits.signInSeconds * 1000;
  const sealed = await signCapability(ctx.settings, "sign-in", said, { expiresAt, since: ctx.now() });
  return { url, sealed };
}

/**
 * Who came back, and what they had left for.
 * @param input.sealed what the browser brought back; null for nothing
 * @throws `sign-in-expired` for an attempt of another browser, another provider, or too long ago; `rate-limited`,
 *   `sign-in-failed`, `provider-unavailable`
 */
export async function finishAttempt(
  ctx: Context,
  input: { provider: string; sealed: string | null; callback: URLSearchParams },
): Promise<{ attempt: Attempt; provider: Provider; account: Account }> {
  const attempt = await openAttempt(ctx, input.sealed);
  const provider = findProvider(ctx, input.provider);
  if (provider === null || attempt.provider !== provider.id) throw new RegistryError("sign-in-expired");
  await countSignIn(ctx, "sign-in returns");
  const account = await finishAuthorization(provider, redirectUri(ctx, provider), attempt, input.callback);
  return { attempt, provider, account: tidied(account) };
}

async function openAttempt(ctx: Context, sealed: string | null): Promise<Attempt> {
  if (sealed === null) throw new RegistryError("sign-in-expired");
  return await openCapability(ctx.settings, "sign-in", sealed, ctx.now()).catch((cause) => {
    throw new RegistryError("sign-in-expired", undefined, { cause });
  });
}

export function findProvider(ctx: Context, id: string): Provider | null {
  return ctx.settings.providers.find((provider) => provider.id === id) ?? null;
}

function redirectUri(ctx: Context, { id }: Provider): string {
  return `${ctx.origin()}/auth/callback/${id}`;
}

/** A path of this registry, as browsers read it. @throws `body-invalid` */
function parseNext(ctx: Context, given: string): string {
  const origin = ctx.origin();
  const url = URL.canParse(given, origin) ? new URL(given, origin) : null;
  const path = url === null ? "" : `${url.pathname}${url.search}${url.hash}`;
  // A path that begins with two slashes would be another host's; `/.//host` becomes one.
  const isOurs = url?.origin === origin && given.startsWith("/") && /^\/(?![/\\])/.test(path);
  if (!isOurs) throw new RegistryError("body-invalid", "The request body is not valid: look at next.");
  // Sealed, it must fit into a cookie of 4 KiB.
  return path.length <= limits.nextLength ? path : "/";
}

/** What is shown of an account comes from elsewhere: short, on one line. */
function tidied(account: Account): Account {
  const short = (text: string, length: number) =>
    text
      .replace(/\p{C}+/gu, " ")
      .trim()
      .slice(0, length);
  const { email } = account;
  return {
    ...account,
    name: short(account.name, limits.accountNameLength),
    suggestedName: short(account.suggestedName, limits.accountNameLength),
    // Not cut: half an address is another one.
    email: email !== null && email.length <= limits.emailLength && !/[\p{C}\s]/u.test(email) ? email : null,
  };
}
