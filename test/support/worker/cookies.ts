/** The cookie of a session as an answer sets it; null where it sets none. */
export function sessionCookieOf(answer: Response): string | null {
  return answer.headers.getSetCookie().find((cookie) => cookie.startsWith("__Host-session=")) ?? null;
}
