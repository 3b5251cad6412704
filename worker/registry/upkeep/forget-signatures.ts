import { inArray, lt } from "drizzle-orm";
import type { Context } from "../../context.ts";
import { usedSignatures } from "../../storage/db/schema/people.ts";
import { limits } from "../limits.ts";

/** Forgets used signatures whose hour is over: nobody can use them again. @returns how many, a batch at most */
export async function forgetSignatures(ctx: Context): Promise<number> {
  const over = ctx.db
    .select({ signature: usedSignatures.signature })
    .from(usedSignatures)
    .where(lt(usedSignatures.expiresAt, ctx.now()))
    .limit(limits.upkeepBatch);
  const forgotten = await ctx.db
    .delete(usedSignatures)
    .where(inArray(usedSignatures.signature, over))
    .returning({ signature: usedSignatures.signature });
  return forgotten.length;
}
