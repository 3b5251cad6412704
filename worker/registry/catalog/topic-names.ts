import { sql } from "drizzle-orm";

/** The topics of the container at hand in the order of their names, as a column. */
export const topicNames = sql`(
  SELECT json_group_array(name) FROM (
    SELECT topic.name AS name FROM topics AS topic
    WHERE topic.container_id = containers.id AND NOT topic.removed ORDER BY topic.name))`
  .mapWith((text: string) => JSON.parse(text) as string[])
  .as("topic_names");
