import { eq, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { sessions, users } from "../../storage/db/schema/people.ts";
import { sha256Hex } from "../digest.ts";
import { auditRow } from "../upkeep/audit.ts";

/**
 * Ends the session a browser had before somebody signed in with it: nobody who knew that one comes along.
 * @param secret the browser's cookie; null where it had none
 * @returns statements for the batch that starts the new one
 */
export async function endPrevious(ctx: Context, secret: string | null): Promise<Statement[]> {
  if (secret === null) return [];
  const isIt = eq(sessions.hash, await sha256Hex(secret));
  const found = await ctx.db
    .select({ id: sessions.id, username: users.username })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(isIt)
    .get();
  if (found === undefined) return [];
  const { id, username } = found;
  const ended = { detail: { id, replaced: true }, when: sql`changes() > 0` };
  return [
    ctx.db.delete(sessions).where(isIt),
    auditRow(ctx, { kind: "on-behalf", username }, "session.end", username, ended),
  ];
}
