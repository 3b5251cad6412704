import * as z from "zod";
import { limits } from "../../registry/limits.ts";
import { exchangeToken } from "../../registry/publishers/exchange-token.ts";
import {
  addPublisher,
  listPublishers,
  type Publisher,
  removePublisher,
} from "../../registry/publishers/manage-publishers.ts";
import { operation } from "./operation.ts";
import { timeOf, timeOrNull } from "./present.ts";
import { collectionPath, newPublisherBody, publisherSchema, time } from "./schemas.ts";

const ofCollection = z.object({ entity: z.string(), collection: z.string() });

/** Pipelines that push without a stored secret. A collection's owners say which. */
export const publisherOperations = [
  operation(
    {
      id: "listPublishers",
      method: "get",
      path: "/api/v1/collections/{entity}/{collection}/publishers",
      section: "publishers",
      summary: "The pipelines that may push to a collection",
      actor: "user",
      params: ofCollection,
      answer: z.object({ items: z.array(publisherSchema) }).meta({ id: "Publishers" }),
      problems: ["not-found"],
    },
    async ({ ctx, actor, params }) => ({ items: (await listPublishers(ctx, actor, pathOf(params))).map(present) }),
  ),
  operation(
    {
      id: "addPublisher",
      method: "post",
      path: "/api/v1/collections/{entity}/{collection}/publishers",
      section: "publishers",
      summary: "Let a pipeline push to a collection",
      about: "It pushes in your name, and no longer than you may push there yourself.",
      actor: "session",
      params: ofCollection,
      body: newPublisherBody,
      status: 201,
      answer: publisherSchema,
      problems: ["not-found", "already-so", "limit-reached"],
    },
    async ({ ctx, actor, params, body }) => present(await addPublisher(ctx, actor, pathOf(params), body)),
  ),
  operation(
    {
      id: "removePublisher",
      method: "delete",
      path: "/api/v1/collections/{entity}/{collection}/publishers/{id}",
      section: "publishers",
      summary: "Take that away; the tokens it was given end at once",
      actor: "user",
      params: ofCollection.extend({ id: z.string() }),
      problems: ["not-found"],
    },
    ({ ctx, actor, params }) => removePublisher(ctx, actor, pathOf(params), params.id),
  ),
  operation(
    {
      id: "exchangeToken",
      method: "post",
      path: "/api/v1/publisher-tokens",
      section: "publishers",
      summary: "Exchange a pipeline's OIDC token for one to push with",
      about: "For GitHub Actions and GitLab CI. The token's audience must be this registry's origin.",
      actor: "none",
      fromAnywhere: true,
      body: z
        .object({ token: z.string().min(1).max(limits.assertionLength), collection: collectionPath })
        .meta({ id: "TokenExchange" }),
      status: 201,
      answer: z.object({ secret: z.string(), expiresAt: time, collection: z.string() }).meta({ id: "PublisherToken" }),
      problems: ["publisher-refused", "rate-limited", "provider-unavailable", "pushing-disabled"],
    },
    async ({ c, ctx, body: { token, collection } }) => {
      const [entity = "", name = ""] = collection.toLowerCase().split("/");
      const { secret, expiresAt } = await exchangeToken(ctx, { token, collection: { entity, name } });
      c.header("Cache-Control", "no-store");
      return { secret, expiresAt: timeOf(expiresAt), collection: `${entity}/${name}` };
    },
  ),
];

function pathOf({ entity, collection }: { entity: string; collection: string }) {
  return { entity, name: collection };
}

function present({ createdAt, lastUsedAt, ...publisher }: Publisher) {
  return { ...publisher, createdAt: timeOf(createdAt), lastUsedAt: timeOrNull(lastUsedAt) };
}
