import { ApiError, ask } from "./client.ts";
import type { Me } from "./schema.d.ts";

/**
 * Who is signed in; null where nobody is. The registry sets a cookie that says no more than that somebody is, beside
 * the one that no script can read: so the pages of most readers ask nothing.
 * @throws ApiError
 */
export async function fetchMe(): Promise<Me | null> {
  if (!/(?:^|; )__Host-signed-in=/.test(document.cookie)) return null;
  try {
    return await ask("GET /api/v1/me");
  } catch (error) {
    // The session has ended. The answer took both cookies away.
    if (error instanceof ApiError && (error.code === "invalid-credential" || error.code === "unauthenticated")) {
      return null;
    }
    throw error;
  }
}

/** Whether there are terms of use that somebody has not agreed to: the registry does little for them until then. */
export function mustAgree({ terms }: Me): boolean {
  return terms.required !== null && terms.required !== terms.agreed;
}
