import * as z from "zod";
import { listStars, star, unstar } from "../../registry/catalog/stars.ts";
import { afterQuery, operation, pageSchema } from "./operation.ts";
import { presentPage, timeOf } from "./present.ts";
import { description, time } from "./schemas.ts";

const ofCollection = z.object({ entity: z.string(), collection: z.string() });

/** Collections that one has marked. */
export const starOperations = [
  operation(
    {
      id: "listStars",
      method: "get",
      path: "/api/v1/me/stars",
      section: "stars",
      summary: "The collections you have starred, the newest star first",
      about: "Without those that you may not see any more.",
      actor: "user",
      query: afterQuery,
      answer: pageSchema(
        z.object({
          entity: z.string(),
          collection: z.string(),
          description,
          stars: z.int(),
          starredAt: time,
        }),
      ).meta({ id: "StarPage" }),
    },
    async ({ ctx, actor, query }) =>
      presentPage(await listStars(ctx, actor, query.after ?? null), ({ starredAt, ...item }) => ({
        ...item,
        starredAt: timeOf(starredAt),
      })),
  ),
  operation(
    {
      id: "starCollection",
      method: "put",
      path: "/api/v1/collections/{entity}/{collection}/star",
      section: "stars",
      summary: "Star a collection; one that is starred stays so",
      about: "For people, not robots. Others see how many stars there are, and not whose.",
      actor: "user",
      params: ofCollection,
      problems: ["not-found", "limit-reached"],
    },
    ({ ctx, actor, params }) => star(ctx, actor, pathOf(params)),
  ),
  operation(
    {
      id: "unstarCollection",
      method: "delete",
      path: "/api/v1/collections/{entity}/{collection}/star",
      section: "stars",
      summary: "Take the star away",
      actor: "user",
      params: ofCollection,
      problems: ["not-found"],
    },
    ({ ctx, actor, params }) => unstar(ctx, actor, pathOf(params)),
  ),
];

function pathOf({ entity, collection }: { entity: string; collection: string }) {
  return { entity, name: collection };
}
