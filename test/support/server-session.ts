import { createHash, randomBytes, randomUUID } from "node:crypto";
import { limits } from "../../worker/registry/limits.ts";
import type { TestServer } from "./test-server.ts";

/** The name of the cookie of a browser that is signed in. */
export const sessionCookie = "__Host-session";

/** Signs a user in as no test has to do by hand; answers the cookie's value. */
export async function signIn({ miniflare }: Pick<TestServer, "miniflare">, username: string): Promise<string> {
  const secret = randomBytes(limits.secretRandomBytes).toString("base64url");
  const now = Date.now();
  const database = await miniflare.getD1Database("DB");
  const { meta } = await database
    .prepare(
      `INSERT INTO sessions (id, user_id, hash, signed_in_with, user_agent, created_at, last_used_at, expires_at)
       SELECT ?, id, ?, 'login-link', 'test', ?, ?, ? FROM users WHERE username = ?`,
    )
    .bind(randomUUID(), createHash("sha256").update(secret).digest("hex"), now, now, now + 3_600_000, username)
    .run();
  if (meta.changes !== 1) throw new Error(`there is no user ${username}`);
  return secret;
}
