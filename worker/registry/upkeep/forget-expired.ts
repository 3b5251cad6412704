import { inArray, lt } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Context } from "../../context.ts";
import { loginLinks, sessions, usedSignatures } from "../../storage/db/schema/people.ts";
import { handOvers, shares } from "../../storage/db/schema/sharing.ts";
import { invitations } from "../../storage/db/schema/teams.ts";
import { limits } from "../limits.ts";

interface Expiring {
  table: SQLiteTable & { expiresAt: SQLiteColumn };
  /** What names a row of it. */
  key: SQLiteColumn;
}

/** What ends by itself, and leaves a row behind that nobody needs any more. */
const expiring = {
  /** Their hour is over: nobody can use them again. */
  signatures: { table: usedSignatures, key: usedSignatures.signature },
  sessions: { table: sessions, key: sessions.id },
  loginLinks: { table: loginLinks, key: loginLinks.hash },
  shares: { table: shares, key: shares.id },
  /** Offered collections that nobody took. */
  handOvers: { table: handOvers, key: handOvers.collectionId },
  invitations: { table: invitations, key: invitations.id },
} as const satisfies Record<string, Expiring>;

/** Forgets what is over. @returns how many rows, a batch at most */
export async function forgetExpired(ctx: Context, what: keyof typeof expiring): Promise<number> {
  const { table, key }: Expiring = expiring[what];
  const over = ctx.db.select({ key }).from(table).where(lt(table.expiresAt, ctx.now())).limit(limits.upkeepBatch);
  const forgotten = await ctx.db.delete(table).where(inArray(key, over)).returning({ key });
  return forgotten.length;
}
