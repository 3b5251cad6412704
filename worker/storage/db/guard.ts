import { sql } from "drizzle-orm";
import { describe, type ErrorCode, RegistryError } from "../../registry/errors.ts";
import { type Database, type Statement, statement } from "./client.ts";

/** Why a batch may abort itself. Each has its CHECK on the `guards` table. */
export type GuardReason = Extract<
  ErrorCode,
  | "conflict"
  | "not-found"
  | "tag-frozen"
  | "frozen"
  | "collection-limit"
  | "name-taken"
  | "already-so"
  | "precondition-failed"
  | "identity-taken"
  | "last-identity"
  | "link-ended"
  | "limit-reached"
  | "last-owner"
  | "quota-exceeded"
  | "share-ended"
>;

/**
 * A statement for directly behind one that must change a row: when it changed
 * none, the whole batch is rolled back for this reason. SELECTs between them
 * do not matter; `changes()` speaks of the last write.
 */
export function guardChanged(db: Database, reason: GuardReason): Statement {
  return statement(db, sql`INSERT INTO guards (reason) SELECT ${reason} WHERE changes() = 0`);
}

/** A statement that rolls the whole batch back for this reason when the condition holds. */
export function guardAgainst(db: Database, reason: GuardReason, condition: ReturnType<typeof sql>): Statement {
  return statement(db, sql`INSERT INTO guards (reason) SELECT ${reason} WHERE ${condition}`);
}

/** Gives the error of an aborted batch its reason back; passes any other error on as it is. */
export function explainGuard(thrown: unknown): unknown {
  const reason = /CHECK constraint failed: guard:([a-z-]+)/.exec(describe(thrown))?.[1];
  return reason === undefined ? thrown : new RegistryError(reason as GuardReason, undefined, { cause: thrown });
}
