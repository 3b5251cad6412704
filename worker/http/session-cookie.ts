import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Actor } from "../access/roles.ts";
import { RegistryError } from "../registry/errors.ts";
import { limits } from "../registry/limits.ts";
import { authenticate } from "../registry/people/authenticate.ts";
import { authenticateSession } from "../registry/people/sessions.ts";
import type { AuthenticateOptions } from "../registry/people/user-actor.ts";
import { type AppEnv, isSafe } from "./request-context.ts";

/*
 * Browsers that are signed in. The cookie's prefix makes browsers keep it for this very host, with all of its paths,
 * and over https (or on loopback) alone. Lax, so that coming back from an identity provider finds it.
 */
const NAME = "session";
const options = { prefix: "host", path: "/", secure: true, httpOnly: true, sameSite: "Lax" } as const;

// Tells our own pages that there is a session, and nothing else: they need not ask who is signed in where nobody is.
const HINT_NAME = "signed-in";
const hintOptions = { ...options, httpOnly: false } as const;

/** The pages' own requests: an Authorization header counts, else the cookie. Only /api/v1 and /auth look at it. */
export async function authenticateVisitor(c: Context<AppEnv>, how: AuthenticateOptions): Promise<Actor> {
  const authorization = c.req.header("authorization");
  const cookie = getCookie(c, NAME, "host");
  if (authorization !== undefined || cookie === undefined) return await authenticate(c.var.ctx, authorization, how);
  if (!isSafe(c.req.method)) ensureSameOrigin(c);
  try {
    return await authenticateSession(c.var.ctx, cookie, how);
  } catch (thrown) {
    // A cookie that is no good any more would spoil every request from now on.
    if (thrown instanceof RegistryError && thrown.code === "invalid-credential") clearSessionCookie(c);
    throw thrown;
  }
}

/**
 * A browser sends the cookie with whatever any site makes it send; what changes something must come from our own
 * pages, whatever its content type.
 * @throws `cross-site`
 */
export function ensureSameOrigin(c: Context<AppEnv>): void {
  const site = c.req.header("sec-fetch-site");
  const isOwn = site === undefined ? c.req.header("origin") === c.var.ctx.origin() : site === "same-origin";
  if (!isOwn) throw new RegistryError("cross-site");
}

/** What a browser was given when somebody signed in with it; null where nobody is. Says nothing of its validity. */
export function getSessionCookie(c: Context<AppEnv>): string | null {
  return getCookie(c, NAME, "host") ?? null;
}

export function setSessionCookie(c: Context<AppEnv>, secret: string): void {
  setCookie(c, NAME, secret, { ...options, maxAge: limits.sessionMaxSeconds });
  setCookie(c, HINT_NAME, "1", { ...hintOptions, maxAge: limits.sessionMaxSeconds });
}

export function clearSessionCookie(c: Context<AppEnv>): void {
  deleteCookie(c, NAME, options);
  deleteCookie(c, HINT_NAME, hintOptions);
}

/** A short-lived sealed text that a browser brings back: an attempt to sign in, or a name to be chosen. */
export function setSealedCookie(c: Context<AppEnv>, name: "sign-in" | "registration", value: string, maxAge: number) {
  setCookie(c, name, value, { ...options, maxAge });
}

export function getSealedCookie(c: Context<AppEnv>, name: "sign-in" | "registration"): string | null {
  return getCookie(c, name, "host") ?? null;
}

/** The cookies that were taken from the browser before a request failed: its answer takes them all the same. */
export function clearedCookies(c: Context<AppEnv>): string[] {
  return c
    .body(null)
    .headers.getSetCookie()
    .filter((cookie) => /;\s*Max-Age=0(?:;|$)/i.test(cookie));
}

export function clearSealedCookie(c: Context<AppEnv>, name: "sign-in" | "registration"): void {
  deleteCookie(c, name, options);
}
