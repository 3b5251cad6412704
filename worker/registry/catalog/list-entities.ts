import { type SQL, sql } from "drizzle-orm";
import { type Actor, accountIdsOf, isAdministrator } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { authorizeList } from "../authorize.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import { holdsVisible } from "./facts.ts";

export interface ListedEntity {
  entity: string;
  description: string;
}

/**
 * The entities that hold something the actor may see, or are theirs, by name. One query, merged from parts that each
 * find their rows by an index, as `listCollectionsBy` does it.
 * @throws `unauthenticated`
 */
export async function listEntities(ctx: Context, actor: Actor, after: string | null): Promise<Page<ListedEntity>> {
  authorizeList(ctx, actor);
  const beginnings = partsOf(ctx, actor).map(
    (where) => sql`
      SELECT * FROM (
        SELECT entities.name AS name FROM entities WHERE ${where} AND ${after === null ? sql`1` : sql`entities.name > ${after}`}
        ORDER BY entities.name LIMIT ${PAGE_ROWS})`,
  );
  if (beginnings.length === 0) return { items: [], next: null };
  const rows = await ctx.db.all<ListedEntity>(sql`
    SELECT entities.name AS entity, entities.description FROM (
      ${sql.join(beginnings, sql` UNION `)} ORDER BY name LIMIT ${PAGE_ROWS}) AS page
    CROSS JOIN entities ON entities.name = page.name
    ORDER BY page.name`);
  return pageOf(rows, ({ entity }) => entity);
}

function partsOf({ settings }: Context, actor: Actor): SQL[] {
  // Written out: an index of some of the rows is used only where the query says the same.
  const publicOnes = settings.PRIVATE_ONLY ? [] : [sql`entities.public_collections > 0`];
  if (actor.kind === "anonymous") return publicOnes;
  if (actor.kind === "user" && actor.credential.collectionId !== null) {
    const itsEntity = sql`(SELECT held.entity_id FROM collections AS held WHERE held.id = ${actor.credential.collectionId})`;
    return [...publicOnes, sql`entities.id = ${itsEntity} AND ${holdsVisible(actor, settings)}`];
  }
  if (isAdministrator(actor)) return [sql`1`];
  const internalOnes = settings.PRIVATE_ONLY ? [] : [sql`entities.internal_collections > 0`];
  const mine = sql`(SELECT value FROM json_each(${JSON.stringify(accountIdsOf(actor))}))`;
  const granted = sql`(
    SELECT held.entity_id FROM collection_members AS member CROSS JOIN collections AS held ON held.id = member.collection_id
    WHERE member.user_id IN ${mine})`;
  return [...publicOnes, ...internalOnes, sql`entities.owner_user_id IN ${mine}`, sql`entities.id IN ${granted}`];
}
