import { type SQL, sql } from "drizzle-orm";
import type { TeamPlace } from "../../access/roles.ts";
import { users } from "../../storage/db/schema/people.ts";
import { teamMembers } from "../../storage/db/schema/teams.ts";

/**
 * The teams of the user at hand, for a query over `users`: whoever is authenticated brings them along, so that every
 * question of rights knows them. A robot has none. In words: from a query over one table drizzle leaves out the names of tables.
 */
export const teamPlaces: SQL.Aliased<TeamPlace[]> = sql`(
  SELECT json_group_array(json_object('id', team.id, 'name', team.username, 'role', place.role))
  FROM ${teamMembers} AS place INNER JOIN ${users} AS team ON team.id = place.team_id
  WHERE place.user_id = users.id)`
  .mapWith((text: string) => JSON.parse(text) as TeamPlace[])
  .as("team_places");
