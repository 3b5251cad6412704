import type { Context as HonoContext } from "hono";
import * as z from "zod";
import type { AppEnv } from "../../http/request-context.ts";
import { type EntityPage, editEntity, getEntityPage } from "../../registry/catalog/entity-page.ts";
import { giveEntity, previewEntityMove } from "../../registry/catalog/give-entity.ts";
import { listEntities } from "../../registry/catalog/list-entities.ts";
import { afterQuery, operation, pageSchema, setETag } from "./operation.ts";
import { timeOf } from "./present.ts";
import { accountSchema, description, time, username } from "./schemas.ts";

const named = z.object({ entity: z.string() });

const entitySchema = z
  .object({
    entity: z.string(),
    description,
    owner: accountSchema.nullable().describe("Null for whoever is not signed in."),
    sizeBytes: z.int().nullable().describe("Of all its collections, each content once in each. For its people alone."),
    createdAt: time,
    may: z.array(z.enum(["create-collection", "edit"])).describe("What you may do with it."),
  })
  .meta({ id: "Entity" });

const moveSchema = z
  .object({
    from: accountSchema,
    to: accountSchema,
    collections: z.int(),
    sizeBytes: z.int(),
    shares: z.int().describe("Share links that end: their makers would not own the collection any more."),
    publishers: z.int().describe("Pipelines that end: who set them up could not push any more."),
  })
  .meta({ id: "EntityMove", description: "What goes to somebody else with an entity." });

const newOwner = z
  .union([z.object({ user: username }), z.object({ team: username })])
  .meta({ id: "EntityOwner", description: "One of the two." });

/** What collections are in. */
export const entityOperations = [
  operation(
    {
      id: "listEntities",
      method: "get",
      path: "/api/v1/entities",
      section: "entities",
      summary: "The entities that hold something you may see, or are yours, by name",
      actor: "anyone",
      query: afterQuery,
      answer: pageSchema(z.object({ entity: z.string(), description })).meta({ id: "EntityPage" }),
    },
    ({ ctx, actor, query }) => listEntities(ctx, actor, query.after ?? null),
  ),
  operation(
    {
      id: "getEntity",
      method: "get",
      path: "/api/v1/entities/{entity}",
      section: "entities",
      summary: "An entity; its collections are a list of their own",
      actor: "anyone",
      params: named,
      answer: entitySchema,
      hasETag: true,
      problems: ["not-found"],
    },
    async ({ c, ctx, actor, params }) => tagged(c, await getEntityPage(ctx, actor, params.entity)),
  ),
  operation(
    {
      id: "editEntity",
      method: "patch",
      path: "/api/v1/entities/{entity}",
      section: "entities",
      summary: "Describe an entity",
      about: "For its owner, owners of the team it belongs to, and administrators.",
      actor: "user",
      params: named,
      body: z.object({ description }).meta({ id: "EntityEdit" }),
      answer: entitySchema,
      hasETag: true,
      needsIfMatch: true,
      problems: ["not-found", "precondition-failed"],
    },
    async ({ c, ctx, actor, params, body, ifMatch }) =>
      tagged(c, await editEntity(ctx, actor, params.entity, body, ifMatch)),
  ),
  operation(
    {
      id: "giveEntity",
      method: "put",
      path: "/api/v1/entities/{entity}/owner",
      section: "entities",
      summary: "Give an entity, with all in it, to somebody else",
      about: "For administrators, where its owner is gone. Nobody's space is asked for it.",
      actor: "user",
      params: named,
      body: newOwner,
      preview: moveSchema,
      problems: ["not-found", "already-so", "conflict", "precondition-failed"],
    },
    ({ ctx, actor, params, body, ifMatch }) => giveEntity(ctx, actor, params.entity, ownerOf(body), ifMatch),
    async ({ ctx, actor, params, body }) => {
      const { move, tag } = await previewEntityMove(ctx, actor, params.entity, ownerOf(body));
      return { tag, shown: move };
    },
  ),
];

function ownerOf(body: z.output<typeof newOwner>) {
  return "user" in body ? { name: body.user, kind: "user" as const } : { name: body.team, kind: "team" as const };
}

function tagged(c: HonoContext<AppEnv>, { tag, createdAt, ...entity }: EntityPage) {
  setETag(c, tag);
  return { ...entity, createdAt: timeOf(createdAt) };
}
