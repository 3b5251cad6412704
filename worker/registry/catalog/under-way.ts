import { type SQL, sql } from "drizzle-orm";

/** Whether a row of `uploads` is of bytes that may still come. */
export function isUnderWay(now: number): SQL {
  return sql`(uploads.state = 'verifying' OR (uploads.state = 'open' AND uploads.expires_at > ${now}))`;
}
