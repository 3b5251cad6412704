import { and, asc, eq, gt, sql } from "drizzle-orm";
import { type Actor, actorUserId } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { statement } from "../../storage/db/client.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { collections, containers, entities } from "../../storage/db/schema/catalog.ts";
import { topics } from "../../storage/db/schema/inspection.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize, authorizeList } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { type ContainerPath, parseTopic } from "../names.ts";
import { PAGE_ROWS, type Page, pageOf } from "../page.ts";
import { searchSoon } from "../search/search-soon.ts";
import { auditRow } from "../upkeep/audit.ts";
import { type FoundContainer, findContainer, getContainer, targetOf } from "./containers.ts";
import { visibleTo } from "./facts.ts";

/** A page of the topics of containers the actor may see, each with how many those are. @throws `unauthenticated` */
export async function listTopics(
  ctx: Context,
  actor: Actor,
  after: string | null,
): Promise<Page<{ topic: string; containers: number }>> {
  authorizeList(ctx, actor);
  const rows = await ctx.db
    .select({ topic: topics.name, containers: sql<number>`count(*)` })
    .from(topics)
    .innerJoin(containers, eq(containers.id, topics.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(
      and(
        visibleTo(actor, ctx.settings),
        eq(topics.removed, false),
        after === null ? undefined : gt(topics.name, after),
      ),
    )
    .groupBy(topics.name)
    .orderBy(asc(topics.name))
    .limit(PAGE_ROWS)
    .all();
  return pageOf(rows, ({ topic }) => topic);
}

export interface ContainerWithTopic {
  id: string;
  entity: string;
  collection: string;
  container: string;
  description: string;
}

/** A page of the containers with a topic. @throws `topic-invalid`, `unauthenticated` */
export async function containersWithTopic(
  ctx: Context,
  actor: Actor,
  input: { topic: string; after: string | null },
): Promise<Page<ContainerWithTopic>> {
  authorizeList(ctx, actor);
  const topic = parseTopic(input.topic);
  const rows = await ctx.db
    .select({
      id: sql<string>`${containers.id}`.as("container_id"),
      entity: sql<string>`${entities.name}`.as("entity_name"),
      collection: sql<string>`${collections.name}`.as("collection_name"),
      container: sql<string>`${containers.name}`.as("container_name"),
      description: sql<string>`${containers.description}`.as("description"),
    })
    .from(topics)
    .innerJoin(containers, eq(containers.id, topics.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(
      and(
        visibleTo(actor, ctx.settings),
        eq(topics.name, topic),
        eq(topics.removed, false),
        input.after === null ? undefined : gt(containers.id, input.after),
      ),
    )
    .orderBy(asc(containers.id))
    .limit(PAGE_ROWS)
    .all();
  return pageOf(rows, ({ id }) => id);
}

/** The topics of a container. @throws `not-found` */
export async function topicsOf(ctx: Context, actor: Actor, path: ContainerPath): Promise<string[]> {
  const { container } = await getContainer(ctx, actor, path);
  const rows = await ctx.db
    .select({ name: topics.name })
    .from(topics)
    .where(and(eq(topics.containerId, container.id), eq(topics.removed, false)))
    .orderBy(asc(topics.name))
    .all();
  return rows.map(({ name }) => name);
}

/**
 * Gives a container a topic; one that it has already is fine.
 * @throws `topic-invalid`, `topic-limit`, `not-found`, and what the policy refuses
 */
export async function addTopic(ctx: Context, actor: Actor, path: ContainerPath, text: string): Promise<void> {
  const found = await managed(ctx, actor, path);
  const name = parseTopic(text);
  const { id } = found.container;
  const others = sql`(
    SELECT count(*) FROM ${topics}
    WHERE ${topics.containerId} = ${id} AND ${topics.removed} = 0 AND ${topics.name} <> ${name})`;
  const row = { containerId: id, name, origin: "person", changedBy: actorUserId(actor), changedAt: ctx.now() } as const;
  try {
    await writeTogether(ctx.db, [
      guardAgainst(ctx.db, "not-found", sql`NOT EXISTS (SELECT 1 FROM ${containers} WHERE ${containers.id} = ${id})`),
      guardAgainst(ctx.db, "conflict", sql`${others} >= ${limits.topicsPerContainer}`),
      statement(
        ctx.db,
        sql`
        INSERT INTO ${topics} (container_id, name, origin, changed_by, changed_at)
        VALUES (${row.containerId}, ${row.name}, ${row.origin}, ${row.changedBy}, ${row.changedAt})
        ON CONFLICT (container_id, name) DO UPDATE
        SET removed = 0, changed_by = excluded.changed_by, changed_at = excluded.changed_at WHERE removed = 1`,
      ),
      auditRow(ctx, actor, "topic.add", targetOf(found), {
        detail: { topic: name },
        in: found.collection.id,
        when: sql`changes() > 0`,
      }),
    ]);
  } catch (thrown) {
    // Nothing else in the batch can be a conflict.
    const isFull = thrown instanceof RegistryError && thrown.code === "conflict";
    throw isFull ? new RegistryError("topic-limit") : thrown;
  }
  searchSoon(ctx);
}

/**
 * Takes a topic away. One that came from an image does not come back with the next one.
 * @throws `topic-invalid`, `not-found`, also where the container has no such topic, and what the policy refuses
 */
export async function removeTopic(ctx: Context, actor: Actor, path: ContainerPath, text: string): Promise<void> {
  const found = await managed(ctx, actor, path);
  const name = parseTopic(text);
  const isIt = and(eq(topics.containerId, found.container.id), eq(topics.name, name));
  await writeTogether(ctx.db, [
    ctx.db
      .update(topics)
      .set({ removed: true, changedBy: actorUserId(actor), changedAt: ctx.now() })
      .where(and(isIt, eq(topics.removed, false))),
    guardChanged(ctx.db, "not-found"),
    // One that an image brought stays noted; of what people set and take away nothing piles up.
    ctx.db.delete(topics).where(and(isIt, eq(topics.origin, "person"))),
    auditRow(ctx, actor, "topic.remove", targetOf(found), { detail: { topic: name }, in: found.collection.id }),
  ]);
  searchSoon(ctx);
}

async function managed(ctx: Context, actor: Actor, path: ContainerPath): Promise<FoundContainer> {
  return authorize(ctx, actor, "collection.manage", await findContainer(ctx, actor, path));
}
