import type { Database, Statement } from "./client.ts";
import { explainGuard } from "./guard.ts";

/**
 * Runs statements as one transaction: all of them or none. Answers their
 * results in order.
 * @throws the guard's `RegistryError` when one of its guards aborted it
 */
export async function writeTogether(db: Database, statements: [Statement, ...Statement[]]): Promise<unknown[]> {
  try {
    return await db.batch(statements);
  } catch (thrown) {
    throw explainGuard(thrown);
  }
}
