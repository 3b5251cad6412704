import * as z from "zod";
import { handOver, previewHandOver, withdrawHandOver } from "../../registry/catalog/hand-over.ts";
import { acceptHandOver, declineHandOver, listOffers } from "../../registry/catalog/hand-over-offers.ts";
import { limits } from "../../registry/limits.ts";
import { afterQuery, operation, pageSchema } from "./operation.ts";
import { presentPage, timeOf, timeOrNull } from "./present.ts";
import { brokenFields, description, time } from "./schemas.ts";

const ofCollection = z.object({ entity: z.string(), collection: z.string() });

const handOverSchema = z
  .object({
    state: z.enum(["moved", "offered"]),
    entity: z.string().describe("Where it is now, or would be."),
    collection: z.string(),
    expiresAt: time.nullable().describe("Until when the offer can be taken; null where it has moved."),
  })
  .meta({ id: "HandOver" });

const offerSchema = z
  .object({
    entity: z.string(),
    collection: z.string(),
    description,
    images: z.int(),
    sizeBytes: z.int(),
    offeredBy: z.string(),
    to: z.string().describe("The entity it would go to: yours, or one of a team you own."),
    expiresAt: time,
  })
  .meta({ id: "Offer" });

/** Giving a collection to somebody else. */
export const handOverOperations = [
  operation(
    {
      id: "handOverCollection",
      method: "post",
      path: "/api/v1/collections/{entity}/{collection}/hand-over",
      section: "collections",
      summary: "Move a collection to another entity, or offer it to who owns that",
      about:
        "For the owner of its entity, and administrators. It moves at once to an entity of your own, of a team you own, and by an administrator; else it is offered for two weeks. References by the old path break, and that stays taken; those by the short name go on, and so do roles, stars and tokens for the collection. Share links end whose maker does not own it then.",
      actor: "user",
      params: ofCollection,
      body: z.object({ entity: z.string().min(1).max(limits.nameLength) }).meta({ id: "HandOverTo" }),
      status: 201,
      answer: handOverSchema,
      preview: z.object({
        isAtOnce: z.boolean().describe("Whether it would move now."),
        shares: z.int().describe("Share links that would end when it moves: their makers would not own it any more."),
        publishers: z.int().describe("Pipelines that would end likewise: who set them up could not push any more."),
        ...brokenFields,
      }),
      problems: [
        "not-found",
        "already-so",
        "name-taken",
        "collection-limit",
        "quota-exceeded",
        "conflict",
        "precondition-failed",
      ],
    },
    async ({ ctx, actor, params, body, ifMatch }) => {
      const done = await handOver(ctx, actor, pathOf(params), body.entity, ifMatch);
      return { ...done, expiresAt: timeOrNull(done.expiresAt) };
    },
    async ({ ctx, actor, params, body }) => {
      const { tag, shown } = await previewHandOver(ctx, actor, pathOf(params), body.entity);
      const { broken, ...counts } = shown;
      return { tag, shown: { ...counts, ...broken } };
    },
  ),
  operation(
    {
      id: "withdrawHandOver",
      method: "delete",
      path: "/api/v1/collections/{entity}/{collection}/hand-over",
      section: "collections",
      summary: "Take such an offer back",
      actor: "user",
      params: ofCollection,
      problems: ["not-found"],
    },
    ({ ctx, actor, params }) => withdrawHandOver(ctx, actor, pathOf(params)),
  ),
  operation(
    {
      id: "acceptHandOver",
      method: "post",
      path: "/api/v1/collections/{entity}/{collection}/hand-over/acceptance",
      section: "collections",
      summary: "Take a collection that you are offered",
      actor: "user",
      params: ofCollection,
      answer: handOverSchema,
      problems: ["not-found", "name-taken", "collection-limit", "quota-exceeded", "conflict"],
    },
    async ({ ctx, actor, params }) => {
      const { name } = await acceptHandOver(ctx, actor, pathOf(params));
      return { state: "moved" as const, entity: name, collection: params.collection.toLowerCase(), expiresAt: null };
    },
  ),
  operation(
    {
      id: "declineHandOver",
      method: "delete",
      path: "/api/v1/collections/{entity}/{collection}/hand-over/acceptance",
      section: "collections",
      summary: "Do without it",
      actor: "user",
      params: ofCollection,
      problems: ["not-found"],
    },
    ({ ctx, actor, params }) => declineHandOver(ctx, actor, pathOf(params)),
  ),
  operation(
    {
      id: "listOffers",
      method: "get",
      path: "/api/v1/me/hand-overs",
      section: "collections",
      summary: "The collections that you, and teams you own, are offered",
      actor: "user",
      query: afterQuery,
      answer: pageSchema(offerSchema).meta({ id: "OfferPage" }),
    },
    async ({ ctx, actor, query }) =>
      presentPage(await listOffers(ctx, actor, query.after ?? null), ({ expiresAt, ...offer }) => ({
        ...offer,
        expiresAt: timeOf(expiresAt),
      })),
  ),
];

function pathOf({ entity, collection }: { entity: string; collection: string }) {
  return { entity, name: collection };
}
