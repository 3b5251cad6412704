import { and, desc, eq, gte, inArray, lt, type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { audit } from "../../storage/db/schema/upkeep.ts";
import { authorizeOnSite } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";

export type AuditEntry = typeof audit.$inferSelect;

/** What entries must be. Times are milliseconds; `since` belongs to the span, and `until` does not. */
export interface AuditFilter {
  actor?: string | undefined;
  /** A whole action; or, ending in a dot, what actions begin with: `token.`. */
  action?: string | undefined;
  target?: string | undefined;
  since?: number | undefined;
  until?: number | undefined;
}

/**
 * The audit log, newest first, a page at a time. `after` is the last page's `next`.
 * @throws `query-invalid` for an `after` that is none, and what the policy refuses
 */
export async function listAudit(
  ctx: Context,
  actor: Actor,
  after: string | null,
  filter: AuditFilter = {},
): Promise<Page<AuditEntry>> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const before = after === null ? null : idOf(after);
  const rows = await ctx.db
    .select()
    .from(audit)
    .where(and(before === null ? undefined : lt(audit.id, before), ...conditionsOf(filter)))
    .orderBy(desc(audit.id))
    .limit(PAGE_ROWS)
    .all();
  return pageOf(rows, ({ id }) => String(id));
}

function idOf(after: string): number {
  if (!/^\d{1,15}$/.test(after)) throw new RegistryError("query-invalid");
  return Number(after);
}

function conditionsOf({ actor, action, target, since, until }: AuditFilter): (SQL | undefined)[] {
  return [
    actor === undefined ? undefined : eq(audit.actor, actor.toLowerCase()),
    action === undefined ? undefined : actionIs(action),
    target === undefined ? undefined : targetIs(target),
    since === undefined ? undefined : and(gte(audit.at, since), sql`${audit.id} > ${lastBefore(since)}`),
    until === undefined ? undefined : and(lt(audit.at, until), sql`${audit.id} < ${firstBehind(until)}`),
  ];
}

/*
 * The list goes by id, which times follow but for the difference between clocks. So no entry of a span
 * has a smaller id than one that is older by more than that; likewise behind it. Only what is between is read.
 */
function lastBefore(since: number): SQL {
  const time = since - limits.clockSkewSeconds * 1000;
  return sql`coalesce((SELECT a.id FROM ${audit} AS a WHERE a.at < ${time} ORDER BY a.at DESC, a.id DESC LIMIT 1), 0)`;
}

function firstBehind(until: number): SQL {
  const time = until + limits.clockSkewSeconds * 1000;
  const first = sql`SELECT a.id FROM ${audit} AS a WHERE a.at >= ${time} ORDER BY a.at, a.id LIMIT 1`;
  return sql`coalesce((${first}), ${Number.MAX_SAFE_INTEGER})`;
}

/** Names are in lower case, however they are asked for; tags and settings are what they are. */
function targetIs(target: string): SQL {
  const lower = target.toLowerCase();
  return lower === target ? eq(audit.target, target) : inArray(audit.target, [target, lower]);
}

/** A prefix as a range, which an index finds. The dot's successor is the slash. */
function actionIs(action: string): SQL | undefined {
  if (!action.endsWith(".")) return eq(audit.action, action);
  return and(gte(audit.action, action), lt(audit.action, sql`${`${action.slice(0, -1)}/`}`));
}
