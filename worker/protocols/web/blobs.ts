import { Hono } from "hono";
import { readRange } from "../../formats/range.ts";
import { contentLength } from "../../http/body.ts";
import { type AppEnv, withFixedContext } from "../../http/request-context.ts";
import { errorHandler, usualStatus } from "../../http/respond.ts";
import { digestHex } from "../../registry/digest.ts";
import { RegistryError } from "../../registry/errors.ts";
import { openDownload, readDownload } from "../../registry/pull/download.ts";
import { takePart } from "../../registry/push/multipart.ts";
import { takeUpload } from "../../registry/push/take-upload.ts";

/** Bytes: what the signed URLs of pulls and pushes point at. No credential, no database. */
export const blobs = new Hono<AppEnv>();
blobs.use(withFixedContext);

/**
 * Clients that read ranges write any answer into the image file, whatever its status: an error has no body,
 * and a Range is never answered with the whole. The reason stands in a header, for people with curl.
 */
blobs.onError(
  errorHandler(usualStatus, (error, status) => {
    const headers = { "Cache-Control": "no-store", "Sregistry-Error": error.message };
    return new Response(null, { status, headers });
  }),
);

blobs.put("/blobs/upload", async (c) => {
  await takeUpload(c.var.ctx, c.req.query("t") ?? "", c.req.raw.body, contentLength(c.req.raw));
  return c.body(null, 200);
});

/** The ETag is the part's token: the client gives it back with its quotes. */
blobs.put("/blobs/part", async (c) => {
  const { etag } = await takePart(c.var.ctx, c.req.query("t") ?? "", c.req.raw.body, contentLength(c.req.raw));
  return c.body(null, 200, { ETag: etag });
});

blobs.get("/blobs/:file", async (c) => {
  const download = await openDownload(c.var.ctx, c.req.query("t") ?? "");
  const lastModified = new Date(download.since).toUTCString();
  const etag = `"sha256:${digestHex(download.digest)}"`;
  const headers = new Headers({
    "Accept-Ranges": "bytes",
    // Private: the URL is a bearer link, and its end must be its end. no-transform: a proxy must not compress it.
    "Cache-Control": "private, max-age=3600, immutable, no-transform",
    "Content-Disposition": contentDisposition(c.req.param("file")),
    "Content-Type": "application/octet-stream",
    ETag: etag,
    "Last-Modified": lastModified,
  });
  if (matchesAny(c.req.header("if-none-match"), etag)) return new Response(null, { status: 304, headers });
  const ifRange = c.req.header("if-range");
  const isCurrent = ifRange === undefined || ifRange === etag || ifRange === lastModified;
  const range = readRange(isCurrent ? c.req.header("range") : null, download.sizeBytes);
  if (range.kind === "unsatisfiable") {
    headers.set("Content-Range", `bytes */${download.sizeBytes}`);
    for (const name of ["Content-Disposition", "Content-Type", "ETag", "Last-Modified"]) headers.delete(name);
    headers.set("Cache-Control", "no-store");
    return new Response(null, { status: 416, headers });
  }
  const { offset, length } = range.kind === "part" ? range : { offset: 0, length: download.sizeBytes };
  if (range.kind === "part") {
    headers.set("Content-Range", `bytes ${offset}-${offset + length - 1}/${download.sizeBytes}`);
  }
  headers.set("Content-Length", String(length));
  const status = range.kind === "part" ? 206 : 200;
  if (c.req.method === "HEAD") return new Response(null, { status, headers });
  return new Response(await readDownload(c.var.ctx, download, { offset, length }), { status, headers });
});

blobs.all("/blobs/*", () => {
  throw new RegistryError("no-such-route");
});

/** Any of the tags of an If-None-Match, weak or not, or `*`. */
function matchesAny(header: string | undefined, etag: string): boolean {
  return (header ?? "").split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag);
}

/** The file name is the last of the URL; only what is safe in a header's quotes is kept of it. */
function contentDisposition(file: string): string {
  return `attachment; filename="${file.replace(/[^A-Za-z0-9._-]/g, "_").slice(0, 200)}"`;
}
