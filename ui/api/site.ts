import { ask, unexpectedAnswer } from "./client.ts";
import type { Site } from "./schema.d.ts";

/**
 * Asks the registry about itself. Every page is made of it, so what they cannot do without is looked at.
 * @throws ApiError
 */
export async function fetchSite(): Promise<Site> {
  const site = await ask("GET /api/v1/site");
  if (!isUsable(site)) throw unexpectedAnswer();
  return site;
}

/** A page that is newer or older than its registry would find other fields than its types say. */
function isUsable(site: Partial<Site>): boolean {
  const hasTexts = [site.name, site.uri, site.origin, site.version].every((field) => typeof field === "string");
  return hasTexts && URL.canParse(String(site.origin)) && Array.isArray(site.signIn?.providers);
}
