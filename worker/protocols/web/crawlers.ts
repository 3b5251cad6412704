import { type Context, Hono } from "hono";
import { type AppEnv, withContext } from "../../http/request-context.ts";
import { errorHandler, usualStatus } from "../../http/respond.ts";
import {
  hasSitemap,
  listSitemap,
  listSitemapParts,
  type SitemapEntry,
  type SitemapKind,
  sitemapKinds,
} from "../../registry/catalog/sitemap.ts";
import { RegistryError } from "../../registry/errors.ts";
import { limits } from "../../registry/limits.ts";
import { timeOf } from "./present.ts";

/** What search engines ask for: where they may look, and what there is. Nobody is asked who they are. */
export const crawlers = new Hono<AppEnv>();

crawlers.onError(
  errorHandler(usualStatus, (error, status) => {
    const headers = { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" };
    return new Response(`${error.message}\n`, { status, headers });
  }),
);

/**
 * What is for clients, for whoever is signed in, or for whoever was given a link. These are beginnings of addresses: `$`
 * ends one (RFC 9309), so that the collections of an entity such as `uploads` stay readable.
 */
const notForCrawlers =
  `/account$ /admin/ /api/ /auth/ /blobs/ /container/ /invitations$ /login$ /login? /pks/ /s/ /upload$ /upload/ /v1/ /v2/`.split(
    " ",
  );

const cached = { "Cache-Control": `public, max-age=${limits.sitemapCacheSeconds}` };

/** The original had it behind a slash. */
for (const path of ["/robots.txt", "/robots.txt/"]) crawlers.get(path, withContext, robots);

function robots(c: Context<AppEnv>): Response {
  const lines = hasSitemap(c.var.ctx.settings)
    ? [...notForCrawlers.map((path) => `Disallow: ${path}`), ...sitemapLine(c)]
    : ["Disallow: /"];
  const headers = { "Content-Type": "text/plain; charset=utf-8", ...cached };
  return c.body(`${["User-agent: *", ...lines].join("\n")}\n`, 200, headers);
}

/** Where the registry does not know its own address there is none to name. */
function sitemapLine(c: Context<AppEnv>): string[] {
  try {
    return ["", `Sitemap: ${c.var.ctx.origin()}/sitemap.xml`];
  } catch {
    return [];
  }
}

crawlers.get("/sitemap.xml", withContext, async (c) => {
  const origin = c.var.ctx.origin();
  const parts = await listSitemapParts(c.var.ctx);
  const locations = parts.map(({ kind, part }) => {
    const url = `${origin}/sitemap-${kind}.xml${part === "" ? "" : `?part=${part}`}`;
    return `<sitemap><loc>${escapeXml(url)}</loc></sitemap>`;
  });
  return xml(c, "sitemapindex", locations);
});

for (const kind of sitemapKinds) crawlers.get(`/sitemap-${kind}.xml`, withContext, (c) => sitemap(c, kind));

async function sitemap(c: Context<AppEnv>, kind: SitemapKind): Promise<Response> {
  const part = c.req.query("part") ?? "";
  if (!/^[0-9a-f]*$/.test(part) || part.length > limits.sitemapDigits) throw new RegistryError("no-such-route");
  const origin = c.var.ctx.origin();
  const entries = await listSitemap(c.var.ctx, kind, part);
  return xml(
    c,
    "urlset",
    entries.map((entry) => location(origin, entry)),
  );
}

function location(origin: string, { path, updatedAt }: SitemapEntry): string {
  const changed = timeOf(updatedAt);
  return `<url><loc>${escapeXml(`${origin}/${path}`)}</loc><lastmod>${changed}</lastmod></url>`;
}

function xml(c: Context<AppEnv>, root: "sitemapindex" | "urlset", items: readonly string[]): Response {
  const open = `<${root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`;
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n${[open, ...items, `</${root}>`].join("\n")}\n`;
  return c.body(text, 200, { "Content-Type": "application/xml; charset=utf-8", ...cached });
}

/** Names have nothing that XML minds; the registry's own address is whatever somebody set. */
function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

crawlers.all("*", () => {
  throw new RegistryError("no-such-route");
});
