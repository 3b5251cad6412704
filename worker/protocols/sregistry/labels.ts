import { Hono, type Context as HonoContext } from "hono";
import { type AppEnv, withActor, withContext } from "../../http/request-context.ts";
import { findLabels } from "../../registry/catalog/labels.ts";
import { uriOf } from "./presenters.ts";

/** Label searches, in the original's order: a value alone stands before its word. */
export const labels = new Hono<AppEnv>();

const forms = ["", "/:key/key", "/:value/value", "/:key/key/:value/value"];

for (const form of forms) {
  for (const path of [`/api/labels/search${form}`, `/api/labels/search${form}/`]) {
    labels.get(path, withContext, withActor, async (c: HonoContext<AppEnv>) => {
      const query = { key: c.req.param("key") ?? null, value: c.req.param("value") ?? null };
      const found = await findLabels(c.var.ctx, c.var.actor, query);
      return c.json(found.map(({ key, value, places }) => ({ key, value, containers: places.map(uriOf) })));
    });
  }
}
