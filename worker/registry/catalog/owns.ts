import { type SQL, sql } from "drizzle-orm";

/** Whether an account is this person's, or that of a team they own. */
export function owns(accountId: SQL, userId: string | SQL | null): SQL {
  return sql`(${accountId} = ${userId} OR EXISTS (
    SELECT 1 FROM team_members AS place
    WHERE place.team_id = ${accountId} AND place.user_id = ${userId} AND place.role = 'owner'))`;
}
