import { eq, type SQL, sql } from "drizzle-orm";
import { effectiveVisibility } from "../../access/policy.ts";
import { type Actor, actorUserId, type CollectionRole, collectionRole, type Visibility } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { collections, entities } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { authorize, mayOnCollection, versionFor } from "../authorize.ts";
import { collectionIs } from "./collections.ts";
import type { Owner } from "./entity-page.ts";
import { factsFor, isWithin } from "./facts.ts";

const acts = ["push", "delete-image", "manage", "see-people", "star", "hand-over"] as const;
export type CollectionAct = (typeof acts)[number];

/** What the page of a collection shows, but for its containers. Times are milliseconds. */
export interface CollectionPage {
  entity: string;
  collection: string;
  shortName: string | null;
  description: string;
  visibility: Visibility;
  /** Whose its entity is; null for whoever is not signed in. */
  owner: Owner | null;
  /** What the actor is in it, and why; null for who only sees it. */
  role: CollectionRole | null;
  reason: string | null;
  may: CollectionAct[];
  isStarred: boolean;
  stars: number;
  pulls: number;
  images: number;
  sizeBytes: number;
  createdAt: number;
  updatedAt: number;
  /** To which entity it is offered; for whoever may hand it over. */
  offered: { entity: string; expiresAt: number } | null;
  /** For whoever has a right in it. */
  version: number | null;
}

/** One query. @throws `not-found` */
export async function getCollectionPage(
  ctx: Context,
  actor: Actor,
  by: { entity: string; name: string },
): Promise<CollectionPage> {
  const [row] = await collectionPageQuery(ctx, actor, collectionIs(by));
  return toCollectionPage(ctx, actor, row);
}

/** For a batch too: `toCollectionPage` takes its row. */
export function collectionPageQuery(ctx: Context, actor: Actor, where: SQL | undefined) {
  return ctx.db
    .select({
      collection: columnsOf(collections),
      entity: columnsOf(entities),
      facts: factsFor(actor),
      ownerName: sql<string>`${users.username}`.as("owner_name"),
      isTeam: sql<boolean>`${users.isTeam}`.mapWith(Boolean).as("owner_is_team"),
      isStarred: sql<boolean>`EXISTS (
        SELECT 1 FROM stars WHERE stars.user_id = ${actorUserId(actor)} AND stars.collection_id = ${collections.id}
          AND ${isWithin(actor, sql`stars.collection_id`)})`
        .mapWith(Boolean)
        .as("is_starred"),
      offered: sql<CollectionPage["offered"]>`(
        SELECT json_object('entity', target.name, 'expiresAt', offer.expires_at)
        FROM hand_overs AS offer INNER JOIN entities AS target ON target.id = offer.to_entity_id
        WHERE offer.collection_id = ${collections.id} AND offer.expires_at > ${ctx.now()})`
        .mapWith((text: string) => JSON.parse(text) as CollectionPage["offered"])
        .as("offered"),
    })
    .from(collections)
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .innerJoin(users, eq(users.id, entities.ownerUserId))
    .where(where)
    .limit(1);
}

type Row = Awaited<ReturnType<typeof collectionPageQuery>>[number];

/** @throws `not-found`, and what the policy refuses */
export function toCollectionPage(ctx: Context, actor: Actor, row: Row | undefined): CollectionPage {
  const found = authorize(ctx, actor, "collection.see", row ?? null);
  const { collection, entity, facts } = found;
  const { role, reason } = collectionRole(actor, facts);
  const may = acts.filter((act) => mayOnCollection(ctx, actor, `collection.${act}`, facts));
  return {
    entity: entity.name,
    collection: collection.name,
    shortName: collection.shortName,
    description: collection.description,
    visibility: effectiveVisibility(collection.visibility, ctx.settings),
    owner: actor.kind === "anonymous" ? null : { name: found.ownerName, kind: found.isTeam ? "team" : "user" },
    role,
    reason,
    may,
    isStarred: found.isStarred,
    stars: collection.starCount,
    pulls: collection.pullCount,
    images: collection.imageCount,
    sizeBytes: collection.sizeBytes,
    createdAt: collection.createdAt,
    updatedAt: collection.updatedAt,
    offered: may.includes("hand-over") ? found.offered : null,
    version: versionFor(actor, facts, collection.version),
  };
}
