import { type Context, Hono } from "hono";
import { type AppEnv, withContext } from "../../http/request-context.ts";
import { errorHandler, usualStatus } from "../../http/respond.ts";
import { digestHex, isDigest } from "../../registry/digest.ts";
import { RegistryError } from "../../registry/errors.ts";
import { downloadShare, lookAtShare, type SharedImage } from "../../registry/pull/open-share.ts";
import { shell } from "./pages.ts";

/**
 * Share links. A browser gets a page, whose button downloads: whatever only looks at links on the way, such as a mail
 * scanner, uses none up. Everything else is sent on to the bytes.
 */
export const shared = new Hono<AppEnv>();

/** A client that saves whatever comes must not take a text for the image: an error has none but in a header. */
shared.onError(
  errorHandler(usualStatus, (error, status) => {
    const headers = { "Cache-Control": "no-store", "Sregistry-Error": error.message };
    return new Response(null, { status, headers });
  }),
);

for (const path of ["/s/:secret", "/s/:secret/:file"] as const) {
  shared.get(path, withContext, async (c) => {
    if (wantsPage(c)) return await sharePage(c);
    const secret = c.req.param("secret");
    if (c.req.method === "HEAD") return headOf(await lookAtShare(c.var.ctx, secret));
    const { url } = await downloadShare(c.var.ctx, secret);
    return new Response(null, { status: 303, headers: { Location: url, "Cache-Control": "no-store" } });
  });
}

shared.all("/s/*", () => {
  throw new RegistryError("no-such-route");
});

function wantsPage(c: Context<AppEnv>): boolean {
  return (c.req.header("accept") ?? "").toLowerCase().includes("text/html");
}

/** Whether the link opens, the page finds out. */
async function sharePage(c: Context<AppEnv>): Promise<Response> {
  const page = await shell(c, 200, { hasSecret: true });
  page.headers.set("Cache-Control", "no-store");
  page.headers.set("Vary", "Accept");
  return page;
}

/** What a download would bring, which uses none up. */
function headOf({ url, digest, sizeBytes }: SharedImage): Response {
  const hex = isDigest(digest) ? digestHex(digest) : "";
  const name = decodeURIComponent(new URL(url).pathname.split("/").at(-1) ?? "");
  const headers = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "no-store",
    "Content-Disposition": `attachment; filename="${name}"`,
    "Content-Length": String(sizeBytes),
    "Content-Type": "application/octet-stream",
    ETag: `"sha256:${hex}"`,
    // RFC 9530.
    "Repr-Digest": `sha-256=:${Buffer.from(hex, "hex").toString("base64")}:`,
  };
  return new Response(null, { status: 200, headers });
}
