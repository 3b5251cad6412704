import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { writePullReport } from "../../worker/registry/pull/pull-counts.ts";
import { makeSif } from "../support/make-sif.ts";
import { observed } from "../support/worker/calls.ts";
import {
  ask,
  askJson,
  environment,
  newPerson,
  newTokenFor,
  type Person,
  type Pushed,
  push,
  testContext,
} from "../support/worker/registry.ts";

interface Pulled {
  pulls: number;
  bytes: number;
}

interface Statistics {
  since: string;
  allTimePulls: number;
  total: Pulled;
  days: (Pulled & { day: string })[];
  tags: (Pulled & { container: string; tag: string | null })[];
  architectures: (Pulled & { arch: string })[];
}

interface Sizes {
  items: { name: string; bytes: number; images: number; containers: number | null }[];
  next: string | null;
}

type Site = Record<"collections" | "containers" | "images" | "bytes" | "pulls", number>;

const today = Math.floor(Date.now() / 86_400_000);
const dateOf = (day: number) => new Date(day * 86_400_000).toISOString().slice(0, 10);

let alice: Person;
let bob: Person;
let admin: Person;
let tools: Pushed;
let entity: string;
let reports = 0;

async function counted(containerId: string, ...counts: [day: number, tag: string, arch: string, pulls: number][]) {
  reports++;
  await writePullReport(testContext(), {
    containerId,
    report: reports,
    counts: counts.map(([day, tag, arch, pulls]) => ({ day, tag, arch, pulls, bytes: pulls * 10 })),
  });
}

const siteOf = async (token: string | null) => await askJson<Site>("/api/v1/statistics", { token });

beforeAll(async () => {
  [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
  admin = await newPerson("boss", { role: "admin" });
  entity = alice.username;
  tools = await push(alice.token, `${entity}/tools/app:v1`, makeSif({ salt: "tools" }));
  const other = await push(alice.token, `${entity}/tools/other:v1`, makeSif({ salt: "other", sizeBytes: 90_000 }));
  const secret = await push(alice.token, `${entity}/secret/app:v1`, makeSif({ salt: "secret", sizeBytes: 200_000 }), {
    private: true,
  });
  await counted(tools.containerId, [today, "v1", "amd64", 3], [today, "", "amd64", 1], [today - 1, "v1", "arm64", 2]);
  await counted(
    tools.containerId,
    [today - 29, "v1", "amd64", 4],
    [today - 30, "old", "amd64", 5],
    [today - 400, "v1", "amd64", 6],
  );
  await counted(other.containerId, [today, "v1", "amd64", 10]);
  await counted(secret.containerId, [today, "v1", "amd64", 1000]);
});

describe("the statistics of a container", () => {
  it("are its pulls by day, tag and architecture, of 30 days, and all there ever were", async () => {
    const path = `/api/v1/containers/${entity}/tools/app/statistics`;
    expect(await askJson<Statistics>(path)).toEqual({
      since: dateOf(today - 29),
      allTimePulls: 21,
      total: { pulls: 10, bytes: 100 },
      days: [
        { day: dateOf(today - 29), pulls: 4, bytes: 40 },
        { day: dateOf(today - 1), pulls: 2, bytes: 20 },
        { day: dateOf(today), pulls: 4, bytes: 40 },
      ],
      tags: [
        { container: "app", tag: "v1", pulls: 9, bytes: 90 },
        { container: "app", tag: null, pulls: 1, bytes: 10 },
      ],
      architectures: [
        { arch: "amd64", pulls: 8, bytes: 80 },
        { arch: "arm64", pulls: 2, bytes: 20 },
      ],
    });
    expect((await askJson<Statistics>(`${path}?days=1`)).total.pulls).toBe(4);
    expect((await askJson<Statistics>(`${path}?days=366`)).total.pulls).toBe(15);
    expect(
      (
        await askJson<Statistics>(
          path.toUpperCase().replace("/API/V1/CONTAINERS", "/api/v1/containers").replace("/STATISTICS", "/statistics"),
        )
      ).allTimePulls,
    ).toBe(21);
  });

  it.each(["0", "367", "-1", "1.5", "x", "1e2", "", "99999999999"])("are not of %j days", async (days) => {
    const answer = await ask(`/api/v1/containers/${entity}/tools/app/statistics?days=${days}`);
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: "query-invalid" }]);
  });
});

describe("the statistics of a collection", () => {
  it("are those of its containers together, and say which tag is whose", async () => {
    const of = await askJson<Statistics>(`/api/v1/collections/${entity}/tools/statistics`);
    expect([of.allTimePulls, of.total]).toEqual([31, { pulls: 20, bytes: 200 }]);
    expect(of.tags.slice(0, 2)).toEqual([
      { container: "other", tag: "v1", pulls: 10, bytes: 100 },
      { container: "app", tag: "v1", pulls: 9, bytes: 90 },
    ]);
  });

  it("look absent where the collection is hidden, as those of its containers and their sizes do", async () => {
    const routes = (name: string) => [
      `/api/v1/collections/${entity}/${name}/statistics`,
      `/api/v1/containers/${entity}/${name}/app/statistics`,
      `/api/v1/statistics/sizes?collection=${entity}/${name}`,
    ];
    const answerTo = async (url: string, token: string | null) => {
      const answer = await ask(url, { token });
      const { requestId: _, ...problem } = await answer.json<Record<string, unknown>>();
      return problem;
    };
    for (const token of [null, bob.token]) {
      for (const [index, url] of routes("secret").entries()) {
        const hidden = await answerTo(url, token);
        expect(hidden, url).toMatchObject({ status: 404 });
        expect(hidden).toEqual(await answerTo(routes("nowhere")[index] ?? "", token));
        expect((await ask(url, { token: "nonsense" })).status).toBe(401);
      }
    }
    for (const url of routes("secret")) expect((await ask(url, { token: alice.token })).status, url).toBe(200);
  });
});

describe("the statistics of the registry", () => {
  it("have in their sums what the asker may see, and nothing else", async () => {
    const [nobody, stranger, owner, all] = await Promise.all([
      siteOf(null),
      siteOf(bob.token),
      siteOf(alice.token),
      siteOf(admin.token),
    ]);
    const size = (salt: string, sizeBytes?: number) => makeSif({ salt, ...(sizeBytes && { sizeBytes }) }).length;
    const open = size("tools") + size("other", 90_000);
    expect(nobody).toEqual({ collections: 1, containers: 2, images: 2, bytes: open, pulls: 31 });
    expect(stranger).toEqual(nobody);
    const whole = { collections: 2, containers: 3, images: 3, bytes: open + size("secret", 200_000), pulls: 1031 };
    expect([owner, all]).toEqual([whole, whole]);
    const narrowed = await newTokenFor(alice.username, { collection: { entity, name: "secret" } });
    expect(await siteOf(narrowed)).toEqual(whole);
    const elsewhere = await newTokenFor(alice.username, { collection: { entity, name: "tools" } });
    expect(await siteOf(elsewhere)).toEqual(nobody);
  });

  it("and their map of sizes follow what is internal, granted to somebody or their team, and private only", async () => {
    const [carol, dave, erin] = [await newPerson("carol"), await newPerson("dave"), await newPerson("erin")];
    const team = await newPerson("lab");
    const idOf = async (name: string) =>
      await env.DB.prepare("SELECT id FROM users WHERE username = ?").bind(name).first<string>("id");
    const made = async (name: string, of = carol) =>
      await push(of.token, `${of.username}/${name}/app:v1`, makeSif({ salt: name }), { private: true });
    const [internal, granted, toTeam] = [await made("internal"), await made("granted"), await made("to-team")];
    await made("of-team", team);
    await made("hers");
    await run("UPDATE collections SET visibility = 'internal' WHERE id = ?", internal.collectionId);
    const member = "INSERT INTO collection_members VALUES (?, ?, 'reader', 1)";
    await run(member, granted.collectionId, await idOf(dave.username));
    await run(member, toTeam.collectionId, await idOf(team.username));
    await run("UPDATE users SET is_team = 1 WHERE username = ?", team.username);
    await run(
      "INSERT INTO team_members VALUES (?, ?, 'member', 1)",
      await idOf(team.username),
      await idOf(erin.username),
    );
    const seenBy = async (token: string | null, settings: Record<string, string> = {}) => {
      const of = environment(settings);
      const { items } = await askJson<Sizes>("/api/v1/statistics/sizes", { token, env: of });
      const { collections } = await askJson<Site>("/api/v1/statistics", { token, env: of });
      expect(collections).toBe(items.length);
      return items.map(({ name }) => name.split("/")[1]).sort();
    };
    expect(await seenBy(null)).toEqual(["tools"]);
    expect(await seenBy(bob.token)).toEqual(["internal", "tools"]);
    expect(await seenBy(dave.token)).toEqual(["granted", "internal", "tools"]);
    expect(await seenBy(erin.token)).toEqual(["internal", "of-team", "to-team", "tools"]);
    expect(await seenBy(carol.token)).toEqual(["granted", "hers", "internal", "to-team", "tools"]);
    expect(await seenBy(admin.token)).toHaveLength(7);
    const closed = { PRIVATE_ONLY: "true" };
    expect(await seenBy(null, closed)).toEqual([]);
    expect(await seenBy(bob.token, closed)).toEqual([]);
    expect(await seenBy(erin.token, closed)).toEqual(["of-team", "to-team"]);
    expect(await seenBy(alice.token, closed)).toEqual(["secret", "tools"]);
    expect(await seenBy(admin.token, closed)).toHaveLength(7);
  });

  it("are for nobody who must sign in first", async () => {
    for (const url of ["/api/v1/statistics", "/api/v1/statistics/sizes"]) {
      expect((await ask(url, { env: environment({ API_REQUIRE_AUTH: "true" }) })).status).toBe(401);
    }
  });
});

describe("the map of sizes", () => {
  it("has a collection's containers, the largest first", async () => {
    const { items, next } = await askJson<Sizes>(`/api/v1/statistics/sizes?collection=${entity}/tools`);
    expect(items.map(({ name, images, containers }) => [name, images, containers])).toEqual([
      [`${entity}/tools/other`, 1, null],
      [`${entity}/tools/app`, 1, null],
    ]);
    expect(next).toBeNull();
  });

  it("comes in pages that together have everything once, the largest first, by an index", async () => {
    await run(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250)
       INSERT INTO collections (id, entity_id, name, visibility, created_at, updated_at, size_bytes)
       SELECT printf('id-%04d', i), (SELECT id FROM entities WHERE name = ?), 'n' || i,
         CASE WHEN i % 3 = 0 THEN 'private' WHEN i % 3 = 1 THEN 'internal' ELSE 'public' END, 1, 1, i / 7 FROM n`,
      entity,
    );
    for (const [token, count] of [
      [null, 83],
      [bob.token, 167],
      [alice.token, 250],
    ] as const) {
      const names: string[] = [];
      const sizes: number[] = [];
      for (let after = ""; after !== "end"; ) {
        const { items, next } = await askJson<Sizes>(`/api/v1/statistics/sizes${after && `?after=${after}`}`, {
          token,
        });
        names.push(...items.map(({ name }) => name));
        sizes.push(...items.map(({ bytes }) => bytes));
        after = next ?? "end";
      }
      expect(names.filter((name) => /\/n\d+$/.test(name))).toHaveLength(count);
      expect(new Set(names).size).toBe(names.length);
      expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    }
    const plan = await planOf("/api/v1/statistics/sizes", bob.token);
    expect(plan.filter((step) => step.includes("collections_by_size"))).toHaveLength(2);
    expect(
      plan.filter((step) => /^SCAN (?!\(?(?:sub|own|largest|json_each|CONSTANT)|\w+ VIRTUAL|own|largest)/.test(step)),
    ).toEqual([]);
    // Behind a page it begins where that ended, instead of counting there.
    const { next } = await askJson<Sizes>("/api/v1/statistics/sizes", { token: bob.token });
    const behind = await planOf(`/api/v1/statistics/sizes?after=${next}`, bob.token);
    expect(
      behind.filter((step) => step.includes("collections_by_size (visibility=? AND (size_bytes,id)<(?,?))")),
    ).toHaveLength(2);
    for (const after of ["x", "WzEsMl0", Buffer.from('["a","b"]').toString("base64url")]) {
      expect((await ask(`/api/v1/statistics/sizes?after=${after}`)).status, after).toBe(400);
    }
  });

  it("is a table for who wants one, with the address of the next page", async () => {
    const answer = await ask("/api/v1/statistics/sizes", { headers: { Accept: "text/csv" }, token: admin.token });
    expect(answer.headers.get("Content-Type")).toMatch(/^text\/csv/);
    const [head, first, ...rest] = (await answer.text()).split("\r\n");
    expect(head).toBe("name,bytes,images,containers");
    expect(first).toMatch(/^[\w-]+\/[\w-]+,\d+,\d+,\d+$/);
    expect(rest.at(-1)).toBe("");
    const next = /^<(\/api\/v1\/statistics\/sizes\?after=[\w-]+)>; rel="next"$/.exec(answer.headers.get("Link") ?? "");
    const after = await ask(next?.[1] ?? "", { headers: { Accept: "text/csv" }, token: admin.token });
    expect((await after.text()).split("\r\n")[1]).not.toBe(first);
  });
});

describe("the picture of sizes", () => {
  const picture = async (token: string | null, query = "") => {
    const answer = await ask(`/api/v1/statistics/sizes${query}`, { headers: { Accept: "image/svg+xml" }, token });
    expect([answer.status, answer.headers.get("Content-Type")]).toEqual([200, "image/svg+xml; charset=utf-8"]);
    expect(answer.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    expect(answer.headers.get("Vary")).toBe("Accept");
    const svg = await answer.text();
    const hasNext = /^<\/api\/v1\/statistics\/sizes\?.*after=[\w-]+>; rel="next"$/.test(
      answer.headers.get("Link") ?? "",
    );
    expect(hasNext).toBe(svg.includes("there are smaller ones"));
    return svg;
  };
  const titlesOf = (svg: string) => [...svg.matchAll(/<title>([^<]*)<\/title>/g)].map(([, title = ""]) => title);

  it("has a collection's containers with their sizes, and is the same each time", async () => {
    const query = `?collection=${entity}/tools`;
    const [title, ...tiles] = titlesOf(await picture(null, query));
    expect(title).toBe(`Sizes of the containers of ${entity}/tools`);
    expect(tiles.map((tile) => tile.split(":")[0])).toEqual(["other", "app"]);
    expect(await picture(null, query)).toBe(await picture(null, query));
  });

  it("shows of what takes space what one may see, and says where it is not all of it", async () => {
    for (const token of [null, bob.token, alice.token, admin.token]) {
      const { items, next } = await askJson<Sizes>("/api/v1/statistics/sizes", { token });
      const [title, ...tiles] = titlesOf(await picture(token));
      const shown = items.filter(({ bytes }) => bytes > 0).map(({ name }) => name);
      expect(tiles.map((tile) => tile.split(":")[0])).toEqual(shown);
      expect(title?.includes("there are smaller ones")).toBe(next !== null);
    }
  });

  it("is not what somebody gets who opens the address in a browser", async () => {
    const Accept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,image/png,image/svg+xml,*/*;q=0.8";
    const answer = await ask("/api/v1/statistics/sizes", { headers: { Accept } });
    expect(answer.headers.get("Content-Type")).toContain("application/json");
  });

  it("is no way to what is hidden: that answers as what is not there", async () => {
    const headers = { Accept: "image/svg+xml" };
    for (const collection of [`${entity}/secret`, `${entity}/nothing`]) {
      const answer = await ask(`/api/v1/statistics/sizes?collection=${collection}`, { headers, token: bob.token });
      expect([answer.status, await answer.json()]).toMatchObject([404, { code: "not-found" }]);
    }
  });
});

/** The steps of a request's queries, as SQLite names them. */
async function planOf(url: string, token: string): Promise<string[]> {
  const statements = new Set<string>();
  const watched = observed(environment(), ({ sql }) => {
    for (const text of sql) if (text.includes("collections.size_bytes")) statements.add(text);
  });
  expect((await ask(url, { token, env: watched })).status).toBe(200);
  const steps: string[] = [];
  for (const statement of statements) {
    const unbound = statement.replace(/\?\d*/g, "NULL");
    const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${unbound}`).all<{ detail: string }>();
    steps.push(...results.map(({ detail }) => detail));
  }
  return steps;
}

async function run(sql: string, ...values: unknown[]): Promise<void> {
  await env.DB.prepare(sql)
    .bind(...values)
    .run();
}
