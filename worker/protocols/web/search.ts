import { Hono } from "hono";
import { type AppEnv, withActor, withContext } from "../../http/request-context.ts";
import { RegistryError } from "../../registry/errors.ts";
import { limits } from "../../registry/limits.ts";
import { type FoundItem, type ImageQuery, searchImages } from "../../registry/search/search-images.ts";

/** Searching for images, with facets. */
export const searchApi = new Hono<AppEnv>();

/**
 * `?q=TEXT&arch=amd64,arm64&signed=true&collection=ENTITY/NAME&label=KEY&label=KEY=VALUE`. All but `q` may be left
 * out; `label` may come several times.
 */
searchApi.get("/api/v1/search", withContext, withActor, async (c) => {
  const architectures = (c.req.query("arch") ?? "").split(",").filter((arch) => arch !== "");
  const { items, facets, isCapped } = await searchImages(c.var.ctx, c.var.actor, {
    text: c.req.query("q") ?? "",
    architectures: architectures.slice(0, limits.searchArchitectures),
    signed: parseSigned(c.req.query("signed")),
    collection: parseCollection(c.req.query("collection")),
    labels: (c.req.queries("label") ?? [])
      .filter((label) => label !== "")
      .slice(0, limits.searchLabels)
      .map(parseLabel),
  });
  return c.json({ items: items.map(presentItem), facets, isCapped });
});

function parseSigned(text: string | undefined): boolean | null {
  if (text === undefined || text === "") return null;
  if (text === "true" || text === "false") return text === "true";
  throw new RegistryError("body-invalid", "`signed` must be true or false.");
}

function parseCollection(text: string | undefined): ImageQuery["collection"] {
  if (text === undefined || text === "") return null;
  const [entity, name, ...rest] = text.split("/");
  if (entity && name && rest.length === 0) return { entity, name };
  throw new RegistryError("body-invalid", "`collection` must be ENTITY/NAME.");
}

function parseLabel(text: string): ImageQuery["labels"][number] {
  const end = text.indexOf("=");
  return end === -1 ? { key: text, value: null } : { key: text.slice(0, end), value: text.slice(end + 1) };
}

function presentItem({ image, container, collection, entity, tags, topics, labels }: FoundItem) {
  return {
    entity: entity.name,
    collection: collection.name,
    container: container.name,
    digest: image.digest,
    tags,
    arch: image.arch,
    sizeBytes: image.sizeBytes,
    signed: image.signed,
    encrypted: image.encrypted,
    description: image.description === "" ? container.description : image.description,
    topics,
    labels,
    publishedAt: image.publishedAt === null ? null : new Date(image.publishedAt).toISOString(),
  };
}
