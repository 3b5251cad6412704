import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { partsFor } from "../../worker/registry/catalog/sitemap.ts";
import { limits } from "../../worker/registry/limits.ts";
import { makeSif } from "../support/make-sif.ts";
import { ask, environment, newPerson, ORIGIN, push, uniqueName } from "../support/worker/registry.ts";

/* What search engines are told: what anybody may see, and nothing else. */

let entity: string;

beforeAll(async () => {
  const { username, token } = await newPerson("alice");
  entity = username;
  const visible = await push(token, `${entity}/open/app:v1`, makeSif({ salt: uniqueName("open") }));
  await push(token, `${entity}/hidden/app:v1`, makeSif({ salt: uniqueName("hidden") }), { private: true });
  const inside = await push(token, `${entity}/inside/app:v1`, makeSif({ salt: uniqueName("inside") }));
  const set = env.DB.prepare("UPDATE collections SET visibility = ?, updated_at = ? WHERE id = ?");
  await set.bind("internal", Date.now(), inside.collectionId).run();
  await set.bind("public", Date.UTC(2026, 0, 2), visible.collectionId).run();
});

async function locations(path: string, settings: Record<string, string> = {}): Promise<string[]> {
  const response = await ask(path, { env: environment(settings) });
  expect([response.status, response.headers.get("Content-Type")]).toEqual([200, "application/xml; charset=utf-8"]);
  expect(response.headers.get("Cache-Control")).toBe("public, max-age=3600");
  const text = await response.text();
  expect(text).toMatch(
    /^<\?xml version="1.0" encoding="UTF-8"\?>\n<(\w+) xmlns="[^"]+sitemap\/0\.9">\n[\s\S]*<\/\1>\n$/,
  );
  return [...text.matchAll(/<loc>([^<]+)<\/loc>/g)].map(([, url = ""]) => url);
}

const there = (name: string) => `${ORIGIN}/${entity}/${name}`;

describe("the sitemap", () => {
  it("leads to its parts, and those to every public collection and container, and to nothing else", async () => {
    const parts = await locations("/sitemap.xml");
    expect(parts).toEqual([`${ORIGIN}/sitemap-collections.xml`, `${ORIGIN}/sitemap-containers.xml`]);
    const all = (await Promise.all(parts.map((url) => locations(url)))).flat();
    expect(all.sort()).toEqual([there("open"), there("open/app")]);
  });

  it("says when a collection changed last", async () => {
    const text = await (await ask("/sitemap-collections.xml")).text();
    expect(text).toContain(`<loc>${there("open")}</loc><lastmod>2026-01-02T00:00:00.000Z</lastmod>`);
  });

  it("shows no more to whoever is signed in", async () => {
    const { token } = await newPerson("boss", { role: "superuser" });
    const response = await ask("/sitemap-collections.xml", { token });
    expect(await response.text()).not.toContain("hidden");
  });

  it("has everything in one of its parts, whatever their number", async () => {
    for (const kind of ["collections", "containers"]) {
      const urls = partsFor(100_000).map((part) => `/sitemap-${kind}.xml?part=${part}`);
      const all = (await Promise.all(urls.map((url) => locations(url)))).flat();
      expect(all).toEqual([kind === "collections" ? there("open") : there("open/app")]);
    }
  });

  it("has parts of half what it may hold, and no more of them than search engines take", () => {
    expect(partsFor(0)).toEqual([""]);
    expect(partsFor(limits.sitemapAddresses / 2)).toEqual([""]);
    expect(partsFor(limits.sitemapAddresses)).toHaveLength(16);
    expect(partsFor(16 * limits.sitemapAddresses)).toHaveLength(256);
    expect(partsFor(1e9).length * 2).toBeLessThan(50_000);
  });

  it.each(["x", "ABC", "12345", "'", "%00", "-"])("has no part %s", async (part) => {
    expect((await ask(`/sitemap-collections.xml?part=${part}`)).status).toBe(404);
  });

  it.each([{ PRIVATE_ONLY: "true" }, { API_REQUIRE_AUTH: "true" }])("is not there with %o", async (settings) => {
    for (const path of ["/sitemap.xml", "/sitemap-collections.xml", "/sitemap-containers.xml"]) {
      const response = await ask(path, { env: environment(settings) });
      expect([response.status, response.headers.get("Cache-Control")], path).toEqual([404, "no-store"]);
    }
  });

  it("is made for the registry's own address, whatever a client calls it", async () => {
    const urls = await locations("/sitemap.xml", { PUBLIC_ORIGIN: "https://images.example.org" });
    expect(urls[0]).toBe("https://images.example.org/sitemap-collections.xml");
    expect((await ask("http://evil.example/sitemap.xml")).status).toBe(421);
  });
});

describe("robots.txt", () => {
  const robots = async (settings: Record<string, string> = {}, url = "/robots.txt") =>
    await (await ask(url, { env: environment(settings) })).text();

  it("lets search engines read the pages, and nothing that is for clients or with a link", async () => {
    const lines = (await robots()).split("\n");
    expect(lines[0]).toBe("User-agent: *");
    for (const path of ["/api/", "/auth/", "/s/", "/blobs/", "/v1/", "/v2/"])
      expect(lines).toContain(`Disallow: ${path}`);
    expect(lines).not.toContain("Disallow: /");
    expect(lines).toContain(`Sitemap: ${ORIGIN}/sitemap.xml`);
  });

  it.each(["uploads", "accounting", "login-node", "invitations-lab", "s3"])(
    "lets them read the collections of an entity such as %s",
    async (entity) => {
      const isForbidden = (await robots()).split("\n").some((line) => {
        const rule = line.replace("Disallow: ", "");
        return (
          line !== rule && (rule.endsWith("$") ? rule === `/${entity}/tools$` : `/${entity}/tools`.startsWith(rule))
        );
      });
      expect(isForbidden).toBe(false);
    },
  );

  it.each([{ PRIVATE_ONLY: "true" }, { API_REQUIRE_AUTH: "true" }])("sends them away with %o", async (settings) => {
    expect(await robots(settings)).toBe("User-agent: *\nDisallow: /\n");
  });

  it("names no sitemap where the registry does not know its address", async () => {
    const text = await robots({}, "http://images.internal/robots.txt");
    expect(text).toContain("Disallow: /api/\n");
    expect(text).not.toContain("Sitemap");
  });

  it("is there behind a slash too, as the original has it", async () => {
    expect(await robots({}, "/robots.txt/")).toBe(await robots());
  });
});
