import { and, asc, eq } from "drizzle-orm";
import { effectiveVisibility } from "../../access/policy.ts";
import { type Actor, type CollectionRole, collectionRole, type Visibility } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { topics } from "../../storage/db/schema/inspection.ts";
import { users } from "../../storage/db/schema/people.ts";
import { mayOnCollection, versionFor } from "../authorize.ts";
import type { ContainerPath } from "../names.ts";
import type { Page } from "../page.ts";
import { type Container, getContainer } from "./containers.ts";
import { imagePageQuery, type ListedImage, toListedImage } from "./list-images.ts";
import { type NamedTag, tagPage, tagPageQuery } from "./list-tags.ts";

export interface ContainerPage {
  entity: string;
  collection: string;
  /** As it counts: where everything is private, private. */
  visibility: Visibility;
  container: Container;
  topics: string[];
  /** Who made it, for people of the collection. */
  createdBy: string | null;
  newestImage: ListedImage | null;
  /** The first page of them, in natural order. */
  tags: Page<NamedTag>;
  /** What the actor is in the collection, and why, in words. */
  role: CollectionRole | null;
  reason: string | null;
  /** For whoever has a right in the collection. */
  version: number | null;
}

/** What a container's page shows, in two calls of the database. @throws `not-found`, and what the policy refuses */
export async function getContainerPage(ctx: Context, actor: Actor, path: ContainerPath): Promise<ContainerPage> {
  const found = await getContainer(ctx, actor, path);
  const { container, collection, entity, facts } = found;
  const query = { sort: "natural", direction: null, after: null } as const;
  const [topicRows, imageRows, tagRows, makers] = await ctx.db.batch([
    ctx.db
      .select({ name: topics.name })
      .from(topics)
      .where(and(eq(topics.containerId, container.id), eq(topics.removed, false)))
      .orderBy(asc(topics.name)),
    imagePageQuery(ctx, container.id, { filter: "all", after: null, rows: 1 }),
    tagPageQuery(ctx, container.id, query),
    ctx.db
      .select({ username: users.username })
      .from(users)
      .where(eq(users.id, container.createdBy ?? "")),
  ]);
  const [newest] = imageRows;
  const seesPeople = mayOnCollection(ctx, actor, "collection.see-people", facts);
  return {
    entity: entity.name,
    collection: collection.name,
    visibility: effectiveVisibility(collection.visibility, ctx.settings),
    container,
    topics: topicRows.map(({ name }) => name),
    createdBy: seesPeople ? (makers[0]?.username ?? null) : null,
    newestImage:
      newest === undefined ? null : toListedImage(newest, mayOnCollection(ctx, actor, "collection.push", facts)),
    tags: tagPage(tagRows, query),
    ...collectionRole(actor, facts),
    version: versionFor(actor, facts, container.version),
  };
}
