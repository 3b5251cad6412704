import type { Context as HonoContext } from "hono";
import * as z from "zod";
import { renderCsv } from "../../formats/csv.ts";
import { renderTreemap } from "../../formats/treemap.ts";
import type { AppEnv } from "../../http/request-context.ts";
import { limits } from "../../registry/limits.ts";
import type { Page } from "../../registry/page.ts";
import { pullStatistics } from "../../registry/statistics/pull-statistics.ts";
import { siteStatistics } from "../../registry/statistics/site-statistics.ts";
import { collectionSizes, containerSizes, type Size } from "../../registry/statistics/sizes.ts";
import { afterQuery, operation, pageSchema } from "./operation.ts";
import { collectionPath } from "./schemas.ts";
import { svgResponse } from "./svg.ts";

const USUAL_DAYS = 30;

const daysQuery = z.object({
  days: z
    .string()
    // 1 to `limits.statisticsDays`: what a number in an address may be, its description can say by a pattern alone.
    .regex(/^(?:[1-9]\d?|[12]\d\d|3[0-5]\d|36[0-6])$/)
    .optional()
    .describe(`How many days to look back, today included: 1 to ${limits.statisticsDays}, ${USUAL_DAYS} without it.`),
});

const pulled = { pulls: z.int(), bytes: z.int() };
const day = z.iso.date();

const pullStatisticsSchema = z
  .object({
    since: day,
    allTimePulls: z.int().describe("Since it was made, whatever `days` says."),
    total: z.object(pulled),
    days: z.array(z.object({ day, ...pulled })).describe("Days without pulls are left out."),
    tags: z
      .array(z.object({ container: z.string(), tag: z.string().nullable(), ...pulled }))
      .describe(
        `Those that were pulled most, ${limits.statisticsTags} at most. Pulls by digest and by share links have none.`,
      ),
    architectures: z.array(z.object({ arch: z.string(), ...pulled })),
  })
  .meta({
    id: "PullStatistics",
    description:
      "A pull is a download that was begun, by whichever protocol or share link; its bytes are the image's size. Days are in UTC. Pulls are counted within a minute or two.",
  });

const sizeSchema = z.object({
  name: z.string().describe("`ENTITY/COLLECTION`, or `ENTITY/COLLECTION/CONTAINER`."),
  bytes: z.int().describe("In a collection each content counts once, so it may be less than its containers together."),
  images: z.int(),
  containers: z.int().nullable().describe("Null for a container."),
});

/** How much there is, and how much of it is pulled. */
export const statisticsOperations = [
  operation(
    {
      id: "getStatistics",
      method: "get",
      path: "/api/v1/statistics",
      section: "statistics",
      summary: "How much there is that you may see",
      actor: "anyone",
      answer: z
        .object({
          collections: z.int(),
          containers: z.int(),
          images: z.int(),
          bytes: z.int().describe("Each content once in a collection."),
          pulls: z.int(),
        })
        .meta({ id: "Statistics" }),
    },
    async ({ ctx, actor }) => ({ ...(await siteStatistics(ctx, actor)) }),
  ),
  operation(
    {
      id: "listSizes",
      method: "get",
      path: "/api/v1/statistics/sizes",
      section: "statistics",
      summary: "How much space each collection takes, the largest first",
      about:
        "With `collection`, each container of that one. With `Accept: text/csv` the page comes as a table, with `Accept: image/svg+xml` as a treemap, and the address of the next one in `Link`.",
      actor: "anyone",
      query: afterQuery.extend({ collection: collectionPath.optional() }),
      answer: pageSchema(sizeSchema).meta({ id: "SizePage" }),
      problems: ["not-found", "query-invalid"],
    },
    async ({ c, ctx, actor, query }) => {
      const after = query.after ?? null;
      const [entity = "", name = ""] = (query.collection ?? "").split("/");
      const page =
        query.collection === undefined
          ? await collectionSizes(ctx, actor, after)
          : await containerSizes(ctx, actor, { entity, name }, after);
      c.header("Vary", "Accept");
      if (wants(c, "text/csv")) return csvOf(c, page);
      return wants(c, "image/svg+xml") ? pictureOf(c, page, query.collection ?? null) : page;
    },
  ),
  operation(
    {
      id: "getCollectionStatistics",
      method: "get",
      path: "/api/v1/collections/{entity}/{collection}/statistics",
      section: "statistics",
      summary: "How often the images of a collection were pulled",
      actor: "anyone",
      params: z.object({ entity: z.string(), collection: z.string() }),
      query: daysQuery,
      answer: pullStatisticsSchema,
      problems: ["not-found", "query-invalid"],
    },
    async ({ ctx, actor, params: { entity, collection: name }, query }) => {
      return { ...(await pullStatistics(ctx, actor, { entity, name, container: null }, daysOf(query))) };
    },
  ),
  operation(
    {
      id: "getContainerStatistics",
      method: "get",
      path: "/api/v1/containers/{entity}/{collection}/{container}/statistics",
      section: "statistics",
      summary: "How often the images of a container were pulled",
      actor: "anyone",
      params: z.object({ entity: z.string(), collection: z.string(), container: z.string() }),
      query: daysQuery,
      answer: pullStatisticsSchema,
      problems: ["not-found", "query-invalid"],
    },
    async ({ ctx, actor, params: { entity, collection: name, container }, query }) => {
      return { ...(await pullStatistics(ctx, actor, { entity, name, container }, daysOf(query))) };
    },
  ),
];

function daysOf({ days }: z.output<typeof daysQuery>): number {
  return days === undefined ? USUAL_DAYS : Number(days);
}

/** Firefox names pictures, too, where somebody opens an address. */
function wants(c: HonoContext<AppEnv>, type: string): boolean {
  const accepted = (c.req.header("accept") ?? "").toLowerCase();
  return accepted.includes(type) && !accepted.includes("text/html");
}

function csvOf(c: HonoContext<AppEnv>, { items, next }: Page<Size>): Response {
  const rows = items.map(({ name, bytes, images, containers }) => [name, bytes, images, containers]);
  const headers = { ...pageHeaders(c, next), "Content-Type": "text/csv; charset=utf-8; header=present" };
  return new Response(renderCsv(["name", "bytes", "images", "containers"], rows), { headers });
}

/** Collections of one entity have one colour; of containers each has its own. */
function pictureOf(c: HonoContext<AppEnv>, { items, next }: Page<Size>, collection: string | null): Response {
  const of = collection === null ? "collections" : `the containers of ${collection}`;
  const svg = renderTreemap({
    title: next === null ? `Sizes of ${of}` : `Sizes of ${of}: ${items.length} of them, and there are smaller ones`,
    tiles: items.map(({ name, bytes }) => ({
      name: collection === null ? name : name.slice(name.lastIndexOf("/") + 1),
      bytes,
      group: collection === null ? name.slice(0, name.indexOf("/")) : name,
    })),
  });
  return svgResponse(svg, pageHeaders(c, next));
}

/** Where the next page is, for what has no room for it itself. */
function pageHeaders(c: HonoContext<AppEnv>, next: string | null): Record<string, string> {
  if (next === null) return { Vary: "Accept" };
  const query = new URLSearchParams({ ...c.req.query(), after: next });
  return { Vary: "Accept", Link: `<${c.req.path}?${query}>; rel="next"` };
}
