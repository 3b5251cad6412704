import { and, eq, type SQL, sql } from "drizzle-orm";
import { type Actor, actorUserId } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { Statement } from "../../storage/db/client.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { collections, containers, entities } from "../../storage/db/schema/catalog.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { type ContainerPath, parseName } from "../names.ts";
import { searchSoon } from "../search/search-soon.ts";
import { auditRow } from "../upkeep/audit.ts";
import { collectionIs, type FoundCollection, findCollection } from "./collections.ts";
import { factsFor } from "./facts.ts";

export type Container = typeof containers.$inferSelect;

export type FoundContainer = FoundCollection & { container: Container };

/** How a container is named in the audit log. */
export function targetOf({ entity, collection, container }: FoundContainer): string {
  return `${entity.name}/${collection.name}/${container.name}`;
}

/** Null where there is none; nothing is decided yet. */
export async function findContainer(
  ctx: Context,
  actor: Actor,
  by: ContainerPath | { id: string },
): Promise<FoundContainer | null> {
  return (await containerQuery(ctx, actor, by).get()) ?? null;
}

/** The same as a statement, for a batch of reads. */
export function containerQuery(ctx: Context, actor: Actor, by: ContainerPath | { id: string }) {
  return ctx.db
    .select({
      collection: columnsOf(collections),
      entity: columnsOf(entities),
      container: columnsOf(containers),
      facts: factsFor(actor),
    })
    .from(containers)
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where("id" in by ? eq(containers.id, by.id) : containerIs(by));
}

/** The id of the container that a path names, or NULL. */
export function containerIdAt(path: ContainerPath): SQL {
  return sql`(
    SELECT ${containers.id} FROM ${containers}
      INNER JOIN ${collections} ON ${collections.id} = ${containers.collectionId}
      INNER JOIN ${entities} ON ${entities.id} = ${collections.entityId}
    WHERE ${containerIs(path)})`;
}

export function containerIs(path: ContainerPath): SQL | undefined {
  return and(collectionAt(path), eq(containers.name, path.container.toLowerCase()));
}

/** The collection a container's path names: in its entity, or by its short name. */
function collectionAt(path: ContainerPath): SQL | undefined {
  return collectionIs(
    path.entity === null ? { shortName: path.collection } : { entity: path.entity, name: path.collection },
  );
}

/** @throws `not-found` */
export async function getContainer(
  ctx: Context,
  actor: Actor,
  by: ContainerPath | { id: string },
): Promise<FoundContainer> {
  return authorize(ctx, actor, "collection.see", await findContainer(ctx, actor, by));
}

/**
 * Creates a container; an existing one of that name is answered as it is, unless it must be new.
 * @throws `name-invalid`, `name-taken`, and what the policy refuses
 */
export async function createContainer(
  ctx: Context,
  actor: Actor,
  input: { in: { id: string } | { entity: string; name: string }; name: string; description: string; isNew?: boolean },
): Promise<FoundContainer> {
  const found = authorize(ctx, actor, "collection.push", await findCollection(ctx, actor, input.in));
  const name = parseName(input.name);
  const id = crypto.randomUUID();
  const now = ctx.now();
  const row = {
    id,
    collectionId: found.collection.id,
    name,
    description: input.description,
    createdBy: actorUserId(actor),
    createdAt: now,
    updatedAt: now,
  };
  const isOurs = sql`EXISTS (SELECT 1 FROM ${containers} WHERE ${eq(containers.id, id)})`;
  const isIt = and(eq(containers.collectionId, found.collection.id), eq(containers.name, name));
  const results = await writeTogether(ctx.db, [
    ctx.db.insert(containers).values(row).onConflictDoNothing(),
    ...(input.isNew === true ? [guardChanged(ctx.db, "name-taken")] : []),
    auditRow(ctx, actor, "container.create", `${found.entity.name}/${found.collection.name}/${name}`, {
      in: found.collection.id,
      when: isOurs,
    }),
    ctx.db.select().from(containers).where(isIt),
  ]);
  const [container] = results.at(-1) as Container[];
  if (container === undefined) throw new RegistryError("conflict");
  if (container.id === id) searchSoon(ctx);
  return { ...found, container };
}

/** @throws `read-only` */
export function ensureWritable(container: Container): void {
  if (container.readOnly) throw new RegistryError("read-only");
}

/**
 * Guards of a change that somebody decided upon when they saw a container: it must be there, and, where they say which
 * version they saw, still be that one.
 */
export function guardSeen(ctx: Context, { id }: Container, seen: number | null): [Statement, Statement] {
  const isIt = and(eq(containers.id, id), seen === null ? undefined : eq(containers.version, seen));
  return [
    guardAgainst(ctx.db, "not-found", sql`NOT EXISTS (SELECT 1 FROM ${containers} WHERE ${eq(containers.id, id)})`),
    guardAgainst(ctx.db, "precondition-failed", sql`NOT EXISTS (SELECT 1 FROM ${containers} WHERE ${isIt})`),
  ];
}

/** For a change that was allowed while the container was writable. */
export function guardWritable(ctx: Context, { id }: Container): Statement {
  const isReadOnly = and(eq(containers.id, id), eq(containers.readOnly, true));
  return guardAgainst(ctx.db, "conflict", sql`EXISTS (SELECT 1 FROM ${containers} WHERE ${isReadOnly})`);
}
