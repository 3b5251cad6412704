import { and, eq, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { openCapability, signCapability } from "../../storage/capabilities.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { collections, containers, entities, images, tags } from "../../storage/db/schema/catalog.ts";
import { authorize, mayOnCollection } from "../authorize.ts";
import { type Collection, collectionIs, createCollection, type FoundCollection } from "../catalog/collections.ts";
import { getEntity, getOwnEntity } from "../catalog/entities.ts";
import { factsFor } from "../catalog/facts.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { parseName, parseTag } from "../names.ts";
import { type Quota, quotaOf } from "../quota.ts";

/*
 * A push by sregistry's own protocol: asked for first, which makes its collection, and then sent in one request.
 * Of a collection there the client knows what the first answer calls it.
 */

/** Where an image is to go. */
export interface PushTarget extends FoundCollection {
  /** Of the account that owns the collection. */
  quota: Quota;
  container: string;
  tag: string;
}

type CollectionKey = Parameters<typeof collectionIs>[0];

/**
 * Says whether the actor may push, before a byte is sent, and makes the collection where there is none.
 * @param input.collection a short name, or `entity/collection`
 * @returns what the client is to call the collection when it sends the image
 * @throws `name-invalid`, `tag-invalid`, `name-taken` when a new collection could not be found by its short name,
 *   `read-only`, `tag-frozen`, `collection-limit`, `collections-disabled`, and what the policy refuses
 */
export async function preparePush(
  ctx: Context,
  actor: Actor,
  input: { collection: string; container: string; tag: string },
): Promise<{ cid: string }> {
  if (actor.kind !== "user") throw new RegistryError("unauthenticated");
  const by = parseCollection(input.collection);
  const found = await lookUp(ctx, actor, by, input);
  const collection = found?.collection ?? (await makeCollection(ctx, actor, by)).collection;
  const said = { userId: actor.userId, collectionId: collection.id, typed: input.collection };
  const now = ctx.now();
  const lifetime = { since: now, expiresAt: now + limits.uploadSeconds * 1000 };
  return { cid: await signCapability(ctx.settings, "sregistry-push", said, lifetime) };
}

/** What a client calls a collection when it sends an image. */
export interface NamedCollection {
  by: CollectionKey;
  /** What its signature may call it. */
  typed: string[];
}

/**
 * Reads what a client calls the collection: what `preparePush` answered, or an id or a name, from other clients.
 * @param userId whose it must be
 * @throws `capability-invalid`, `capability-expired`, `name-invalid`
 */
export async function readCollection(ctx: Context, userId: string | null, text: string): Promise<NamedCollection> {
  // A JWE has an empty part, and so two dots together, which no name has.
  if (text.includes("..")) {
    const {
      collectionId,
      typed,
      userId: owner,
    } = await openCapability(ctx.settings, "sregistry-push", text, ctx.now());
    if (owner !== userId) throw new RegistryError("capability-invalid");
    return { by: { id: collectionId }, typed: [typed] };
  }
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return { by: parseCollection(text), typed: [text] };
  const row = await ctx.db
    .select({ name: collections.name, shortName: collections.shortName, entity: entities.name })
    .from(collections)
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(eq(collections.id, text))
    .get();
  const names = row === undefined ? [] : [row.shortName ?? row.name, row.name, `${row.entity}/${row.name}`];
  return { by: { id: text }, typed: names };
}

/**
 * Where an image may go now, by everything that can be said before its bytes are there.
 * @throws `not-found`, `name-invalid`, `tag-invalid`, `read-only`, `tag-frozen`, and what the policy refuses
 */
export async function findPushTarget(
  ctx: Context,
  actor: Actor,
  by: CollectionKey,
  names: { container: string; tag: string },
): Promise<PushTarget> {
  return authorize(ctx, actor, "collection.push", await lookUp(ctx, actor, by, names));
}

/** The same; null where there is no such collection, or none that the actor may know of: both go on alike. */
async function lookUp(
  ctx: Context,
  actor: Actor,
  by: CollectionKey,
  names: { container: string; tag: string },
): Promise<PushTarget | null> {
  const [container, tag] = [parseName(names.container), parseTag(names.tag)];
  const isFrozen = sql<number>`EXISTS (
    SELECT 1 FROM ${tags} INNER JOIN ${images} ON ${images.id} = ${tags.imageId}
    WHERE ${tags.containerId} = ${containers.id} AND ${tags.name} = ${tag} AND (${tags.frozen} = 1 OR ${images.frozen} = 1))`;
  const row = await ctx.db
    .select({
      collection: columnsOf(collections),
      entity: columnsOf(entities),
      facts: factsFor(actor),
      quota: quotaOf(ctx, sql`entities.owner_user_id`),
      isReadOnly: sql<number | null>`${containers.readOnly}`.as("is_read_only"),
      isFrozen: isFrozen.as("is_frozen"),
    })
    .from(collections)
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .leftJoin(containers, and(eq(containers.collectionId, collections.id), eq(containers.name, container)))
    .where(collectionIs(by))
    .limit(1)
    .get();
  if (row === undefined || !mayOnCollection(ctx, actor, "collection.see", row.facts)) return null;
  authorize(ctx, actor, "collection.push", row);
  if (row.isReadOnly === 1) throw new RegistryError("read-only");
  if (row.isFrozen === 1)
    throw new RegistryError("tag-frozen", `${container}:${tag} is frozen and cannot be replaced.`);
  const { collection, entity, facts, quota } = row;
  return { collection, entity, facts, quota, container, tag };
}

/** In its entity; by a short name alone in the actor's own, if it will be found there by that name. */
async function makeCollection(ctx: Context, actor: Actor, by: CollectionKey): Promise<{ collection: Collection }> {
  if ("id" in by) throw new RegistryError("not-found");
  const fresh = { description: "", visibility: null };
  if ("entity" in by) {
    const { id: entityId } = await getEntity(ctx, actor, by.entity);
    return await createCollection(ctx, actor, { ...fresh, entityId, name: by.name });
  }
  const { id: entityId } = await getOwnEntity(ctx, actor);
  try {
    return await createCollection(ctx, actor, { ...fresh, entityId, name: by.shortName, needsShortName: true });
  } catch (thrown) {
    const isTaken = thrown instanceof RegistryError && thrown.code === "conflict";
    throw isTaken ? shortNameTaken(by.shortName, actor) : thrown;
  }
}

function shortNameTaken(shortName: string, actor: Actor): RegistryError {
  const entity = actor.kind === "user" ? actor.username : "ENTITY";
  return new RegistryError(
    "name-taken",
    `A collection of yours cannot have '${shortName}' as its short name. Name it with its owner: registry://HOST/${entity}/${shortName}/NAME:TAG.`,
  );
}

/** @throws `name-invalid` */
function parseCollection(text: string): { entity: string; name: string } | { shortName: string } {
  const [first = "", second, ...rest] = text.split("/");
  if (second === undefined) return { shortName: parseName(first) };
  if (rest.length > 0)
    throw new RegistryError("name-invalid", "A collection is named COLLECTION or ENTITY/COLLECTION.");
  return { entity: parseName(first), name: parseName(second) };
}
