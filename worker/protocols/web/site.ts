import { Hono } from "hono";
import { type AppEnv, withContext } from "../../http/request-context.ts";
import { errorHandler, usualStatus } from "../../http/respond.ts";
import { RegistryError } from "../../registry/errors.ts";
import { version } from "../../version.ts";
import { labels } from "./labels.ts";
import { searchApi } from "./search.ts";
import { topics } from "./topics.ts";

/** The JSON API of the web pages and of scripts. Errors are RFC 9457 problem details. */
export const api = new Hono<AppEnv>();

api.onError(
  errorHandler(usualStatus, (error, status, requestId) => {
    const problem = { type: "about:blank", title: error.message, status, code: error.code, requestId };
    const headers = { "Content-Type": "application/problem+json", "Cache-Control": "no-store" };
    return new Response(JSON.stringify(problem), { status, headers });
  }),
);

/** What anybody may know of the registry. */
api.get("/api/v1/site", withContext, (c) => {
  const { settings, origin } = c.var.ctx;
  c.header("Cache-Control", "public, max-age=60");
  return c.json({
    name: settings.REGISTRY_NAME,
    uri: settings.REGISTRY_URI,
    contactEmail: settings.HELP_CONTACT_EMAIL === "" ? null : settings.HELP_CONTACT_EMAIL,
    origin: origin(),
    version,
  });
});

api.route("/", labels);
api.route("/", topics);
api.route("/", searchApi);

api.all("/api/v1/*", () => {
  throw new RegistryError("no-such-route");
});
