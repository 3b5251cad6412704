import { Hono } from "hono";
import { type AppEnv, withContext } from "../../http/request-context.ts";
import { limits } from "../../registry/limits.ts";
import { version } from "../../version.ts";

/** What clients ask before anything else, with every command. No database, no credential. */
export const discovery = new Hono<AppEnv>();

/**
 * Every top-level value must be an object. No trailing slashes: the clients
 * append to `uri`. `keystoreAPI` must be there or every pull fails (apptainer 1.4.5).
 */
discovery.get("/assets/config/config.prod.json", withContext, (c) => {
  const { origin, settings } = c.var.ctx;
  const uri = origin();
  const service = { uri };
  c.header("Cache-Control", `public, max-age=${limits.discoveryCacheSeconds}`);
  const analyticsId = settings.GOOGLE_ANALYTICS;
  return c.json({
    libraryAPI: service,
    keystoreAPI: service,
    tokenAPI: service,
    ...(analyticsId === "" ? {} : { googleAnalytics: { googleAnalyticsId: analyticsId } }),
  });
});

/** `apiVersion` without a `v`; from 2.0.0-alpha.2 on clients upload by v2 and tag by architecture. */
const handshake = { data: { version, apiVersion: "2.0.0" } };

discovery.get("/version", (c) => c.json(handshake));
discovery.get("/v1", (c) => c.json(handshake.data));
discovery.get("/v1/", (c) => c.json(handshake.data));
