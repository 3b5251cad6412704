import * as z from "zod";
import { cancelUploadInto, listUploadsInto, type UploadInto } from "../../registry/push/uploads-into.ts";
import { afterQuery, operation, pageSchema } from "./operation.ts";
import { presentPage, timeOf } from "./present.ts";
import { time } from "./schemas.ts";

const ofCollection = z.object({ entity: z.string(), collection: z.string() });

const uploadIntoSchema = z
  .object({
    id: z.uuid(),
    container: z.string(),
    digest: z.string(),
    sizeBytes: z.int(),
    state: z.enum(["open", "verifying"]),
    username: z.string().nullable().describe("Who sends it; null for a user who was deleted."),
    createdAt: time,
    expiresAt: time.describe("Until when it takes bytes, and holds their room."),
  })
  .meta({ id: "UploadInto", description: "An image on its way into a collection, from whatever client." });

/** What is on its way into a collection, for its owners. */
export const uploadIntoOperations = [
  operation(
    {
      id: "listUploadsInto",
      method: "get",
      path: "/api/v1/collections/{entity}/{collection}/uploads",
      section: "uploads",
      summary: "The uploads that are going on into a collection, the newest first",
      about:
        "For its owners: whoever sends them, and by whichever client. They hold room of whoever owns the collection; those begun before it went to another owner hold none, and are not listed. What sregistry-cli sends is seen when it is there.",
      actor: "user",
      params: ofCollection,
      query: afterQuery,
      answer: pageSchema(uploadIntoSchema).meta({ id: "UploadIntoPage" }),
      problems: ["not-found"],
    },
    async ({ ctx, actor, params, query }) =>
      presentPage(await listUploadsInto(ctx, actor, pathOf(params), query.after ?? null), present),
  ),
  operation(
    {
      id: "cancelUploadInto",
      method: "delete",
      path: "/api/v1/collections/{entity}/{collection}/uploads/{id}",
      section: "uploads",
      summary: "Cancel an upload into a collection; its room is given back at once",
      about: "For its owners, also where somebody began it who may not push any more.",
      actor: "user",
      params: ofCollection.extend({ id: z.string() }),
      problems: ["not-found", "conflict"],
    },
    ({ ctx, actor, params }) => cancelUploadInto(ctx, actor, pathOf(params), params.id),
  ),
];

function pathOf({ entity, collection }: { entity: string; collection: string }) {
  return { entity, name: collection };
}

function present({ createdAt, expiresAt, ...upload }: UploadInto): z.input<typeof uploadIntoSchema> {
  return { ...upload, createdAt: timeOf(createdAt), expiresAt: timeOf(expiresAt) };
}
