import { Hono } from "hono";
import { readJson } from "../../http/body.ts";
import type { AppEnv } from "../../http/request-context.ts";
import { createCollection, getCollection, listCollections } from "../../registry/catalog/collections.ts";
import { createContainer, getContainer } from "../../registry/catalog/containers.ts";
import { createEntity, getEntity, getOwnEntity } from "../../registry/catalog/entities.ts";
import { RegistryError } from "../../registry/errors.ts";
import { limits } from "../../registry/limits.ts";
import { parseContainerPath } from "../../registry/names.ts";
import { quotaForOwner } from "../../registry/people/account-quotas.ts";
import { search } from "../../registry/search/search-catalog.ts";
import { presentCollection, presentContainer, presentEntity, presentImage } from "./presenters.ts";
import { newCollectionBody, newContainerBody, newEntityBody } from "./schemas.ts";

/** Entities, collections, containers and search. A push asks for each, and creates what answers 404. */
export const catalog = new Hono<AppEnv>();

catalog.get("/v1/entities", async (c) => {
  const entity = await getOwnEntity(c.var.ctx, c.var.actor);
  return c.json({ data: presentEntity(entity, await quotaForOwner(c.var.ctx, c.var.actor, entity.ownerUserId)) });
});

catalog.get("/v1/entities/:name", async (c) => {
  const entity = await getEntity(c.var.ctx, c.var.actor, c.req.param("name"));
  return c.json({ data: presentEntity(entity, await quotaForOwner(c.var.ctx, c.var.actor, entity.ownerUserId)) });
});

catalog.post("/v1/entities", async (c) => {
  const { name } = await readJson(c.req.raw, newEntityBody);
  return c.json({ data: presentEntity(await createEntity(c.var.ctx, c.var.actor, name)) }, 201);
});

/** The key is sregistry's; `page.next` goes into `?after=`. */
catalog.get("/v1/collections", async (c) => {
  const { items, next } = await listCollections(c.var.ctx, c.var.actor, c.req.query("after") ?? null);
  return c.json({ collections: items.map(presentCollection), ...(next === null ? {} : { page: { next } }) });
});

catalog.get("/v1/collections/:entity/:name", async (c) => {
  const { entity, name } = c.req.param();
  return c.json({ data: presentCollection(await getCollection(c.var.ctx, c.var.actor, { entity, name })) });
});

/** The clients always send `private`, false unless told otherwise: false is the registry's default, not a wish. */
catalog.post("/v1/collections", async (c) => {
  const body = await readJson(c.req.raw, newCollectionBody);
  const created = await createCollection(c.var.ctx, c.var.actor, {
    entityId: body.entity,
    name: body.name,
    description: body.description,
    visibility: body.private === true ? "private" : null,
  });
  return c.json({ data: presentCollection(created) }, 201);
});

catalog.get("/v1/containers/:path{.+}", async (c) => {
  const path = parseContainerPath(c.req.param("path"));
  if (path === null) throw new RegistryError("reference-invalid");
  return c.json({ data: presentContainer(await getContainer(c.var.ctx, c.var.actor, path)) });
});

catalog.post("/v1/containers", async (c) => {
  const { collection, name, description } = await readJson(c.req.raw, newContainerBody);
  const created = await createContainer(c.var.ctx, c.var.actor, { in: { id: collection }, name, description });
  return c.json({ data: presentContainer(created) }, 201);
});

/** The keys are singular; clients print only `image`. `arch` may be a comma-separated list. */
catalog.get("/v1/search", async (c) => {
  const architectures = (c.req.query("arch") ?? "").split(",").filter((arch) => arch !== "");
  const found = await search(c.var.ctx, c.var.actor, {
    text: c.req.query("value") ?? "",
    architectures: architectures.slice(0, limits.searchArchitectures),
    signedOnly: c.req.query("signed") === "true",
  });
  return c.json({
    data: {
      entity: found.entities.map((entity) => presentEntity(entity)),
      collection: found.collections.map(presentCollection),
      container: found.containers.map(presentContainer),
      image: found.images.map((image) => presentImage(image, true)),
    },
  });
});
