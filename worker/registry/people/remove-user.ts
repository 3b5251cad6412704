import { eq, sql } from "drizzle-orm";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { entities } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { bury, buryAll } from "../catalog/tombstones.ts";

/**
 * Statements that delete a user, with their empty entities, and by the database's own rules their credentials,
 * identities, memberships and publishers. Robots of theirs lose their owner, and what they made elsewhere stays
 * without their name. The username and the entities' names stay taken until an administrator frees them.
 * @throws (the batch) `conflict` while they own a collection
 */
export function userRemoval(ctx: Context, user: { id: string; username: string }): Statement[] {
  const isTheirs = eq(entities.ownerUserId, user.id);
  return [
    bury(ctx, "entity", user.username),
    buryAll(ctx, "entity", { name: sql`${entities.name}`, from: sql`${entities} WHERE ${isTheirs}` }),
    ctx.db.delete(entities).where(isTheirs),
    ctx.db.delete(users).where(eq(users.id, user.id)),
  ];
}
