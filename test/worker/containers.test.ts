import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import { counted } from "../support/worker/calls.ts";
import { allItems, newLab, outcome, rowsRead } from "../support/worker/lab.ts";
import { ask, askJson, environment, newTokenFor, pull } from "../support/worker/registry.ts";

const anyState = { "If-Match": "*" };

/** A new name is given to what was seen. */
const asSeen = async (url: string, { token }: { token: string }) => ({
  "If-Match": (await ask(url, { token })).headers.get("ETag") ?? "",
});

describe("a container's page", () => {
  it("has an ETag for those with a right there alone: it counts what others do not see", async () => {
    const lab = await newLab();
    const { digest } = await lab.push("app", "v2");
    const pages = [lab.at("app"), lab.at("app", "images", digest), lab.at("app", "tags", "v2")];
    pages.push(`/api/v1/collections/${lab.entity}/${lab.collection}`);
    const tagsFor = async (by: { token: string } | null) =>
      await Promise.all(pages.map(async (url) => (await ask(url, by ?? {})).headers.get("ETag")));
    const before = await tagsFor(lab.reader);
    await askJson(`${pages[1]}/shares`, { method: "POST", token: lab.owner.token, body: {} });
    const after = await tagsFor(lab.reader);
    expect(after.every((tag, at) => tag !== null && tag !== before[at])).toBe(true);
    for (const by of [null, lab.stranger]) expect(await tagsFor(by)).toEqual([null, null, null, null]);
  });

  it("has what it is, its newest image, its first tags, and what one may do there, in two calls of the database", async () => {
    const lab = await newLab({ private: true });
    const { digest } = await lab.push("app", "v2,latest");
    await ask("/v1/token-status", { token: lab.reader.token });
    const { env: counting, counts } = counted();
    const response = await ask(lab.at("app"), { token: lab.reader.token, env: counting });
    // And one for who asks.
    expect(counts).toEqual({ d1: 3, r2: 0, durable: 0 });
    const version = await env.DB.prepare(
      "SELECT containers.version FROM containers INNER JOIN collections ON collections.id = collection_id WHERE collections.name = ?",
    )
      .bind(lab.collection)
      .first("version");
    expect(response.headers.get("ETag")).toBe(`"${version}"`);
    expect(await response.json()).toMatchObject({
      entity: lab.entity,
      collection: lab.collection,
      name: "app",
      visibility: "private",
      readOnly: false,
      imageCount: 2,
      pullCount: 0,
      createdBy: lab.owner.username,
      newestImage: { digest, arch: "amd64", tags: ["latest", "v2"], tagCount: 2, state: null },
      tags: {
        items: [{ name: "latest" }, { name: "v1" }, { name: "v2", architectures: [{ arch: "amd64", digest }] }],
        next: null,
      },
      role: "reader",
      reason: "reader of the collection",
    });
  });

  it("names nobody to those who have no role, and is two calls for nobody at all", async () => {
    const lab = await newLab();
    const { env: counting, counts } = counted();
    const page = await askJson(lab.at("app"), { env: counting });
    expect(page).toMatchObject({ createdBy: null, role: null, reason: null, newestImage: { state: null } });
    expect(counts.d1).toBe(2);
    expect(await askJson(lab.at("app"), { token: lab.owner.token })).toMatchObject({
      createdBy: lab.owner.username,
      newestImage: { state: { is: "published", percent: null, reason: null } },
      role: "owner",
    });
  });
});

describe("the containers of a collection", () => {
  it("are listed by name, newest, pulls or size, page by page, in one call of the database", async () => {
    const lab = await newLab();
    const url = `/api/v1/collections/${lab.entity}/${lab.collection}/containers`;
    const { collectionId } = await lab.push("app", "v1");
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1249)
       INSERT INTO containers (id, collection_id, name, description, created_at, updated_at, pull_count, size_bytes)
       SELECT lower(hex(randomblob(16))), ?, printf('c%04d', i), printf('%.*c', 1000, 'x'), 1, i, i % 7, i % 5 FROM n`,
    )
      .bind(collectionId)
      .run();
    interface Listed {
      name: string;
      description: string;
      updatedAt: string;
      pullCount: number;
      sizeBytes: number;
    }
    const by = async (sort: string) => await allItems<Listed>(`${url}?sort=${sort}`);
    const names = (await by("name")).map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    expect(names).toHaveLength(1250);
    for (const [sort, of] of [
      ["updated", (row: Listed) => Date.parse(row.updatedAt)],
      ["pulls", (row: Listed) => row.pullCount],
      ["size", (row: Listed) => row.sizeBytes],
    ] as const) {
      const rows = await by(sort);
      expect(new Set(rows.map(({ name }) => name)).size, sort).toBe(1250);
      const values = rows.map(of);
      expect(values, sort).toEqual([...values].sort((one, other) => other - one));
    }
    expect((await by("name")).at(-1)?.description).toHaveLength(limits.listedDescriptionLength);
    const { env: counting, counts } = counted();
    expect(await outcome(`${url}?sort=pulls`, { env: counting })).toBe("200");
    expect(counts).toEqual({ d1: 1, r2: 0, durable: 0 });
    for (const sort of ["name", "updated", "pulls", "size"]) {
      const { next } = await askJson<{ next: string }>(`${url}?sort=${sort}`);
      const second = `${url}?sort=${sort}&after=${encodeURIComponent(next)}`;
      for (const page of [`${url}?sort=${sort}`, second]) expect(await rowsRead(page), page).toBeLessThan(101 * 2 + 20);
    }
    for (const query of ["sort=age", "after=x", `after=${btoa("[1]")}`, "sort=size&after=WyJhIl0"]) {
      expect(await outcome(`${url}?${query}`), query).toBe("400 query-invalid");
    }
  });

  it("are hidden with their collection, as if that were not there", async () => {
    const lab = await newLab({ private: true });
    const absent = `/api/v1/collections/${lab.entity}/nowhere/containers`;
    const hidden = `/api/v1/collections/${lab.entity}/${lab.collection}/containers`;
    for (const token of [null, lab.stranger.token]) {
      for (const url of [hidden, absent, lab.at("app"), lab.at("nothing")]) {
        expect(await outcome(url, { token }), url).toBe("404 not-found");
      }
    }
    expect(await outcome(hidden, { token: lab.reader.token })).toBe("200");
    const closed = environment({ API_REQUIRE_AUTH: "true" });
    expect(await outcome(hidden, { env: closed })).toBe("401 unauthenticated");
  });
});

describe("making a container", () => {
  it("is for contributors and owners, once for each name", async () => {
    const lab = await newLab();
    const url = `/api/v1/containers/${lab.entity}/${lab.collection}`;
    const make = (token: string | null, body: Record<string, unknown>) => outcome(url, { method: "POST", token, body });
    expect(await make(null, { name: "new" })).toBe("401 unauthenticated");
    expect(await make("garbage", { name: "new" })).toBe("401 invalid-credential");
    expect(await make(lab.reader.token, { name: "new" })).toBe("403 forbidden");
    const pullOnly = await newTokenFor(lab.owner.username, { scopes: ["pull"] });
    expect(await make(pullOnly, { name: "new" })).toBe("403 insufficient-scope");
    expect(await make(lab.contributor.token, { name: "New", description: "# One" })).toBe("201");
    expect(await make(lab.owner.token, { name: "new" })).toBe("409 name-taken");
    expect(await askJson(lab.at("new"))).toMatchObject({ name: "new", description: "# One", newestImage: null });
    for (const body of [
      {},
      { name: "" },
      { name: 5 },
      { name: "x", description: "x".repeat(limits.readmeLength + 1) },
    ]) {
      expect(await make(lab.owner.token, body)).toBe("400 body-invalid");
    }
    expect(await make(lab.owner.token, { name: "a/b" })).toBe("400 name-invalid");
    expect(await make(lab.owner.token, { name: "x", description: "x".repeat(limits.jsonBodyBytes) })).toBe(
      "413 body-too-large",
    );
    const nowhere = `/api/v1/containers/${lab.entity}/nowhere`;
    expect(await outcome(nowhere, { method: "POST", token: lab.owner.token, body: { name: "x" } })).toBe(
      "404 not-found",
    );
  });

  it("at once with another of the name makes one, and the other is told", async () => {
    const lab = await newLab();
    const url = `/api/v1/containers/${lab.entity}/${lab.collection}`;
    const ask = { method: "POST", token: lab.owner.token, body: { name: "same" } };
    expect((await Promise.all([outcome(url, ask), outcome(url, ask)])).sort()).toEqual(["201", "409 name-taken"]);
  });
});

describe("editing a container", () => {
  it("is for owners, who say which state they change", async () => {
    const lab = await newLab();
    const edit = (token: string | null, body: Record<string, unknown>, headers: Record<string, string> = anyState) =>
      outcome(lab.at("app"), { method: "PATCH", token, body, headers });
    expect(await edit(null, { readOnly: true })).toBe("401 unauthenticated");
    for (const { token } of [lab.contributor, lab.reader, lab.stranger]) {
      expect(await edit(token, { readOnly: true })).toBe("403 forbidden");
    }
    expect(await edit(lab.owner.token, { readOnly: true }, {})).toBe("428 precondition-required");
    const etag = (await ask(lab.at("app"), lab.owner)).headers.get("ETag") ?? "";
    const text = "# Tools\n\n- *one*\n<script>alert(1)</script>";
    expect(await edit(lab.owner.token, { description: text }, { "If-Match": etag })).toBe("200");
    expect(await edit(lab.owner.token, { description: "late" }, { "If-Match": etag })).toBe("412 precondition-failed");
    expect(await edit(lab.owner.token, { description: "late" }, { "If-Match": '"x"' })).toBe("412 precondition-failed");
    expect(await askJson(lab.at("app"))).toMatchObject({ description: text });
    expect(await edit(lab.owner.token, { readOnly: "yes" })).toBe("400 body-invalid");
    expect(await edit(lab.owner.token, {})).toBe("200");
  });

  it("renames it: its images are found by the new name alone, and who takes the old one gets nothing of them", async () => {
    const lab = await newLab();
    await lab.push("other", "v1");
    const edit = async (container: string, name: string) => {
      const headers = await asSeen(lab.at(container), lab.owner);
      return await outcome(lab.at(container), { method: "PATCH", token: lab.owner.token, body: { name }, headers });
    };
    expect(await edit("app", "other")).toBe("409 name-taken");
    expect(await edit("app", "-x")).toBe("400 name-invalid");
    expect(await edit("app", "Renamed")).toBe("200");
    const path = `${lab.entity}/${lab.collection}`;
    expect(await pull(`${path}/app:v1`)).toBe(404);
    expect(await pull(`${path}/renamed:v1`)).toBeInstanceOf(Uint8Array);
    expect((await ask(lab.at("app"))).status).toBe(404);
    await askJson(`/api/v1/containers/${path}`, { method: "POST", token: lab.owner.token, body: { name: "app" } });
    expect(await askJson(lab.at("app"))).toMatchObject({ imageCount: 0, tags: { items: [] } });
  });

  it("renames it only for who has seen what references break", async () => {
    const lab = await newLab();
    const rename = async (ifMatch: string) =>
      await outcome(lab.at("app"), {
        method: "PATCH",
        token: lab.owner.token,
        body: { name: "moved" },
        headers: { "If-Match": ifMatch },
      });
    const etag = (await ask(lab.at("app"), lab.owner)).headers.get("ETag") ?? "";
    expect(await rename("*")).toBe("428 precondition-required");
    await lab.push("app", "v2");
    expect(await rename(etag)).toBe("412 precondition-failed");
    expect(await rename((await ask(lab.at("app"), lab.owner)).headers.get("ETag") ?? "")).toBe("200");
  });

  it("lets one of two win who rename to the same name at once", async () => {
    const lab = await newLab();
    await lab.push("other", "v1");
    const rename = async (container: string) =>
      await outcome(lab.at(container), {
        method: "PATCH",
        token: lab.owner.token,
        body: { name: "same" },
        headers: await asSeen(lab.at(container), lab.owner),
      });
    expect((await Promise.all([rename("app"), rename("other")])).sort()).toEqual(["200", "409 name-taken"]);
  });

  it("keeps the name of one that is read-only, or holds anything frozen, but describes it all the same", async () => {
    const lab = await newLab();
    const edit = async (body: Record<string, unknown>) => {
      const headers = await asSeen(lab.at("app"), lab.owner);
      return await outcome(lab.at("app"), { method: "PATCH", token: lab.owner.token, body, headers });
    };
    expect(await edit({ readOnly: true })).toBe("200");
    expect(await edit({ name: "moved" })).toBe("409 read-only");
    expect(await edit({ description: "kept" })).toBe("200");
    const { containerId } = { containerId: lab.at("app") };
    const frozen = { method: "PATCH", token: lab.owner.token, body: { frozen: true }, headers: anyState };
    expect(await outcome(`${containerId}/tags/v1`, frozen)).toBe("204");
    expect(await edit({ name: "moved", readOnly: false })).toBe("409 frozen");
    expect(await askJson(lab.at("app"))).toMatchObject({ name: "app", readOnly: true, description: "kept" });
    expect(await outcome(`${containerId}/tags/v1`, { ...frozen, body: { frozen: false } })).toBe("204");
    expect(await edit({ name: "moved", readOnly: false })).toBe("200");
  });

  it("is written down for the owners of the collection, without the text", async () => {
    const lab = await newLab();
    const body = { name: "moved", description: "secret words", readOnly: true };
    await askJson(lab.at("app"), {
      method: "PATCH",
      token: lab.owner.token,
      body,
      headers: await asSeen(lab.at("app"), lab.owner),
    });
    const { results } = await env.DB.prepare(
      `SELECT action, target, detail FROM audit WHERE action GLOB 'container.[^c]*'
       AND collection_id = (SELECT id FROM collections WHERE name = ?) ORDER BY id`,
    )
      .bind(lab.collection)
      .all();
    const target = `${lab.entity}/${lab.collection}/app`;
    expect(results).toEqual([
      { action: "container.rename", target, detail: '{"to":"moved"}' },
      { action: "container.describe", target, detail: '{"length":12}' },
      { action: "container.read-only", target, detail: '{"readOnly":true}' },
    ]);
  });
});

describe("what the clients' own protocol says", () => {
  it("has sizes, pulls and stars of collections and containers, and an entity's size for its owner alone", async () => {
    const lab = await newLab();
    const { containerId, collectionId } = await lab.push("app", "v1");
    await env.DB.batch([
      env.DB.prepare("UPDATE containers SET pull_count = 7 WHERE id = ?").bind(containerId),
      env.DB.prepare("UPDATE collections SET star_count = 3 WHERE id = ?").bind(collectionId),
    ]);
    const path = `${lab.entity}/${lab.collection}`;
    const data = async (url: string, token: string | null = null) =>
      (await askJson<{ data: Record<string, unknown> }>(url, { token })).data;
    const { size } = (await data(`/v1/images/${path}/app:v1`)) as { size: number };
    expect(await data(`/v1/containers/${path}/app`)).toMatchObject({ size, downloadCount: 7, stars: 3 });
    expect(await data(`/v1/images/${path}/app:v1`)).toMatchObject({ containerDownloads: 7, containerStars: 3 });
    expect(await data(`/v1/collections/${path}`)).toMatchObject({ size });
    expect(await data(`/v1/entities/${lab.entity}`, lab.owner.token)).toMatchObject({ size });
    for (const token of [null, lab.stranger.token, lab.contributor.token]) {
      expect(await data(`/v1/entities/${lab.entity}`, token)).not.toHaveProperty("size");
    }
  });
});
