import { type Context, Hono } from "hono";
import type { AppEnv } from "../../http/request-context.ts";
import { errorHandler, usualStatus } from "../../http/respond.ts";
import { sha256Hex } from "../../registry/digest.ts";
import { RegistryError } from "../../registry/errors.ts";
import { limits } from "../../registry/limits.ts";

/**
 * The JSON API's document for people and programs. Both are files beside the pages' own, and not in the Worker's
 * bundle: a quarter of a megabyte that every isolate would parse when it starts, and few would be asked for.
 */
export const apiDocs = new Hono<AppEnv>();

const DOCUMENT = "/api/v1/openapi.json";
const PAGE = "/api/docs";

apiDocs.onError(
  errorHandler(usualStatus, (error, status) => {
    const headers = { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" };
    return new Response(`${error.message}\n`, { status, headers });
  }),
);

// What the pages have, and beside it the styles that the reader of the document writes into its elements.
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

apiDocs.get(PAGE, async (c) => {
  const page = await builtFile(c, "/api-docs.html");
  const headers = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-cache",
    "Content-Security-Policy": contentSecurityPolicy,
  };
  return new Response(page.body, { headers });
});

// Where the original has these.
apiDocs.get(`${PAGE}/`, (c) => c.redirect(PAGE));
for (const path of ["/api/schema", "/api/schema/"]) apiDocs.get(path, (c) => c.redirect(DOCUMENT));

apiDocs.all("*", () => {
  throw new RegistryError("no-such-route");
});

/** Answers the document, or 304 to whoever has it. */
export async function apiDocument(c: Context<AppEnv>): Promise<Response> {
  const text = await (await builtFile(c, "/openapi.json")).text();
  const tag = await tagOf(text);
  const headers = { ETag: tag, "Cache-Control": `public, max-age=${limits.discoveryCacheSeconds}` };
  const known = (c.req.header("if-none-match") ?? "").split(",").map((one) => one.trim().replace(/^W\//, ""));
  if (known.includes(tag) || known.includes("*")) return new Response(null, { status: 304, headers });
  return new Response(text, { headers: { ...headers, "Content-Type": "application/json" } });
}

let hashed: { text: string; tag: string } | null = null;

/** Hashed once by each isolate: it is another one that a new version runs in. */
async function tagOf(text: string): Promise<string> {
  if (hashed?.text !== text) hashed = { text, tag: `"${(await sha256Hex(text)).slice(0, 32)}"` };
  return hashed.tag;
}

async function builtFile(c: Context<AppEnv>, path: `/${string}`): Promise<Response> {
  // Only the path counts: a client may write a Host that no URL can have.
  const file = await c.env.ASSETS.fetch(new URL(path, "http://assets.invalid"));
  if (!file.ok) throw new RegistryError("internal", undefined, { detail: `${path} is not built` });
  return file;
}
