import type { ErrorHandler } from "hono";
import type * as z from "zod";
import type { AppEnv } from "../../http/request-context.ts";
import { errorHandler, usualStatus } from "../../http/respond.ts";
import { clearedCookies } from "../../http/session-cookie.ts";
import { errorHelp } from "../../registry/error-help.ts";
import { errorMessages } from "../../registry/errors.ts";
import type { problemSchema } from "./schemas.ts";

/** The JSON API's errors: RFC 9457 problem details. */
export const onApiError: ErrorHandler<AppEnv> = async (thrown, c) => {
  const answer = await problem(thrown, c);
  for (const cookie of clearedCookies(c)) answer.headers.append("Set-Cookie", cookie);
  return answer;
};

const problem = errorHandler(usualStatus, (error, status, requestId) => {
  const details: z.input<typeof problemSchema> = {
    type: `/api/v1/errors/${error.code}`,
    title: errorMessages[error.code],
    status,
    detail: error.message,
    code: error.code,
    help: errorHelp[error.code],
    requestId,
  };
  const headers: HeadersInit = { "Content-Type": "application/problem+json", "Cache-Control": "no-store" };
  if (status === 401) headers["WWW-Authenticate"] = "Bearer";
  return new Response(JSON.stringify(details), { status, headers });
});
