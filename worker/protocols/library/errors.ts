import type { ContentfulStatusCode } from "hono/utils/http-status";
import { errorHandler, type StatusMap, usualStatus } from "../../http/respond.ts";

/**
 * Absent and hidden are 404, which the clients show as "not found" without reading the message. So is a
 * reference that cannot be one; a frozen tag is 400, as in sregistry.
 */
export const libraryStatus: StatusMap = {
  ...usualStatus,
  "reference-invalid": 404,
  frozen: 400,
  "tag-frozen": 400,
};

/** The clients show `<message> (<code> <its text>)`; `code` must be a number (json-resp). */
export function libraryError(status: ContentfulStatusCode, message: string): Response {
  const headers: HeadersInit = { "Content-Type": "application/json", "Cache-Control": "no-store" };
  if (status === 401) headers["WWW-Authenticate"] = "Bearer";
  return new Response(JSON.stringify({ error: { code: status, message } }), { status, headers });
}

export const onLibraryError = errorHandler(libraryStatus, (error, status) => libraryError(status, error.message));
