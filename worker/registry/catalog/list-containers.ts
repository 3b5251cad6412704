import { and, asc, desc, eq, type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { collections, containers, entities } from "../../storage/db/schema/catalog.ts";
import { authorize } from "../authorize.ts";
import { limits } from "../limits.ts";
import { PAGE_ROWS, type Page, pageOf, readCursor, writeCursor } from "../page.ts";
import { collectionIs } from "./collections.ts";
import type { Container } from "./containers.ts";
import { factsFor } from "./facts.ts";
import { topicNames } from "./topic-names.ts";

export const containerOrders = ["name", "updated", "pulls", "size"] as const;
export type ContainerOrder = (typeof containerOrders)[number];

export interface ListedContainer
  extends Pick<Container, "name" | "readOnly" | "createdAt" | "updatedAt" | "sizeBytes" | "imageCount" | "pullCount"> {
  /** Its beginning. */
  description: string;
  topics: string[];
}

const columns = { updated: containers.updatedAt, pulls: containers.pullCount, size: containers.sizeBytes };

/**
 * A page of a collection's containers: by name, or what is newest, pulled most or largest first. One call of the
 * database, with the right to see them.
 * @throws `not-found`, `query-invalid`, and what the policy refuses
 */
export async function listContainers(
  ctx: Context,
  actor: Actor,
  path: { entity: string; name: string },
  { sort, after }: { sort: ContainerOrder; after: string | null },
): Promise<Page<ListedContainer>> {
  const isIt = collectionIs(path);
  const collectionId = sql`(
    SELECT ${collections.id} FROM ${collections} INNER JOIN ${entities} ON ${eq(entities.id, collections.entityId)}
    WHERE ${isIt})`;
  const { order, behind, cursorOf } = orderBy(sort, after);
  const [found, rows] = await ctx.db.batch([
    ctx.db
      .select({ collection: columnsOf(collections), facts: factsFor(actor) })
      .from(collections)
      .innerJoin(entities, eq(entities.id, collections.entityId))
      .where(isIt)
      .limit(1),
    ctx.db
      .select({
        name: containers.name,
        description: sql<string>`substr(${containers.description}, 1, ${limits.listedDescriptionLength})`.as(
          "beginning",
        ),
        topics: topicNames,
        readOnly: containers.readOnly,
        createdAt: containers.createdAt,
        updatedAt: containers.updatedAt,
        sizeBytes: containers.sizeBytes,
        imageCount: containers.imageCount,
        pullCount: containers.pullCount,
      })
      .from(containers)
      .where(and(eq(containers.collectionId, collectionId), behind))
      .orderBy(...order)
      .limit(PAGE_ROWS),
  ]);
  authorize(ctx, actor, "collection.see", found[0] ?? null);
  return pageOf(rows, cursorOf);
}

function orderBy(
  sort: ContainerOrder,
  after: string | null,
): { order: SQL[]; behind: SQL | undefined; cursorOf: (row: ListedContainer) => string } {
  if (sort === "name") {
    const [name] = after === null ? [] : readCursor(after, ["string"]);
    return {
      order: [asc(containers.name)],
      behind: name === undefined ? undefined : sql`${containers.name} > ${name}`,
      cursorOf: (row) => writeCursor([row.name]),
    };
  }
  const column = columns[sort];
  const [value, name] = after === null ? [] : readCursor(after, ["number", "string"]);
  const key = { updated: "updatedAt", pulls: "pullCount", size: "sizeBytes" } as const;
  return {
    order: [desc(column), desc(containers.name)],
    behind: name === undefined ? undefined : sql`(${column}, ${containers.name}) < (${value}, ${name})`,
    cursorOf: (row) => writeCursor([row[key[sort]], row.name]),
  };
}
