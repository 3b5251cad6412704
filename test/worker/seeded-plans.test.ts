import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { operations } from "../../worker/protocols/web/api.ts";
import type { Description } from "../../worker/protocols/web/operation.ts";
import { ask } from "../support/worker/registry.ts";
import { type Examples, SEEDED, seededRegistry, type Viewer } from "../support/worker/seeded.ts";
import { costOf, notingStatements } from "../support/worker/statement-cost.ts";

/*
 * Every list and page, asked of a registry with 10,000 images in 500 collections or ten times as many, finds its rows by an index, sorts no
 * more than it returns, and reads about what it returns. An operation that is added is tested here by itself; where its
 * path or query has a word that is new, say below what to fill in.
 */

let viewers: Viewer[];
let examples: Examples;

beforeAll(async () => {
  ({ viewers, examples } = await seededRegistry());
}, 1_200_000);

interface Exemption {
  why: string;
  /** What its dearest statement may read here. Without it, as much as there is. */
  readsAtMost?: number;
  /** Only a registry larger than what CI seeds shows that it is needed. */
  isForLarge?: boolean;
}

/** How much larger this registry is than what CI seeds. */
const scale = SEEDED.images / 10_000;

const candidates = {
  why: "looks at what the index found, 200 things at most, whatever it may show",
  readsAtMost: 6000,
};
const counts = { why: "says how many there are of each, and so looks at all of them that may be seen" };
const clientCounts = { why: "the client wants the number of all, and a page by its offset" };
const own = { why: "looks through what is one's own in an order that no index has", readsAtMost: 2000 * scale };
const pulls = { why: "sums up all the days that were asked for" };

/** What cannot do with so little. One that can again must go from here. */
const exempt: Readonly<Record<string, Exemption>> = {
  searchImages: candidates,
  listLabelKeys: counts,
  listLabelValues: counts,
  listTopics: counts,
  listCollections: own,
  listEntities: own,
  listCandidates: { ...own, isForLarge: true },
  listSizes: own,
  getCollectionStatistics: pulls,
  getContainerStatistics: pulls,
  getStatistics: { why: "sums up all that may be seen" },
  getDeletion: { why: "counts all that would be deleted" },
  "GET /api/collections": clientCounts,
  "GET /api/containers": clientCounts,
  "GET /api/container/search/name": { ...clientCounts, readsAtMost: 20_000 * scale },
  "GET /api/labels/search": { why: "clients know no pages: all that have the label, up to `limits.listedTags`" },
};

/** Not from the seeded registry: what there is in every one. */
const constants: Examples = {
  "errors/code": "not-found",
  "settings/name": "USER_COLLECTIONS",
  "tokens/id": crypto.randomUUID(),
  "sessions/id": crypto.randomUUID(),
  after: "",
  q: "lab",
  arch: "amd64",
  signed: "true",
  label: "lab.key-1=viewer",
  actor: "user-1",
  action: "tag.set",
  target: "user-1/x",
  since: "2020-01-01T00:00:00Z",
  until: "2999-01-01T00:00:00Z",
  preview: "",
  mine: "1",
  starred: "1",
  orphaned: "1",
  untagged: "1",
  pending: "1",
  days: "366",
  // No link and no upload was seeded: their secrets and bytes are nowhere.
  "shared/secret": "x".repeat(43),
  "uploads/id": crypto.randomUUID(),
};

/** A value for a path's or query's word; one behind the segment before it, such as `robots/username`, goes first. */
function fill(name: string, before = ""): string {
  const all: Examples = {
    ...examples,
    ...constants,
    "robots/username": examples.robot ?? "",
    "shares/id": examples.share ?? "",
    "quotas/account": examples.username ?? "",
  };
  const value = all[`${before}/${name}`] ?? all[name];
  if (value === undefined) throw new Error(`Say here how to fill "${before}/${name}".`);
  return value;
}

/** The path alone, and with each filter and each order that it may have. */
function addressesOf({ path, query }: Description): string[] {
  const filled = path.replace(/(?:(\w[\w-]*)\/)?\{(\w+)\*?\}/g, (_, before: string | undefined, name: string) => {
    const prefix = before === undefined ? "" : `${before}/`;
    return `${prefix}${encodeURIComponent(fill(name, before))}`;
  });
  const fields = Object.entries(query?.shape ?? {});
  const required = fields.filter(([, field]) => !z.safeParse(field as z.ZodType, undefined).success);
  const base = required.map(([name]) => `${name}=${encodeURIComponent(fill(name))}`);
  const variants = fields.flatMap(([name, field]) => valuesOf(name, field as z.ZodType));
  return [
    base,
    ...variants.map((variant) => [...base.filter((one) => !one.startsWith(`${variant.split("=")[0]}=`)), variant]),
  ].map((terms) => (terms.length === 0 ? filled : `${filled}?${terms.join("&")}`));
}

function valuesOf(name: string, field: z.ZodType): string[] {
  const schema = z.toJSONSchema(field, { io: "input", unrepresentable: "any" });
  const choices = (schema.enum ?? (schema.items as { enum?: unknown[] } | undefined)?.enum) as string[] | undefined;
  const values = choices ?? [String(fill(name))];
  return values.filter((value) => value !== "").map((value) => `${name}=${encodeURIComponent(value)}`);
}

/** What is wrong with the statements of a request, and its answer. */
async function excessOf(url: string, viewer: Viewer, credential: "session" | "token") {
  const { env, asked } = notingStatements();
  const how = credential === "session" ? { headers: viewer.headers } : { token: viewer.token };
  const response = await ask(url, { ...how, env });
  const excess: string[] = [];
  let dearest = { rowsRead: 0, sql: "" };
  for (const statement of asked) {
    const { rowsRead, excess: own } = await costOf(statement);
    excess.push(...own);
    if (rowsRead > dearest.rowsRead) dearest = { rowsRead, sql: statement.sql };
  }
  const text = response.status === 200 ? await response.text() : "";
  return { status: response.status, excess: excess.map((one) => `${url} as ${viewer.who}: ${one}`), dearest, text };
}

/** A list's second page, where there is one. */
function nextOf(text: string): string | null {
  if (!text.startsWith("{")) return null;
  const { next } = JSON.parse(text) as { next?: unknown };
  return typeof next === "string" ? next : null;
}

async function excessOfAll(urls: readonly string[], credential: "session" | "token") {
  const found = { statuses: new Set<number>(), excess: [] as string[], dearest: { rowsRead: 0, sql: "" } };
  const note = ({ status, excess, dearest }: Awaited<ReturnType<typeof excessOf>>) => {
    found.statuses.add(status);
    found.excess.push(...excess);
    if (dearest.rowsRead > found.dearest.rowsRead) found.dearest = dearest;
  };
  for (const viewer of viewers) {
    for (const url of urls) {
      const answer = await excessOf(url, viewer, credential);
      note(answer);
      const next = nextOf(answer.text);
      if (next === null || url.includes("after=")) continue;
      note(
        await excessOf(`${url}${url.includes("?") ? "&" : "?"}after=${encodeURIComponent(next)}`, viewer, credential),
      );
    }
  }
  return found;
}

function judge(name: string, { statuses, excess, dearest }: Awaited<ReturnType<typeof excessOfAll>>): void {
  expect(
    [...statuses].filter((status) => status >= 500),
    name,
  ).toEqual([]);
  const exemption = Object.hasOwn(exempt, name) ? exempt[name] : undefined;
  if (exemption === undefined) {
    expect(excess, name).toEqual([]);
  } else {
    if (exemption.isForLarge !== true) expect(excess, `${name} needs no exemption any more`).not.toEqual([]);
    const most = exemption.readsAtMost ?? Number.POSITIVE_INFINITY;
    expect(dearest.rowsRead, `${name}: ${dearest.sql}`).toBeLessThanOrEqual(most);
  }
}

/** What nobody has here. */
const absent: readonly string[] = [
  "getTerms",
  "getToken",
  "getRegistration",
  "getSregistryKey",
  "getTeamPicture",
  "getUpload",
  "lookAtShare",
];

describe("every list and page of the JSON API reads what it shows and little more", () => {
  const reading = operations.map(({ description }) => description).filter(({ method }) => method === "get");

  it.each(reading.map((description) => [description.id, description] as const))("%s", async (id, description) => {
    const found = await excessOfAll(addressesOf(description), "session");
    judge(id, found);
    const isThere = found.statuses.has(200) || absent.includes(id);
    expect(isThere, `nobody gets ${id}: ${[...found.statuses].join(", ")}`).toBe(true);
  });
});

describe("so does every list of the other protocols, and for search engines", () => {
  const urls: readonly [string, () => string[]][] = [
    ["the sitemap", () => ["/sitemap.xml", "/sitemap-collections.xml?part=3", "/sitemap-containers.xml?part=a"]],
    ["GET /v1/entities", () => ["/v1/entities", `/v1/entities/${examples.entity}`]],
    ["GET /v1/collections", () => ["/v1/collections"]],
    ["GET /v1/collections/ENTITY/NAME", () => [`/v1/collections/${examples.entity}/${examples.collection}`]],
    ["GET /v1/containers", () => [`/v1/containers/${examples.entity}/${examples.collection}/${examples.container}`]],
    ["GET /v1/search", () => ["/v1/search?value=analyse", "/v1/search?value=analyse&arch=amd64&signed=true"]],
    ["GET /v1/images", () => [`/v1/images/${examples.entity}/${examples.collection}/${examples.container}:latest`]],
    ["GET /v1/tags", () => [`/v1/tags/${examples.containerId}`]],
    ["GET /v2/tags", () => [`/v2/tags/${examples.containerId}`]],
    ["GET /api/collections", () => ["/api/collections/?limit=20&offset=40"]],
    ["GET /api/collections/ID", () => [`/api/collections/${examples.collectionId}/`]],
    ["GET /api/collection/NAME", () => [`/api/collection/${examples.entity}/${examples.collection}`]],
    ["GET /api/containers", () => ["/api/containers/?limit=20&offset=40"]],
    ["GET /api/container/search/name", () => [`/api/container/search/name/${examples.container}`]],
    [
      "GET /api/container",
      () => [`/api/container/${examples.entity}/${examples.collection}/${examples.container}:latest`],
    ],
    [
      "GET /api/labels/search",
      () => [
        `/api/labels/search/${examples.key}/key/`,
        `/api/labels/search/${examples.value}/value/`,
        `/api/labels/search/${examples.key}/key/${examples.value}/value/`,
      ],
    ],
  ];

  it.each(urls)("%s", async (name, urlsOf) => {
    const found = await excessOfAll(urlsOf(), "token");
    expect(found.statuses.has(200), `${name}: ${[...found.statuses].join(", ")}`).toBe(true);
    judge(name, found);
  });
});
