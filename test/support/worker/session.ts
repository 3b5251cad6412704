import { env } from "cloudflare:workers";
import { sha256Hex } from "../../../worker/registry/digest.ts";
import { sessionEnd } from "../../../worker/registry/people/sessions.ts";

export interface TestSession {
  cookie: string;
  /** What a browser sends with a request of our own pages. */
  headers: { Cookie: string; "Sec-Fetch-Site": "same-origin" };
}

/**
 * A browser in which this user is signed in.
 * @param at when they signed in and were there last; now unless said otherwise
 */
export async function newSession(username: string, at = Date.now()): Promise<TestSession> {
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
  const made = await env.DB.prepare(
    `INSERT INTO sessions (id, user_id, hash, signed_in_with, user_agent, created_at, last_used_at, expires_at)
     SELECT ?, id, ?, 'login-link', 'test', ?, ?, ? FROM users WHERE username = ?`,
  )
    .bind(crypto.randomUUID(), await sha256Hex(secret), at, at, sessionEnd(at, at), username)
    .run();
  if (made.meta.changes !== 1) throw new Error(`there is no user ${username}`);
  const cookie = `__Host-session=${secret}`;
  return { cookie, headers: { Cookie: cookie, "Sec-Fetch-Site": "same-origin" } };
}
