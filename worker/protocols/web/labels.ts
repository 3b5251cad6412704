import * as z from "zod";
import { listLabelKeys, listLabelledImages, listLabelValues } from "../../registry/catalog/labels.ts";
import { limits } from "../../registry/limits.ts";
import { operation, pageSchema } from "./operation.ts";

/** A page goes on behind a value, which may be longer than other lists' cursors. */
const afterLabel = z.object({
  after: z.string().max(limits.sifLabelLength).optional().describe("The `next` of the page before this one."),
});

/** Labels of images: those with a tag, which the asker may see. */
export const labelOperations = [
  operation(
    {
      id: "listLabelKeys",
      method: "get",
      path: "/api/v1/labels",
      section: "labels",
      summary: "The keys of all labels, in the order of the alphabet",
      actor: "anyone",
      query: afterLabel,
      answer: pageSchema(
        z.object({
          key: z.string(),
          values: z.int().describe("How many different values it has."),
          images: z.int().describe("How many images have it."),
        }),
      ).meta({ id: "LabelKeyPage" }),
    },
    ({ ctx, actor, query }) => listLabelKeys(ctx, actor, query.after ?? null),
  ),
  operation(
    {
      id: "listLabelValues",
      method: "get",
      path: "/api/v1/labels/{key}",
      section: "labels",
      summary: "The values of a label",
      about: "Keys and values are found in any case of their letters.",
      actor: "anyone",
      params: z.object({ key: z.string() }),
      query: afterLabel,
      answer: pageSchema(z.object({ value: z.string(), images: z.int() })).meta({ id: "LabelValuePage" }),
    },
    ({ ctx, actor, params, query }) => listLabelValues(ctx, actor, { key: params.key, after: query.after ?? null }),
  ),
  operation(
    {
      id: "listLabelledImages",
      method: "get",
      path: "/api/v1/labels/{key}/{value*}",
      section: "labels",
      summary: "The images with a label",
      actor: "anyone",
      params: z.object({ key: z.string(), value: z.string().describe("It may hold slashes, and may be empty.") }),
      query: afterLabel,
      answer: pageSchema(
        z.object({
          entity: z.string(),
          collection: z.string(),
          container: z.string(),
          digest: z.string(),
          arch: z.string().nullable(),
          tags: z.array(z.string()),
        }),
      ).meta({ id: "LabelledImagePage" }),
    },
    async ({ ctx, actor, params, query }) => {
      const { items, next } = await listLabelledImages(ctx, actor, { ...params, after: query.after ?? null });
      return { items: items.map(({ id: _, ...image }) => image), next };
    },
  ),
];
