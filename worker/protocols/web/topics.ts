import * as z from "zod";
import { addTopic, containersWithTopic, listTopics, removeTopic, topicsOf } from "../../registry/catalog/topics.ts";
import { afterQuery, operation, pageSchema } from "./operation.ts";

const ofContainer = z.object({ entity: z.string(), collection: z.string(), container: z.string() });
const ofTopic = ofContainer.extend({ topic: z.string() });

/** Topic tags of containers. */
export const topicOperations = [
  operation(
    {
      id: "listTopics",
      method: "get",
      path: "/api/v1/topics",
      section: "topics",
      summary: "All topics, each with how many containers you may see have it",
      actor: "anyone",
      query: afterQuery,
      answer: pageSchema(z.object({ topic: z.string(), containers: z.int() })).meta({ id: "TopicPage" }),
    },
    ({ ctx, actor, query }) => listTopics(ctx, actor, query.after ?? null),
  ),
  operation(
    {
      id: "listContainersWithTopic",
      method: "get",
      path: "/api/v1/topics/{topic}",
      section: "topics",
      summary: "The containers with a topic",
      actor: "anyone",
      params: z.object({ topic: z.string() }),
      query: afterQuery,
      answer: pageSchema(
        z.object({ entity: z.string(), collection: z.string(), container: z.string(), description: z.string() }),
      ).meta({ id: "ContainerPage" }),
      problems: ["topic-invalid"],
    },
    async ({ ctx, actor, params, query }) => {
      const input = { topic: params.topic, after: query.after ?? null };
      const { items, next } = await containersWithTopic(ctx, actor, input);
      return { items: items.map(({ id: _, ...container }) => container), next };
    },
  ),
  operation(
    {
      id: "listTopicsOfContainer",
      method: "get",
      path: "/api/v1/containers/{entity}/{collection}/{container}/topics",
      section: "topics",
      summary: "The topics of a container",
      actor: "anyone",
      params: ofContainer,
      answer: z.object({ topics: z.array(z.string()) }).meta({ id: "Topics" }),
      problems: ["not-found"],
    },
    async ({ ctx, actor, params }) => ({ topics: await topicsOf(ctx, actor, params) }),
  ),
  operation(
    {
      id: "addTopic",
      method: "put",
      path: "/api/v1/containers/{entity}/{collection}/{container}/topics/{topic}",
      section: "topics",
      summary: "Give a container a topic; one that it has is fine",
      about: "For owners of its collection, and administrators. A topic has 1 to 50 printable characters.",
      actor: "user",
      params: ofTopic,
      problems: ["not-found", "topic-invalid", "topic-limit"],
    },
    ({ ctx, actor, params: { topic, ...path } }) => addTopic(ctx, actor, path, topic),
  ),
  operation(
    {
      id: "removeTopic",
      method: "delete",
      path: "/api/v1/containers/{entity}/{collection}/{container}/topics/{topic}",
      section: "topics",
      summary: "Take a topic from a container",
      about: "One that came from an image does not come back with the next one.",
      actor: "user",
      params: ofTopic,
      problems: ["not-found", "topic-invalid"],
    },
    ({ ctx, actor, params: { topic, ...path } }) => removeTopic(ctx, actor, path, topic),
  ),
];
