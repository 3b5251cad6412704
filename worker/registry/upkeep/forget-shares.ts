import { inArray, lte } from "drizzle-orm";
import type { Context } from "../../context.ts";
import { handOvers, shares } from "../../storage/db/schema/sharing.ts";
import { limits } from "../limits.ts";

/** Forgets share links that expired. @returns how many, a batch at most */
export async function forgetShares(ctx: Context): Promise<number> {
  const over = ctx.db
    .select({ id: shares.id })
    .from(shares)
    .where(lte(shares.expiresAt, ctx.now()))
    .limit(limits.upkeepBatch);
  const forgotten = await ctx.db.delete(shares).where(inArray(shares.id, over)).returning({ id: shares.id });
  return forgotten.length;
}

/** Forgets collections that were offered and nobody took. @returns how many, a batch at most */
export async function forgetHandOvers(ctx: Context): Promise<number> {
  const over = ctx.db
    .select({ id: handOvers.collectionId })
    .from(handOvers)
    .where(lte(handOvers.expiresAt, ctx.now()))
    .limit(limits.upkeepBatch);
  const forgotten = await ctx.db
    .delete(handOvers)
    .where(inArray(handOvers.collectionId, over))
    .returning({ id: handOvers.collectionId });
  return forgotten.length;
}
