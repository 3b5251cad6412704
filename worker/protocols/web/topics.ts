import { Hono } from "hono";
import { type AppEnv, withActor, withContext } from "../../http/request-context.ts";
import { addTopic, containersWithTopic, listTopics, removeTopic, topicsOf } from "../../registry/catalog/topics.ts";

/** Topic tags of containers. Pages are `{items, next}`; `next` goes into `?after=`. */
export const topics = new Hono<AppEnv>();

topics.get("/api/v1/topics", withContext, withActor, async (c) => {
  return c.json(await listTopics(c.var.ctx, c.var.actor, c.req.query("after") ?? null));
});

topics.get("/api/v1/topics/:topic", withContext, withActor, async (c) => {
  const input = { topic: c.req.param("topic"), after: c.req.query("after") ?? null };
  const { items, next } = await containersWithTopic(c.var.ctx, c.var.actor, input);
  return c.json({ items: items.map(({ id: _, ...container }) => container), next });
});

const ofContainer = "/api/v1/containers/:entity/:collection/:container/topics" as const;

topics.get(ofContainer, withContext, withActor, async (c) => {
  return c.json({ topics: await topicsOf(c.var.ctx, c.var.actor, c.req.param()) });
});

topics.put(`${ofContainer}/:topic`, withContext, withActor, async (c) => {
  const { topic, ...path } = c.req.param();
  await addTopic(c.var.ctx, c.var.actor, path, topic);
  return c.body(null, 204);
});

topics.delete(`${ofContainer}/:topic`, withContext, withActor, async (c) => {
  const { topic, ...path } = c.req.param();
  await removeTopic(c.var.ctx, c.var.actor, path, topic);
  return c.body(null, 204);
});
