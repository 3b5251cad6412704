import type { Context, Next } from "hono";
import { createMiddleware } from "hono/factory";
import type { Actor } from "../access/roles.ts";
import type { Context as RegistryContext } from "../context.ts";
import { createContext } from "../create-context.ts";
import { currentSettings, type Env, settingsOf } from "../env.ts";
import { RegistryError } from "../registry/errors.ts";
import { authenticate } from "../registry/people/authenticate.ts";
import type { ParsedSettings, Settings } from "../registry/settings.ts";
import { loggedPath } from "./logged-path.ts";

/** What Hono knows in every protocol: the bindings, the registry's context, and whoever asks. */
export interface AppEnv {
  Bindings: Env;
  Variables: { ctx: RegistryContext; actor: Actor };
}

/**
 * Gives a request its registry context. Not for routes that need none of it, such as discovery.
 * @throws `misconfigured`; the problems go to the log
 */
export const withContext = createMiddleware<AppEnv>(async (c, next) => {
  c.set("ctx", contextWith(c, await currentSettings(c.env)));
  await loggedly(c, next);
});

/** The same with the settings of the environment alone, for routes that ask no database. */
export const withFixedContext = createMiddleware<AppEnv>(async (c, next) => {
  c.set("ctx", contextWith(c, settingsOf(c.env)));
  await loggedly(c, next);
});

/** The settings as they are now; null where they are wrong or cannot be read, for routes that answer all the same. */
export async function findSettings(env: Env): Promise<Settings | null> {
  const parsed = await currentSettings(env).catch(() => null);
  return parsed?.ok === true ? parsed.settings : null;
}

function contextWith(c: Context<AppEnv>, parsed: ParsedSettings): RegistryContext {
  if (!parsed.ok) throw new RegistryError("misconfigured", undefined, { detail: parsed.problems.join("; ") });
  return createContext(c.env, parsed.settings, c.req.raw, c.executionCtx);
}

/** A line for each request where LOG_REQUESTS asks for it. The path alone: query strings carry capabilities. */
async function loggedly(c: Context<AppEnv>, next: Next): Promise<void> {
  const { ctx } = c.var;
  if (!ctx.settings.LOG_REQUESTS) return await next();
  const since = ctx.now();
  await next();
  const actor = c.get("actor");
  ctx.log.info("request", {
    method: c.req.method,
    path: loggedPath(c.req.path),
    status: c.res.status,
    milliseconds: ctx.now() - since,
    actor: actor?.kind === "user" ? actor.username : (actor?.kind ?? null),
    address: ctx.client.address,
  });
}

/**
 * Finds out who asks, from the Authorization header. Nobody writes anonymously, whatever is behind the route.
 * @throws `invalid-credential`, `terms-required`, `unauthenticated`
 */
export const withActor = createMiddleware<AppEnv>(async (c, next) => {
  const actor = await authenticate(c.var.ctx, c.req.header("authorization"));
  if (actor.kind === "anonymous" && !isSafe(c.req.method)) throw new RegistryError("unauthenticated");
  c.set("actor", actor);
  await next();
});

/** Whether a request with this method changes nothing. */
export function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD";
}
