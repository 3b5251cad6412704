import { desc, lt } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { audit } from "../../storage/db/schema/upkeep.ts";
import { authorizeOnSite } from "../authorize.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";

export type AuditEntry = typeof audit.$inferSelect;

/** The audit log, newest first, a page at a time. `after` is the last page's `next`. */
export async function listAudit(ctx: Context, actor: Actor, after: string | null): Promise<Page<AuditEntry>> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const before = after !== null && /^\d{1,15}$/.test(after) ? Number(after) : null;
  const rows = await ctx.db
    .select()
    .from(audit)
    .where(before === null ? undefined : lt(audit.id, before))
    .orderBy(desc(audit.id))
    .limit(PAGE_ROWS)
    .all();
  return pageOf(rows, ({ id }) => String(id));
}
