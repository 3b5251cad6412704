import { createMiddleware } from "hono/factory";
import type { Actor } from "../access/roles.ts";
import type { Context as RegistryContext } from "../context.ts";
import { createContext } from "../create-context.ts";
import { type Env, settingsOf } from "../env.ts";
import { RegistryError } from "../registry/errors.ts";
import { authenticate } from "../registry/people/authenticate.ts";

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
  const parsed = settingsOf(c.env);
  if (!parsed.ok) throw new RegistryError("misconfigured", undefined, { detail: parsed.problems.join("; ") });
  c.set("ctx", createContext(c.env, parsed.settings, c.req.raw, c.executionCtx));
  await next();
});

/**
 * Finds out who asks, from the Authorization header. Nobody writes anonymously, whatever is behind the route.
 * @throws `invalid-credential`, `unauthenticated`
 */
export const withActor = createMiddleware<AppEnv>(async (c, next) => {
  const actor = await authenticate(c.var.ctx, c.req.header("authorization"));
  const reads = c.req.method === "GET" || c.req.method === "HEAD";
  if (actor.kind === "anonymous" && !reads) throw new RegistryError("unauthenticated");
  c.set("actor", actor);
  await next();
});
