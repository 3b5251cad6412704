import { type SQL, sql } from "drizzle-orm";

/** Whether a row of `uploads` takes bytes still, or is being verified. */
export function isUnderWay(now: number): SQL {
  return sql`(uploads.state = 'verifying' OR (uploads.state = 'open' AND uploads.expires_at > ${now}))`;
}
