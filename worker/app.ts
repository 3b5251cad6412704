import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import type { AppEnv } from "./http/request-context.ts";
import { admin } from "./protocols/admin/routes.ts";
import { library } from "./protocols/library/routes.ts";
import { sregistry } from "./protocols/sregistry/routes.ts";
import { api } from "./protocols/web/api.ts";
import { apiDocs } from "./protocols/web/api-docs.ts";
import { auth } from "./protocols/web/auth.ts";
import { badges } from "./protocols/web/badges.ts";
import { blobs } from "./protocols/web/blobs.ts";
import { crawlers } from "./protocols/web/crawlers.ts";
import { pages } from "./protocols/web/pages.ts";
import { shared } from "./protocols/web/shared.ts";

/**
 * Which prefix belongs to which protocol. Each answers everything below its prefixes, what is not there
 * too, in its own form; what is left over belongs to the web pages.
 */
const mounts: [Hono<AppEnv>, ...string[]][] = [
  [library, "/assets", "/pks", "/v1", "/v2", "/version"],
  [admin, "/admin"],
  // Before the rest of /api/v1: they are images.
  [badges, "/api/v1/badges"],
  [api, "/api/v1"],
  // The pages have the rest of /auth.
  [auth, "/auth/callback"],
  // Before sregistry's, which takes the rest of /api.
  [apiDocs, "/api/docs", "/api/schema"],
  // For three-part names the shub client asks below the first part (singularity util.go).
  [sregistry, "/api", "/upload", "/container", "/:entity/api/container"],
  [blobs, "/blobs"],
  [shared, "/s"],
  [crawlers, "/robots.txt", "/sitemap.xml", "/sitemap-collections.xml", "/sitemap-containers.xml"],
];

export const app = new Hono<AppEnv>();

// Badges stand in pages elsewhere, which the headers below forbid.
app.use("/api/v1/badges/*", async (c, next) => {
  await next();
  c.res.headers.set("Cross-Origin-Resource-Policy", "cross-origin");
});

app.use(
  secureHeaders({
    // The registry may stand under a name whose other hosts are http: whoever runs the zone decides on HSTS.
    strictTransportSecurity: false,
    referrerPolicy: "no-referrer",
    xFrameOptions: "DENY",
  }),
);

// Nothing is cacheable unless its route says so.
app.use(async (c, next) => {
  await next();
  if (!c.res.headers.has("Cache-Control")) c.res.headers.set("Cache-Control", "no-store");
});

for (const [protocol, ...prefixes] of mounts) {
  for (const prefix of prefixes) app.mount(prefix, protocol.fetch, { replaceRequest: false });
}

app.route("/", pages);
