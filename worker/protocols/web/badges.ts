import { Hono, type Context as HonoContext } from "hono";
import { type BadgeColour, renderBadge } from "../../formats/badge.ts";
import { shortBytes, shortNumber } from "../../formats/svg-text.ts";
import { type AppEnv, withContext } from "../../http/request-context.ts";
import { RegistryError } from "../../registry/errors.ts";
import { limits } from "../../registry/limits.ts";
import { type BadgeFacts, findBadgeFacts } from "../../registry/statistics/badge-facts.ts";
import type { StatisticsPath } from "../../registry/statistics/pull-statistics.ts";
import { onApiError } from "./problems.ts";
import { svgResponse } from "./svg.ts";

/** Badges of public things, for pages elsewhere. Nobody is asked who they are: the same image for everybody. */
export const badges = new Hono<AppEnv>();

badges.onError(onApiError);

const ROOT = "/api/v1/badges/:entity/:collection";

badges.get(`${ROOT}/:badge`, withContext, async (c) => {
  const { entity, collection: name, badge } = c.req.param();
  return await answer(c, { entity, name, container: null }, badge, ["pulls", "stars"]);
});

badges.get(`${ROOT}/:container/:badge`, withContext, async (c) => {
  const { entity, collection: name, container, badge } = c.req.param();
  return await answer(c, { entity, name, container }, badge, ["pulls", "tag", "size"]);
});

badges.all("/api/v1/badges/*", () => {
  throw new RegistryError("no-such-route");
});

type Kind = "pulls" | "stars" | "tag" | "size";

/**
 * What is hidden, absent or empty is a grey badge with status 200: where an image fails to load, pages show a broken one,
 * and GitHub's cache of images says nothing of why.
 */
async function answer(
  c: HonoContext<AppEnv>,
  path: StatisticsPath,
  file: string,
  kinds: readonly Kind[],
): Promise<Response> {
  const kind = kinds.find((one) => file === `${one}.svg`);
  if (kind === undefined) throw new RegistryError("no-such-route");
  const facts = await findBadgeFacts(c.var.ctx, path);
  const { value, colour } = (facts === null ? null : saidOf(kind, facts)) ?? { value: "unknown", colour: "grey" };
  const headers = { "Cache-Control": `public, max-age=${limits.badgeCacheSeconds}` };
  return svgResponse(renderBadge({ label: kind, value, colour }), headers);
}

function saidOf(kind: Kind, { pulls, stars, newest }: BadgeFacts): { value: string; colour: BadgeColour } | null {
  switch (kind) {
    case "pulls":
      return { value: shortNumber(pulls), colour: "green" };
    case "stars":
      return { value: shortNumber(stars), colour: "blue" };
    case "tag":
      return newest === null ? null : { value: newest.tag, colour: "blue" };
    case "size":
      return newest === null ? null : { value: shortBytes(newest.bytes), colour: "blue" };
    default:
      return kind satisfies never;
  }
}
