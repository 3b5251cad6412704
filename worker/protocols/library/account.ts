import { Hono } from "hono";
import { readAuthorization } from "../../access/credentials.ts";
import { type AppEnv, withContext } from "../../http/request-context.ts";
import { RegistryError } from "../../registry/errors.ts";
import { authenticate } from "../../registry/people/authenticate.ts";

/** `remote login`, `remote status`, `remote get-login-password`. */
export const account = new Hono<AppEnv>();

/**
 * 200 is valid. 404 makes the client say "Invalid Credentials"; for a 401 it would say "Unknown". A token is valid too
 * whose user has not agreed to the terms yet: what it is used for says so.
 */
account.get("/v1/token-status", withContext, async (c) => {
  const how = { beforeTerms: true };
  const actor = await authenticate(c.var.ctx, c.req.header("authorization"), how).catch((thrown) => {
    if (thrown instanceof RegistryError && thrown.code === "invalid-credential") return null;
    throw thrown;
  });
  if (actor?.kind !== "user") throw new RegistryError("not-found");
  return c.body(null, 200);
});

/** A bare object, no `data`. The secret is what the client presented: what it would use as a password. */
account.get("/v1/rbac/users/current", withContext, async (c) => {
  const header = c.req.header("authorization");
  const actor = await authenticate(c.var.ctx, header);
  const credential = readAuthorization(header);
  if (actor.kind !== "user" || credential.kind !== "token") throw new RegistryError("unauthenticated");
  return c.json({
    username: actor.username,
    email: "",
    realname: actor.username,
    oidc_user_meta: { secret: credential.token },
  });
});
