import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { audit } from "../../storage/db/schema/upkeep.ts";

/** Who is named in the audit log: an actor, or the user a job works for; it may have been deleted meanwhile. */
export type Doer = Actor | { kind: "on-behalf"; username: string | null };

/**
 * A row of the audit log, for the batch of the act it records.
 * @param options.in the collection it is done to or in: its owners see it among what was done there
 * @param options.when a condition seen inside the batch; without it the row is always written
 */
export function auditRow(
  ctx: Context,
  by: Doer,
  action: string,
  target: string,
  options: { detail?: Record<string, unknown>; in?: string; when?: SQL } = {},
): Statement {
  const detail = options.detail === undefined ? null : JSON.stringify(options.detail);
  return statement(
    ctx.db,
    sql`
    INSERT INTO ${audit} (at, actor, action, target, detail, request_id, credential, address, collection_id)
    SELECT ${ctx.now()}, ${labelOf(by)}, ${action}, ${target}, ${detail}, ${ctx.requestId},
      ${by.kind === "user" ? by.credential.id : null}, ${ctx.client.address}, ${options.in ?? null}
    WHERE ${options.when ?? sql`1`}`,
  );
}

/** The same for an act on many things at once, whatever their number. */
export function auditRows(ctx: Context, by: Doer, action: string, targets: readonly string[]): Statement {
  return statement(
    ctx.db,
    sql`
    INSERT INTO ${audit} (at, actor, action, target, request_id, credential, address)
    SELECT ${ctx.now()}, ${labelOf(by)}, ${action}, value, ${ctx.requestId},
      ${by.kind === "user" ? by.credential.id : null}, ${ctx.client.address}
    FROM json_each(${JSON.stringify(targets)})`,
  );
}

function labelOf(by: Doer): string {
  if (by.kind === "on-behalf") return by.username ?? "deleted user";
  return by.kind === "user" ? by.username : by.kind;
}
