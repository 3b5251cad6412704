import { Hono, type Context as HonoContext } from "hono";
import { type AppEnv, withActor, withContext } from "../../http/request-context.ts";
import {
  type CollectionRef,
  listCollectionItems,
  listTagDetails,
  listTagItems,
  type Slice,
} from "../../registry/catalog/listing.ts";
import { RegistryError } from "../../registry/errors.ts";
import { limits } from "../../registry/limits.ts";
import { presentCollectionItem, presentTagDetails, presentTagItem } from "./presenters.ts";

/** Lists and searches. Each address answers with and without its last slash, as the original's do. */
export const catalog = new Hono<AppEnv>();

type Handler = (c: HonoContext<AppEnv>) => Promise<Response>;

function get(path: string, handler: Handler): void {
  for (const form of [path, `${path}/`]) catalog.get(form, withContext, withActor, handler);
}

/** What there is to ask, in place of the original's API browser; people get a page, of the registry's own API. */
get("/api", async (c) => {
  c.header("Vary", "Accept");
  if ((c.req.header("accept") ?? "").includes("text/html")) return c.redirect("/api/docs");
  const origin = c.var.ctx.origin();
  return c.json({
    collections: `${origin}/api/collections/`,
    containers: `${origin}/api/containers/`,
    labels: `${origin}/api/labels/search/`,
    identity: `${origin}/api/registry/identity/`,
  });
});

for (const path of ["/api/collections", "/api/collections.json"]) {
  get(path, async (c) => {
    const slice = sliceOf(c);
    const { count, items } = await listCollectionItems(c.var.ctx, c.var.actor, {}, slice);
    const origin = c.var.ctx.origin();
    return c.json({
      count,
      ...linksOf(c, count, slice),
      results: items.map((item) => presentCollectionItem(item, origin)),
    });
  });
}

get("/api/collections/:id", async (c) => {
  const item = await findCollectionItem(c, { id: withoutSuffix(param(c, "id")) });
  if (item === null) throw new RegistryError("not-found");
  return c.json(item);
});

get("/api/collection/search/:query", async (c) => {
  const slice = { limit: limits.pageSize, offset: 0 };
  const { items } = await listCollectionItems(c.var.ctx, c.var.actor, { matching: param(c, "query") }, slice);
  const origin = c.var.ctx.origin();
  return c.json(items.map((item) => presentCollectionItem(item, origin)));
});

/** Nothing is `{}`, as the original says it: sregistry-cli looks for that. */
for (const path of ["/api/collection/:name", "/api/collection/:entity/:name"]) {
  get(path, async (c) => c.json((await findCollectionItem(c, collectionRef(c, "name"))) ?? {}));
}

for (const path of ["/api/containers", "/api/containers.json"]) {
  get(path, async (c) => {
    const slice = sliceOf(c);
    const { count, items } = await listTagItems(c.var.ctx, c.var.actor, {}, slice);
    return c.json({ count, ...linksOf(c, count, slice), results: items.map(presentTagItem) });
  });
}

get("/api/containers/:id", async (c) => {
  const id = param(c, "id");
  // A tag may itself end as the suffix does.
  for (const form of new Set([id, withoutSuffix(id)])) {
    const [containerId = "", tag = ""] = form.split(":");
    const [item] = await listTagDetails(c.var.ctx, c.var.actor, { id: { containerId, tag } });
    if (item !== undefined) return c.json(presentTagDetails(item));
  }
  throw new RegistryError("not-found");
});

get("/api/container/search/name/:container", async (c) => {
  const { items } = await listTagItems(c.var.ctx, c.var.actor, { container: param(c, "container") }, null);
  return c.json(items.map(presentTagItem));
});

get("/api/container/search/name/:container/tag/:tag", async (c) => {
  const filter = { container: param(c, "container"), tag: param(c, "tag") };
  const { items } = await listTagItems(c.var.ctx, c.var.actor, filter, null);
  return c.json(items.map(presentTagItem));
});

for (const collection of [":collection", ":entity/:collection"]) {
  get(`/api/container/search/collection/${collection}/name/:container`, async (c) => {
    const filter = { collection: collectionRef(c, "collection"), container: param(c, "container") };
    const { items } = await listTagItems(c.var.ctx, c.var.actor, filter, null);
    return c.json(items.map(presentTagItem));
  });

  get(`/api/container/search/collection/${collection}/name/:container/tag/:tag`, async (c) => {
    const filter = {
      collection: collectionRef(c, "collection"),
      container: param(c, "container"),
      tag: param(c, "tag"),
    };
    return c.json((await listTagDetails(c.var.ctx, c.var.actor, filter)).map(presentTagDetails));
  });
}

for (const path of ["/api/registry/identity", "/api/registry/identity/"]) {
  catalog.get(path, withContext, (c) => {
    const { settings, origin } = c.var.ctx;
    return c.json({ name: settings.REGISTRY_NAME, id: settings.REGISTRY_URI, url: origin() });
  });
}

/** There are no passwords. Whatever is sent is not read. */
for (const path of ["/api/api-token-auth", "/api/api-token-auth/"]) {
  catalog.post(path, withContext, (c) => {
    const where = `${c.var.ctx.origin()}/auth/tokens`;
    const message = `This registry has no passwords to log in with. Find your access tokens at ${where}.`;
    return c.json({ non_field_errors: [message] }, 400);
  });
}

async function findCollectionItem(c: HonoContext<AppEnv>, is: CollectionRef) {
  const { items } = await listCollectionItems(c.var.ctx, c.var.actor, { is }, null);
  const [item] = items;
  return item === undefined ? null : presentCollectionItem(item, c.var.ctx.origin());
}

/** By short name, or as `entity/name`, be its slash written as one or as `%2F`. */
function collectionRef(c: HonoContext<AppEnv>, key: string): CollectionRef {
  const entity = c.req.param("entity");
  const text = entity === undefined ? param(c, key) : `${entity}/${param(c, key)}`;
  const slash = text.indexOf("/");
  return slash === -1 ? { shortName: text } : { entity: text.slice(0, slash), name: text.slice(slash + 1) };
}

function param(c: HonoContext<AppEnv>, key: string): string {
  return c.req.param(key) ?? "";
}

function withoutSuffix(id: string): string {
  return id.replace(/\.json$/, "");
}

/**
 * Pages are for those who ask for them: sregistry-cli asks the same address for ever while `next` is not null
 * (0.2.39, base/http.py), so what it gets is all there is.
 * @throws `body-invalid`
 */
function sliceOf(c: HonoContext<AppEnv>): Slice {
  const [limit, offset] = [c.req.query("limit"), c.req.query("offset")];
  if (limit === undefined && offset === undefined) return null;
  const isNumber = (text: string | undefined) => text === undefined || /^\d{1,9}$/.test(text);
  if (!isNumber(limit) || !isNumber(offset) || Number(limit ?? 1) === 0) {
    throw new RegistryError("body-invalid", "limit must be a number from 1, offset one from 0.");
  }
  return { limit: Math.min(Number(limit ?? limits.pageSize), limits.offsetPage), offset: Number(offset ?? 0) };
}

function linksOf(
  c: HonoContext<AppEnv>,
  count: number,
  slice: Slice,
): { next: string | null; previous: string | null } {
  if (slice === null) return { next: null, previous: null };
  const { limit, offset } = slice;
  const at = (start: number) => `${c.var.ctx.origin()}${c.req.path}?limit=${limit}&offset=${start}`;
  return {
    next: offset + limit < count ? at(offset + limit) : null,
    previous: offset > 0 ? at(Math.max(0, offset - limit)) : null,
  };
}
