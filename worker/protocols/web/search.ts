import * as z from "zod";
import { limits } from "../../registry/limits.ts";
import { type FoundItem, type ImageQuery, searchImages } from "../../registry/search/search-images.ts";
import { operation } from "./operation.ts";
import { timeOrNull } from "./present.ts";
import { time } from "./schemas.ts";

// What is there and empty, as a form sends it, is as if it were left out.
const query = z.object({
  q: z.string().describe(`What to look for, ${limits.searchMinLength} to ${limits.searchMaxLength} characters.`),
  arch: z.string().optional().describe("Architectures, any of which will do, such as `amd64,arm64`."),
  signed: z.enum(["true", "false", ""]).optional(),
  collection: z
    .string()
    .regex(/^(?:[^/]+\/[^/]+)?$/)
    .optional()
    .describe("`ENTITY/COLLECTION`"),
  label: z
    .array(z.string())
    .optional()
    .describe("`KEY=VALUE`, or `KEY` for any value; all that are given must be there."),
});

const facetSchema = z
  .array(z.object({ value: z.string(), count: z.int() }))
  .meta({ id: "Facet", description: "How many each value would leave, the most frequent first." });

const foundSchema = z
  .object({
    entity: z.string(),
    collection: z.string(),
    container: z.string(),
    digest: z.string().nullable(),
    tags: z.array(z.string()),
    arch: z.string().nullable(),
    sizeBytes: z.int().nullable(),
    signed: z.boolean().nullable(),
    encrypted: z.boolean().nullable(),
    description: z.string().describe("The image's; its container's where it has none."),
    topics: z.array(z.string()),
    labels: z.record(z.string(), z.string()),
    publishedAt: time.nullable(),
  })
  .meta({ id: "FoundImage" });

/** Searching for images, with facets. */
export const searchOperations = [
  operation(
    {
      id: "searchImages",
      method: "get",
      path: "/api/v1/search",
      section: "search",
      summary: "Search for images with a tag, the best first",
      actor: "anyone",
      query,
      answer: z
        .object({
          items: z.array(foundSchema),
          facets: z.object({ arch: facetSchema, signed: facetSchema, collection: facetSchema, label: facetSchema }),
          isCapped: z.boolean().describe("Whether there are more that match than were looked at."),
        })
        .meta({ id: "ImageSearch" }),
      problems: ["body-invalid"],
    },
    async ({ ctx, actor, query: { q, arch, signed, collection, label } }) => {
      const { items, facets, isCapped } = await searchImages(ctx, actor, {
        text: q,
        architectures: (arch ?? "").split(",").filter(Boolean).slice(0, limits.searchArchitectures),
        signed: signed === undefined || signed === "" ? null : signed === "true",
        collection: parseCollection(collection),
        labels: (label ?? []).filter(Boolean).slice(0, limits.searchLabels).map(parseLabel),
      });
      return { items: items.map(presentItem), facets, isCapped };
    },
  ),
];

function parseCollection(text: string | undefined): ImageQuery["collection"] {
  const [entity, name] = (text ?? "").split("/");
  return entity && name ? { entity, name } : null;
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
    publishedAt: timeOrNull(image.publishedAt),
  };
}
