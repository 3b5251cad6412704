import { desc, lt } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { audit } from "../../storage/db/schema/upkeep.ts";
import { authorizeOnSite } from "../authorize.ts";
import { limits } from "../limits.ts";

export type AuditEntry = typeof audit.$inferSelect;

/** The audit log, newest first, a page at a time. `after` is the last page's `next`. */
export async function listAudit(
  ctx: Context,
  actor: Actor,
  after: string | null,
): Promise<{ items: AuditEntry[]; next: string | null }> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const before = after !== null && /^\d{1,15}$/.test(after) ? Number(after) : null;
  const items = await ctx.db
    .select()
    .from(audit)
    .where(before === null ? undefined : lt(audit.id, before))
    .orderBy(desc(audit.id))
    .limit(limits.pageSize + 1)
    .all();
  const last = items.length > limits.pageSize ? items[limits.pageSize - 1] : undefined;
  return { items: items.slice(0, limits.pageSize), next: last === undefined ? null : String(last.id) };
}
