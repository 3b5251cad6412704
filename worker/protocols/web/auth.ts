import { Hono } from "hono";
import { type AppEnv, withContext } from "../../http/request-context.ts";
import { errorHandler, usualStatus } from "../../http/respond.ts";
import {
  clearSealedCookie,
  getSealedCookie,
  getSessionCookie,
  setSealedCookie,
  setSessionCookie,
} from "../../http/session-cookie.ts";
import { RegistryError, toRegistryError } from "../../registry/errors.ts";
import { limits } from "../../registry/limits.ts";
import { type Arrival, arrive } from "../../registry/people/sign-in.ts";

/**
 * Where browsers come back from an identity provider. The one GET that changes something: it is good only together
 * with the cookie of an attempt that this browser began.
 */
export const auth = new Hono<AppEnv>();

auth.onError(
  errorHandler(usualStatus, (error, status) => {
    const headers = { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" };
    return new Response(`${error.message}\n`, { status, headers });
  }),
);

auth.get("/auth/callback/:provider", withContext, async (c) => {
  // Hono answers HEAD with what GET would send, and this would use up the attempt.
  if (c.req.method !== "GET") throw new RegistryError("no-such-route");
  const { ctx } = c.var;
  const provider = c.req.param("provider");
  const sealed = getSealedCookie(c, "sign-in");
  // One attempt, whatever comes of it.
  clearSealedCookie(c, "sign-in");
  let arrival: Arrival;
  try {
    const callback = new URL(c.req.url).searchParams;
    arrival = await arrive(ctx, { provider, sealed, cookie: getSessionCookie(c), callback });
  } catch (thrown) {
    const { code, detail } = toRegistryError(thrown);
    const isForTheLog = code === "sign-in-failed" || usualStatus[code] >= 500;
    ctx.log[isForTheLog ? "error" : "info"]("sign-in-refused", { provider: provider.slice(0, 64), code, detail });
    return c.redirect(`/login?error=${code}`, 303);
  }
  if (arrival.kind === "registration") {
    setSealedCookie(c, "registration", arrival.sealed, limits.registrationSeconds);
    return c.redirect("/auth/register", 303);
  }
  if (arrival.kind === "signed-in") setSessionCookie(c, arrival.secret);
  return c.redirect(`${ctx.origin()}${arrival.next}`, 303);
});

auth.all("/auth/callback/*", () => {
  throw new RegistryError("no-such-route");
});
