import type { ErrorHandler } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type ErrorCode, type RegistryError, toRegistryError } from "../registry/errors.ts";
import { limits } from "../registry/limits.ts";
import { loggedPath } from "./logged-path.ts";
import type { AppEnv } from "./request-context.ts";

/** A total map from error code to HTTP status. Each protocol has its own. */
export type StatusMap = Readonly<Record<ErrorCode, ContentfulStatusCode>>;

/** What most protocols agree on; each says for itself where it differs. */
export const usualStatus: StatusMap = {
  unauthenticated: 401,
  "invalid-credential": 401,
  "insufficient-scope": 403,
  "session-required": 403,
  "terms-required": 403,
  forbidden: 403,
  "not-found": 404,
  "no-such-route": 404,
  "reference-invalid": 400,
  "name-invalid": 400,
  "name-reserved": 409,
  "name-taken": 409,
  "tag-invalid": 400,
  "topic-invalid": 400,
  "digest-invalid": 400,
  "query-invalid": 400,
  "body-invalid": 400,
  "body-too-large": 413,
  "length-required": 411,
  conflict: 409,
  "precondition-required": 428,
  "precondition-failed": 412,
  "limit-reached": 409,
  "people-from-teams": 403,
  "last-owner": 409,
  "quota-exceeded": 507,
  "share-ended": 410,
  "picture-invalid": 415,
  "pushing-disabled": 403,
  "collections-disabled": 403,
  "collection-limit": 403,
  "topic-limit": 409,
  "private-only": 403,
  frozen: 409,
  "tag-frozen": 409,
  "read-only": 409,
  "image-too-large": 413,
  "size-mismatch": 400,
  "digest-mismatch": 400,
  "upload-expired": 410,
  "upload-used": 409,
  "upload-incomplete": 409,
  "upload-ended": 410,
  "parts-invalid": 400,
  verifying: 503,
  "verification-failed": 422,
  "image-corrupt": 410,
  "sif-invalid": 422,
  "sif-unsupported": 422,
  "architecture-mismatch": 400,
  "capability-invalid": 403,
  "capability-expired": 410,
  "range-not-satisfiable": 416,
  "cross-site": 403,
  "https-required": 403,
  "sign-in-failed": 400,
  "sign-in-expired": 400,
  "not-admitted": 403,
  "identity-taken": 409,
  "last-identity": 409,
  "link-ended": 410,
  "provider-unavailable": 503,
  "publisher-refused": 403,
  "setting-locked": 409,
  "setting-invalid": 400,
  "keys-disabled": 403,
  "already-so": 409,
  "rate-limited": 429,
  misdirected: 421,
  misconfigured: 500,
  unavailable: 503,
  internal: 500,
};

/** Said with a status of 500 and more, though nothing went wrong. */
const isNobodysFault: ReadonlySet<ErrorCode> = new Set(["verifying", "quota-exceeded"]);

/** Turns whatever was thrown into an answer, and logs what is our fault with what only the log may know. */
export function errorHandler(
  status: StatusMap,
  render: (error: RegistryError, status: ContentfulStatusCode, requestId: string) => Response,
): ErrorHandler<AppEnv> {
  return (thrown, c) => {
    const error = toRegistryError(thrown);
    const code = status[error.code];
    const ctx = c.get("ctx");
    const requestId = ctx?.requestId ?? crypto.randomUUID();
    const isOurFault = code >= 500 && !isNobodysFault.has(error.code);
    if (isOurFault) {
      const fields = {
        code: error.code,
        method: c.req.method,
        path: loggedPath(c.req.path),
        detail: error.detail,
        requestId,
      };
      console.error(JSON.stringify({ event: "error", ...fields }));
    }
    const response = render(error, code, requestId);
    if (code === 503 || code === 429) response.headers.set("Retry-After", String(limits.retryAfterSeconds));
    return response;
  };
}
