import * as z from "zod";
import { getContainerPage } from "../../registry/catalog/container-page.ts";
import { type Container, createContainer, type FoundContainer } from "../../registry/catalog/containers.ts";
import { deleteContent, previewContentDeletion } from "../../registry/catalog/delete-content.ts";
import { editContainer } from "../../registry/catalog/edit-container.ts";
import { containerOrders, listContainers } from "../../registry/catalog/list-containers.ts";
import { limits } from "../../registry/limits.ts";
import {
  containerPathOf,
  contentDeletionSchema,
  imageSchema,
  namedTagSchema,
  ofContainer,
  presentImage,
  presentNamedTag,
} from "./content.ts";
import { afterQuery, operation, pageSchema, setETag, versionOf } from "./operation.ts";
import { presentPage, timeOf } from "./present.ts";
import { time } from "./schemas.ts";

const ofCollection = z.object({ entity: z.string(), collection: z.string() });
const description = z.string().max(limits.readmeLength).describe("Markdown, as it was written.");
const name = z.string().min(1).max(limits.nameLength);

const numbers = {
  sizeBytes: z.int().describe("Of its images together."),
  imageCount: z.int(),
  pullCount: z.int(),
};

const containerFields = {
  entity: z.string(),
  collection: z.string(),
  name: z.string(),
  description,
  readOnly: z.boolean().describe("Whether nothing may be pushed, tagged or deleted in it."),
  ...numbers,
  createdAt: time,
  updatedAt: time,
};

const containerSchema = z.object(containerFields).meta({ id: "Container" });

const listedContainerSchema = z
  .object({
    name: z.string(),
    description: z.string().describe(`Its first ${limits.listedDescriptionLength} characters.`),
    topics: z.array(z.string()),
    readOnly: z.boolean(),
    ...numbers,
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: "ListedContainer" });

const containerDetailsSchema = z
  .object({
    ...containerFields,
    visibility: z.enum(["public", "internal", "private"]).describe("Its collection's, as it counts."),
    topics: z.array(z.string()),
    createdBy: z.string().nullable().describe("For people of the collection."),
    newestImage: imageSchema.nullable(),
    tags: z
      .object({ items: z.array(namedTagSchema), next: z.string().nullable() })
      .describe("The first page of its tags, in natural order."),
    role: z.enum(["owner", "contributor", "reader"]).nullable().describe("What you are in its collection."),
    reason: z.string().nullable().describe("Why, such as `contributor through team imaging`."),
  })
  .meta({ id: "ContainerDetails" });

/** Containers: what a collection holds. */
export const containerOperations = [
  operation(
    {
      id: "listContainers",
      method: "get",
      path: "/api/v1/collections/{entity}/{collection}/containers",
      section: "containers",
      summary: "The containers of a collection",
      actor: "anyone",
      params: ofCollection,
      query: afterQuery.extend({
        sort: z
          .enum(containerOrders)
          .default("name")
          .describe("By name; or what was changed last, pulled most, or is largest first."),
      }),
      answer: pageSchema(listedContainerSchema).meta({ id: "ListedContainerPage" }),
      problems: ["not-found", "query-invalid"],
    },
    async ({ ctx, actor, params, query }) => {
      const path = { entity: params.entity, name: params.collection };
      const page = await listContainers(ctx, actor, path, { sort: query.sort, after: query.after ?? null });
      return presentPage(page, (row) => ({
        ...row,
        createdAt: timeOf(row.createdAt),
        updatedAt: timeOf(row.updatedAt),
      }));
    },
  ),
  operation(
    {
      id: "createContainer",
      method: "post",
      path: "/api/v1/containers/{entity}/{collection}",
      section: "containers",
      summary: "Make a container in a collection",
      about: "For its contributors and owners. A push makes one by itself.",
      actor: "user",
      params: ofCollection,
      body: z.object({ name, description: description.default("") }).meta({ id: "NewContainer" }),
      status: 201,
      answer: containerSchema,
      hasETag: true,
      problems: ["not-found", "name-invalid", "name-taken", "pushing-disabled"],
    },
    async ({ c, ctx, actor, params, body }) => {
      const path = { entity: params.entity, name: params.collection };
      const found = await createContainer(ctx, actor, { in: path, ...body, isNew: true });
      setETag(c, found.container.version);
      return present(found);
    },
  ),
  operation(
    {
      id: "getContainer",
      method: "get",
      path: "/api/v1/containers/{entity}/{collection}/{container}",
      section: "containers",
      summary: "A container: what it is, its newest image, its first tags, and what you may do",
      actor: "anyone",
      params: ofContainer,
      answer: containerDetailsSchema,
      hasETag: true,
      problems: ["not-found"],
    },
    async ({ c, ctx, actor, params }) => {
      const { container, newestImage, tags, version, ...page } = await getContainerPage(
        ctx,
        actor,
        containerPathOf(params),
      );
      setETag(c, version);
      return {
        ...page,
        ...presentContainer(container),
        newestImage: newestImage === null ? null : presentImage(newestImage),
        tags: presentPage(tags, presentNamedTag),
      };
    },
  ),
  operation(
    {
      id: "editContainer",
      method: "patch",
      path: "/api/v1/containers/{entity}/{collection}/{container}",
      section: "containers",
      summary: "Describe a container, make it read-only, rename it",
      about:
        "For owners of its collection. After a rename the old name leads nowhere: `If-Match` must be the container's ETag then, `*` will not do. A container that is read-only, or holds anything frozen, keeps its name.",
      actor: "user",
      params: ofContainer,
      body: z
        .object({ name: name.optional(), description: description.optional(), readOnly: z.boolean().optional() })
        .meta({ id: "ContainerEdit" }),
      answer: containerSchema,
      hasETag: true,
      needsIfMatch: true,
      problems: ["not-found", "name-invalid", "name-taken", "read-only", "frozen", "conflict"],
    },
    async ({ c, ctx, actor, params, body, ifMatch }) => {
      const found = await editContainer(ctx, actor, containerPathOf(params), body, versionOf(ifMatch));
      setETag(c, found.container.version);
      return present(found);
    },
  ),
  operation(
    {
      id: "deleteContainer",
      method: "delete",
      path: "/api/v1/containers/{entity}/{collection}/{container}",
      section: "containers",
      summary: "Delete a container and all in it",
      about: "For owners of its collection.",
      actor: "user",
      params: ofContainer,
      preview: contentDeletionSchema,
      problems: ["not-found", "read-only", "frozen", "conflict"],
    },
    async ({ ctx, actor, params, ifMatch }) => {
      await deleteContent(ctx, actor, { path: containerPathOf(params) }, ifMatch);
    },
    ({ ctx, actor, params }) => previewContentDeletion(ctx, actor, { path: containerPathOf(params) }),
  ),
];

function present({ entity, collection, container }: FoundContainer): z.input<typeof containerSchema> {
  return { entity: entity.name, collection: collection.name, ...presentContainer(container) };
}

function presentContainer(container: Container) {
  const { name: called, description: text, readOnly, sizeBytes, imageCount, pullCount } = container;
  return {
    ...{ name: called, description: text, readOnly, sizeBytes, imageCount, pullCount },
    createdAt: timeOf(container.createdAt),
    updatedAt: timeOf(container.updatedAt),
  };
}
