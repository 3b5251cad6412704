import { Hono } from "hono";
import { type AppEnv, withActor, withContext } from "../../http/request-context.ts";
import { listLabelKeys, listLabelledImages, listLabelValues } from "../../registry/catalog/labels.ts";

/** Labels of images. Pages are `{items, next}`; `next` goes into `?after=`. */
export const labels = new Hono<AppEnv>();

labels.get("/api/v1/labels", withContext, withActor, async (c) => {
  return c.json(await listLabelKeys(c.var.ctx, c.var.actor, c.req.query("after") ?? null));
});

labels.get("/api/v1/labels/:key", withContext, withActor, async (c) => {
  const input = { key: c.req.param("key"), after: c.req.query("after") ?? null };
  return c.json(await listLabelValues(c.var.ctx, c.var.actor, input));
});

/** A value may hold slashes, and may be empty. */
labels.get("/api/v1/labels/:key/:value{.*}", withContext, withActor, async (c) => {
  const { key, value } = c.req.param();
  const { items, next } = await listLabelledImages(c.var.ctx, c.var.actor, {
    key,
    value,
    after: c.req.query("after") ?? null,
  });
  return c.json({ items: items.map(({ id: _, ...image }) => image), next });
});
