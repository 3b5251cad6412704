import type { Context as HonoContext } from "hono";
import * as z from "zod";
import type { AppEnv } from "../../http/request-context.ts";
import { listActivity } from "../../registry/catalog/activity.ts";
import { type CollectionPage, getCollectionPage } from "../../registry/catalog/collection-page.ts";
import { createCollection } from "../../registry/catalog/collections.ts";
import { editCollection, listReferences } from "../../registry/catalog/edit-collection.ts";
import { collectionSorts, type ListedCollection, listCollectionsBy } from "../../registry/catalog/list-collections.ts";
import { previewDeletion, removeCollection } from "../../registry/catalog/remove-collection.ts";
import { RegistryError } from "../../registry/errors.ts";
import { limits } from "../../registry/limits.ts";
import { afterQuery, operation, pageSchema, setETag, versionOf } from "./operation.ts";
import { presentPage, timeOf } from "./present.ts";
import { accountSchema, brokenFields, collectionRole, description, time, visibility } from "./schemas.ts";

const ofCollection = z.object({ entity: z.string(), collection: z.string() });
const name = z.string().min(1).max(limits.nameLength);
const flag = z.literal("1").optional();

const listedSchema = z
  .object({
    entity: z.string(),
    collection: z.string(),
    shortName: z.string().nullable(),
    summary: z.string().describe("The beginning of its description."),
    visibility,
    stars: z.int(),
    isStarred: z.boolean().describe("Whether you have starred it."),
    pulls: z.int(),
    images: z.int(),
    sizeBytes: z.int(),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: "ListedCollection" });

const collectionSchema = z
  .object({
    entity: z.string(),
    collection: z.string(),
    shortName: z.string().nullable().describe("Two-part references find it by this."),
    description,
    visibility,
    owner: accountSchema.nullable().describe("Who owns its entity; null for whoever is not signed in."),
    role: collectionRole.nullable().describe("What you are in it; null where you only see it."),
    reason: z.string().nullable().describe("Why, in words: `contributor through team imaging`."),
    may: z
      .array(z.enum(["push", "delete-image", "manage", "see-people", "star", "hand-over"]))
      .describe("What you may do with it."),
    isStarred: z.boolean(),
    stars: z.int(),
    pulls: z.int(),
    images: z.int(),
    sizeBytes: z.int().describe("Each content once."),
    createdAt: time,
    updatedAt: time,
    offered: z
      .object({ entity: z.string(), expiresAt: time })
      .nullable()
      .describe("The entity it is offered to; for whoever may hand it over."),
  })
  .meta({ id: "Collection" });

const newCollection = z
  .object({
    entity: name,
    name,
    description: description.default(""),
    visibility: visibility.nullable().default(null).describe("Null for what the registry makes of new ones."),
  })
  .meta({ id: "NewCollection" });

const edit = z
  .object({ name: name.optional(), description: description.optional(), visibility: visibility.optional() })
  .meta({ id: "CollectionEdit" });

const deletionSchema = z
  .object({
    containers: z.int(),
    images: z.int(),
    tags: z.int(),
    bytes: z
      .int()
      .describe(
        "Freed when the last download has ended: content that is nowhere else you see. Whoever else has it keeps it.",
      ),
    shares: z.int().describe("Share links that work, and would end."),
    publishers: z.int().describe("Pipelines that push to it."),
    people: z.int().describe("Users, robots and teams with a role in it."),
    uploads: z.int().describe("Pushes to it that are under way."),
    offers: z.int().describe("1 while it is offered to somebody."),
    breaks: brokenFields.breaks,
    obstacles: z.array(z.string()).describe("What must be settled first, in sentences."),
  })
  .meta({ id: "CollectionDeletion", description: "What deleting a collection would do." });

const actSchema = z
  .object({
    at: time,
    actor: z.string(),
    action: z.string(),
    target: z.string(),
    detail: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: "Act" });

/** Collections of containers. */
export const collectionOperations = [
  operation(
    {
      id: "listCollections",
      method: "get",
      path: "/api/v1/collections",
      section: "collections",
      summary: "The collections that you may see",
      about: "At most one of `entity`, `mine`, `starred` and `orphaned`.",
      actor: "anyone",
      query: afterQuery.extend({
        sort: z
          .enum(collectionSorts)
          .optional()
          .describe("`name` (unless said otherwise), or the latest, the most starred or the most pulled first."),
        entity: z.string().max(limits.nameLength).optional().describe("Only those of this entity."),
        mine: flag.describe("Only those you own or contribute to."),
        starred: flag.describe("Only those you have starred."),
        orphaned: flag.describe(
          "Only those whose owners are gone: disabled, or a team without owners. For administrators.",
        ),
      }),
      answer: pageSchema(listedSchema).meta({ id: "CollectionPage" }),
    },
    async ({ ctx, actor, query }) => presentPage(await listCollectionsBy(ctx, actor, queryOf(query)), presentListed),
  ),
  operation(
    {
      id: "createCollection",
      method: "post",
      path: "/api/v1/collections",
      section: "collections",
      summary: "Make a collection in an entity of yours",
      actor: "user",
      body: newCollection,
      status: 201,
      answer: collectionSchema,
      hasETag: true,
      problems: [
        "not-found",
        "name-invalid",
        "name-taken",
        "collection-limit",
        "collections-disabled",
        "private-only",
        "pushing-disabled",
      ],
    },
    async ({ c, ctx, actor, body }) => {
      const { entity, collection } = await createCollection(ctx, actor, { ...body, mustBeNew: true });
      return tagged(c, await getCollectionPage(ctx, actor, { entity: entity.name, name: collection.name }));
    },
  ),
  operation(
    {
      id: "getCollection",
      method: "get",
      path: "/api/v1/collections/{entity}/{collection}",
      section: "collections",
      summary: "A collection, and what you are in it; its containers are a list of their own",
      actor: "anyone",
      params: ofCollection,
      answer: collectionSchema,
      hasETag: true,
      problems: ["not-found"],
    },
    async ({ c, ctx, actor, params }) => tagged(c, await getCollectionPage(ctx, actor, pathOf(params))),
  ),
  operation(
    {
      id: "editCollection",
      method: "patch",
      path: "/api/v1/collections/{entity}/{collection}",
      section: "collections",
      summary: "Rename a collection, describe it, or say who sees it",
      about:
        "For its owners, and administrators. References by the old name break, and the old name stays taken; those by the short name go on. With a new name `If-Match` must be the ETag of `…/references` or of the collection: `*` will not do.",
      actor: "user",
      params: ofCollection,
      body: edit,
      answer: collectionSchema,
      hasETag: true,
      needsIfMatch: true,
      problems: ["not-found", "name-invalid", "name-taken", "private-only", "conflict", "precondition-failed"],
    },
    async ({ c, ctx, actor, params, body, ifMatch }) =>
      tagged(c, await editCollection(ctx, actor, pathOf(params), body, versionOf(ifMatch))),
  ),
  operation(
    {
      id: "listReferences",
      method: "get",
      path: "/api/v1/collections/{entity}/{collection}/references",
      section: "collections",
      summary: "The references that a new name would break, and what they go on by",
      about: "For those who may rename it.",
      actor: "user",
      params: ofCollection,
      answer: z.object(brokenFields).meta({ id: "References" }),
      hasETag: true,
      problems: ["not-found"],
    },
    async ({ c, ctx, actor, params }) => {
      const { references, version } = await listReferences(ctx, actor, pathOf(params));
      setETag(c, version);
      return references;
    },
  ),
  operation(
    {
      id: "deleteCollection",
      method: "delete",
      path: "/api/v1/collections/{entity}/{collection}",
      section: "collections",
      summary: "Delete a collection and all in it",
      about:
        "For its owners, and administrators. Its name and short name stay taken until an administrator frees them.",
      actor: "user",
      params: ofCollection,
      preview: deletionSchema,
      problems: ["not-found", "frozen", "precondition-failed"],
    },
    ({ ctx, actor, params, ifMatch }) => removeCollection(ctx, actor, pathOf(params), ifMatch),
    async ({ ctx, actor, params }) => {
      const { deletion, tag } = await previewDeletion(ctx, actor, pathOf(params));
      return { tag, shown: deletion };
    },
  ),
  operation(
    {
      id: "listActivity",
      method: "get",
      path: "/api/v1/collections/{entity}/{collection}/activity",
      section: "collections",
      summary: "What was done in a collection, the newest first, for its people",
      actor: "user",
      params: ofCollection,
      query: afterQuery,
      answer: pageSchema(actSchema).meta({ id: "ActivityPage" }),
      problems: ["not-found"],
    },
    async ({ ctx, actor, params, query }) =>
      presentPage(await listActivity(ctx, actor, pathOf(params), query.after ?? null), ({ at, ...act }) => ({
        ...act,
        at: timeOf(at),
      })),
  ),
];

function pathOf({ entity, collection }: { entity: string; collection: string }) {
  return { entity, name: collection };
}

interface ListQuery {
  sort?: (typeof collectionSorts)[number] | undefined;
  after?: string | undefined;
  entity?: string | undefined;
  mine?: "1" | undefined;
  starred?: "1" | undefined;
  orphaned?: "1" | undefined;
}

function queryOf({ sort = "name", after, entity, ...flags }: ListQuery) {
  const [only = null, another] = (["mine", "starred", "orphaned"] as const).filter((which) => flags[which] === "1");
  if (another !== undefined) throw new RegistryError("query-invalid");
  return { sort, after: after ?? null, entity: entity ?? null, only };
}

function presentListed({ createdAt, updatedAt, ...collection }: ListedCollection) {
  return { ...collection, createdAt: timeOf(createdAt), updatedAt: timeOf(updatedAt) };
}

function tagged(c: HonoContext<AppEnv>, page: CollectionPage) {
  const { version, createdAt, updatedAt, offered, ...collection } = page;
  setETag(c, version);
  return {
    ...collection,
    createdAt: timeOf(createdAt),
    updatedAt: timeOf(updatedAt),
    offered: offered === null ? null : { ...offered, expiresAt: timeOf(offered.expiresAt) },
  };
}
