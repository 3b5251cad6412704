import { and, eq, isNull } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { loginLinks, sessions, sregistryKeys, tokens } from "../../storage/db/schema/people.ts";
import { publishers } from "../../storage/db/schema/publishers.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { auditRow } from "../upkeep/audit.ts";
import { authorizedAccount, type Whose } from "./accounts.ts";

/**
 * Ends all that somebody could come in with, in one transaction: sessions, tokens, login links, the key for
 * sregistry-cli, and the publishers they set up, which would make tokens again. Whether there was any does not matter.
 * @throws `not-found`, and what the policy refuses
 */
export async function endCredentials(ctx: Context, actor: Actor, whose: Whose): Promise<void> {
  const account = await authorizedAccount(ctx, actor, "account.manage", whose);
  await writeTogether(ctx.db, [
    ctx.db
      .update(tokens)
      .set({ revokedAt: ctx.now() })
      .where(and(eq(tokens.userId, account.id), isNull(tokens.revokedAt))),
    ctx.db.delete(publishers).where(eq(publishers.createdBy, account.id)),
    ctx.db.delete(sregistryKeys).where(eq(sregistryKeys.userId, account.id)),
    ...endSignIns(ctx, account.id),
    auditRow(ctx, actor, "user.end-credentials", account.username),
  ]);
}

/** Statements that sign somebody out everywhere, for the batch of what makes that necessary. */
export function endSignIns(ctx: Context, userId: string): Statement[] {
  return [
    ctx.db.delete(sessions).where(eq(sessions.userId, userId)),
    ctx.db.delete(loginLinks).where(eq(loginLinks.userId, userId)),
  ];
}
