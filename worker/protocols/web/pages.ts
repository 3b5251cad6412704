import { type Context, Hono } from "hono";
import { type AppEnv, findSettings } from "../../http/request-context.ts";
import { errorHandler, usualStatus } from "../../http/respond.ts";
import { RegistryError } from "../../registry/errors.ts";
import { parseContainerPath, reservedNames } from "../../registry/names.ts";
import { addressNow } from "./old-addresses.ts";

/** The UI's routes, beside those of collections and containers. Any other path gets the shell with status 404, or plain text where no page is wanted. */
export const uiRoutes = [
  "/",
  "/collections",
  "/login",
  "/auth/register",
  "/auth/link",
  "/auth/tokens",
  "/account",
  "/invitations",
  "/terms",
] as const;

/** Those of them where secrets are shown or taken. Nobody else's script is let in there, whatever is set. */
export const uiRoutesWithSecrets: readonly string[] = [
  "/login",
  "/auth/register",
  "/auth/link",
  "/auth/tokens",
  "/account",
  "/invitations",
];

/** Only the path counts. Not the request's own: a client may write a Host that no URL can have. */
const ASSETS_ORIGIN = "http://assets.invalid";

/** The web pages and their files. */
export const pages = new Hono<AppEnv>();

pages.onError(
  errorHandler(usualStatus, (error, status) => {
    const headers = { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" };
    return new Response(`${error.message}\n`, { status, headers });
  }),
);

// Before the pages, among which one's address may be anybody's name.
pages.get("*", async (c, next) => {
  const target = addressNow(c.req.path, new URLSearchParams(c.req.query()));
  return target === null ? await next() : c.redirect(target, 301);
});

for (const path of uiRoutes) pages.get(path, (c) => shell(c, 200));

pages.get("*", async (c, next) => {
  // As the page will see it: Hono's own path has escapes undone.
  const { pathname } = new URL(c.req.url);
  // Whoever does not ask for a page may be a client that takes whatever comes for an image.
  return isCatalogAddress(pathname) && wantsPage(c) ? await shell(c, 200) : await next();
});

/**
 * Whether an address is that of a collection's page (`/alice/tools`) or a container's, by its form alone: whether there is
 * one, and for whom, only the page's own requests ask, and so an address tells nobody anything.
 */
export function isCatalogAddress(path: string): boolean {
  const [first = "", ...others] = path.slice(1).split("/");
  if (others.length !== 1 && others.length !== 2) return false;
  if (parseContainerPath([first, ...others].join("/")) === null) return false;
  const entity = first.toLowerCase();
  return !reservedNames.has(entity);
}

// Names carry a hash of the content. Cloudflare serves them before the Worker runs; a missing one comes here.
const fileTypes: Record<string, string> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  woff2: "font/woff2",
};

pages.get("/static/:file", async (c) => {
  const file = c.req.param("file");
  const type = fileTypes[file.split(".").at(-1) ?? ""];
  if (!/^[\w-][\w.-]*$/.test(file) || type === undefined) throw new RegistryError("no-such-route");
  const asset = await c.env.ASSETS.fetch(new URL(`/static/${file}`, ASSETS_ORIGIN));
  if (!asset.ok) throw new RegistryError("no-such-route");
  const headers = { "Content-Type": type, "Cache-Control": "public, max-age=31536000, immutable" };
  return new Response(asset.body, { headers });
});

pages.all("*", async (c) => {
  if (!wantsPage(c) || c.req.path.startsWith("/static/")) throw new RegistryError("no-such-route");
  return await shell(c, 404);
});

/** Hono answers HEAD with what GET would send, without its body. */
function wantsPage({ req }: Context<AppEnv>): boolean {
  return ["GET", "HEAD"].includes(req.method) && (req.header("accept") ?? "").includes("text/html");
}

// No script or style stands in the page itself, and nothing comes from another host.
const contentSecurityPolicy = {
  "default-src": "'none'",
  "script-src": "'self'",
  "style-src": "'self'",
  "img-src": "'self' data:",
  "font-src": "'self'",
  "connect-src": "'self'",
  "form-action": "'self'",
  "base-uri": "'none'",
  "frame-ancestors": "'none'",
} as const;

// What Google names for Analytics 4 in its guide to content policies (2026), without the hosts for advertisements.
const tagHosts = "https://*.googletagmanager.com";
const measuringHosts = `${tagHosts} https://*.google-analytics.com https://*.analytics.google.com`;
const policyWithAnalytics = {
  ...contentSecurityPolicy,
  "script-src": `${contentSecurityPolicy["script-src"]} ${tagHosts}`,
  "img-src": `${contentSecurityPolicy["img-src"]} ${measuringHosts}`,
  "connect-src": `${contentSecurityPolicy["connect-src"]} ${measuringHosts}`,
};

/** @param of.hasSecret for an address that is one itself, and so is not listed above */
export async function shell(
  c: Context<AppEnv>,
  status: 200 | 404,
  of: { hasSecret: boolean } = { hasSecret: uiRoutesWithSecrets.includes(c.req.path) },
): Promise<Response> {
  const page = await c.env.ASSETS.fetch(new URL("/index.html", ASSETS_ORIGIN));
  if (!page.ok) throw new RegistryError("internal", undefined, { detail: "the UI is not built" });
  const mayCount = status === 200 && !of.hasSecret;
  const isCounted = mayCount && ((await findSettings(c.env))?.GOOGLE_ANALYTICS ?? "") !== "";
  const policy = Object.entries(isCounted ? policyWithAnalytics : contentSecurityPolicy);
  const headers = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-cache",
    "Content-Security-Policy": policy.map((directive) => directive.join(" ")).join("; "),
  };
  return new Response(page.body, { status, headers });
}
