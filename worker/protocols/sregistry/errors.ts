import { errorHandler, type StatusMap, usualStatus } from "../../http/respond.ts";

/**
 * `unauthenticated` is 403: sregistry-cli signs a request only after that, and gives up on a 401 (0.2.39,
 * base/http.py). For the same reason what is absent or hidden answers an unsigned request for a container so.
 */
export const sregistryStatus: StatusMap = {
  ...usualStatus,
  unauthenticated: 403,
  "reference-invalid": 404,
  frozen: 403,
  "tag-frozen": 403,
  "read-only": 403,
};

/** Clients print `detail`, or of an upload `message`. */
export const onSregistryError = errorHandler(sregistryStatus, (error, status) => {
  const headers: HeadersInit = { "Content-Type": "application/json", "Cache-Control": "no-store" };
  if (status === 401) headers["WWW-Authenticate"] = "SREGISTRY-HMAC-SHA256, Bearer";
  return new Response(JSON.stringify({ detail: error.message, message: error.message }), { status, headers });
});
