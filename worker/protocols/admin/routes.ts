import { Hono } from "hono";
import * as z from "zod";
import { readAuthorization } from "../../access/credentials.ts";
import { operator } from "../../access/roles.ts";
import { readJson } from "../../http/body.ts";
import { type AppEnv, withContext } from "../../http/request-context.ts";
import { errorHandler, usualStatus } from "../../http/respond.ts";
import { RegistryError } from "../../registry/errors.ts";
import { limits } from "../../registry/limits.ts";
import { verbs } from "./verbs.ts";

/** `npm run admin` speaks this. It exists only where an ADMIN_SECRET is set. */
export const admin = new Hono<AppEnv>();

admin.onError(
  errorHandler(usualStatus, (error, status) =>
    Response.json(
      { error: { code: error.code, message: error.message } },
      { status, headers: { "Cache-Control": "no-store" } },
    ),
  ),
);

const call = z.object({ verb: z.string(), args: z.record(z.string(), z.unknown()).default({}) });

admin.post("/admin/rpc", withContext, async (c) => {
  const { ctx } = c.var;
  const secret = ctx.settings.ADMIN_SECRET;
  if (secret === null) throw new RegistryError("no-such-route");
  const credential = readAuthorization(c.req.header("authorization"));
  if (credential.kind !== "token" || !(await isSame(credential.token, secret))) {
    // Only failures count: nobody can lock the operator out by failing.
    const isWithin = await ctx.rateLimits.count("admin failures", limits.adminFailuresPerMinute);
    throw new RegistryError(
      isWithin ? "invalid-credential" : "rate-limited",
      isWithin ? "Wrong admin secret." : undefined,
    );
  }
  const { verb: name, args } = await readJson(c.req.raw, call);
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (verb === undefined) throw new RegistryError("no-such-route", "There is no such command.");
  const result = (await verb(ctx, operator, args)) ?? {};
  ctx.log.info("admin", { verb: name });
  return c.json({ result });
});

admin.all("/admin/*", () => {
  throw new RegistryError("no-such-route");
});

/** Compares digests, so that neither time nor length tells anything. */
async function isSame(given: string, secret: string): Promise<boolean> {
  const encode = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const [a, b] = await Promise.all([encode(given), encode(secret)]);
  return crypto.subtle.timingSafeEqual(a, b);
}
