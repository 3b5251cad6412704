import { type SQL, sql } from "drizzle-orm";

/** Whether an account is this person's, or that of a team they own. */
export function owns(accountId: SQL, userId: string | SQL | null): SQL {
  return sql`(${accountId} = ${userId} OR EXISTS (
    SELECT 1 FROM team_members AS place
    WHERE place.team_id = ${accountId} AND place.user_id = ${userId} AND place.role = 'owner'))`;
}

/** Whether an account is this person's, or that of a team they are in. */
export function actsFor(accountId: SQL, userId: string | SQL): SQL {
  return sql`(${accountId} = ${userId} OR EXISTS (
    SELECT 1 FROM team_members AS part WHERE part.team_id = ${accountId} AND part.user_id = ${userId}))`;
}

/**
 * Whether somebody, or a team they are in, was given this role in a collection, or one that includes it.
 * @param which further conditions on the row of `collection_members`, which is called `granted`
 */
export function isGranted(
  role: "owner" | "contributor",
  collectionId: string | SQL,
  userId: string | SQL,
  which = sql`1`,
): SQL {
  const roles = role === "owner" ? sql`granted.role = 'owner'` : sql`granted.role IN ('owner', 'contributor')`;
  return sql`EXISTS (
    SELECT 1 FROM collection_members AS granted
    WHERE granted.collection_id = ${collectionId} AND ${roles} AND ${which} AND ${actsFor(sql`granted.user_id`, userId)})`;
}
