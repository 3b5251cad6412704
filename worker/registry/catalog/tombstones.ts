import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { tombstones } from "../../storage/db/schema/history.ts";

export type NameKind = "entity" | "collection" | "short-name";

/** Keeps the name of a deleted thing from being taken over. A collection's is `entity/collection`. */
export function bury(ctx: Context, kind: NameKind, name: string): Statement {
  return ctx.db.insert(tombstones).values({ kind, name, createdAt: ctx.now() }).onConflictDoNothing();
}

/** The same for all names that a query over `from` gives. */
export function buryAll(ctx: Context, kind: NameKind, { name, from }: { name: SQL; from: SQL }): Statement {
  return statement(
    ctx.db,
    sql`
    INSERT INTO ${tombstones} (kind, name, created_at)
    SELECT ${kind}, ${name}, ${ctx.now()} FROM ${from}
    ON CONFLICT DO NOTHING`,
  );
}

/** Whether a name is kept from a deleted thing. */
export function isBuried(kind: NameKind, name: string): SQL {
  return sql`EXISTS (SELECT 1 FROM ${tombstones} WHERE ${and(eq(tombstones.kind, kind), eq(tombstones.name, name))})`;
}
