import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { makeSif } from "../support/make-sif.ts";
import { counted } from "../support/worker/calls.ts";
import { allItems, type Lab, newLab, outcome, rowsRead } from "../support/worker/lab.ts";
import { ask, askJson, newPerson, pull, push, register } from "../support/worker/registry.ts";
import { askAsShown } from "../support/worker/shown.ts";

const anyState = { "If-Match": "*" };

interface Tag {
  name: string;
  updatedAt: string;
  architectures: { arch: string; digest: string; sizeBytes: number; frozen: boolean; imageFrozen: boolean }[];
}

/** Sets tags on an image of the lab's container, as fast as a test may. */
async function addTags(lab: Lab, names: readonly string[], at = 1): Promise<void> {
  await env.DB.prepare(
    `INSERT INTO tags (container_id, arch, name, image_id, updated_at)
     SELECT images.container_id, 'amd64', each.value, images.id, ? + each.key
     FROM images INNER JOIN containers ON containers.id = images.container_id
       INNER JOIN collections ON collections.id = containers.collection_id, json_each(?) AS each
     WHERE collections.name = ? AND containers.name = 'app' AND images.arch = 'amd64'`,
  )
    .bind(at, JSON.stringify(names), lab.collection)
    .run();
}

const set = (lab: Lab, tag: string, body: Record<string, unknown>, token: string | null = lab.owner.token) =>
  outcome(lab.at("app", "tags", tag), { method: "PUT", token, body });

describe("the tags of a container", () => {
  it("are one for each name with its architectures, in natural order, with latest where it falls", async () => {
    const lab = await newLab();
    const arm = await lab.push("app", "v1.10", "arm", { archCode: "04", arch: "arm64" });
    const amd = await lab.push("app", "v1.10", "amd");
    await lab.push("app", "v1.2,v1.9,latest,rc10,rc9", "amd");
    const items = await allItems<Tag>(lab.at("app", "tags"));
    expect(items.map(({ name }) => name)).toEqual(["latest", "rc9", "rc10", "v1", "v1.2", "v1.9", "v1.10"]);
    expect(items.at(-1)?.architectures).toMatchObject([
      { arch: "amd64", digest: amd.digest, frozen: false, imageFrozen: false },
      { arch: "arm64", digest: arm.digest, frozen: false, imageFrozen: false },
    ]);
    const backwards = await allItems<Tag>(`${lab.at("app", "tags")}?order=desc`);
    expect(backwards.map(({ name }) => name)).toEqual(items.map(({ name }) => name).reverse());
    const newest = await allItems<Tag>(`${lab.at("app", "tags")}?sort=updated`);
    const times = newest.map(({ updatedAt }) => updatedAt);
    expect(times).toEqual([...times].sort().reverse());
    expect(newest.filter(({ name }) => name === "v1.10")).toHaveLength(1);
  });

  it("are paged in each order, whole and without repetition, in one call of the database", async () => {
    const lab = await newLab();
    const names = Array.from({ length: 260 }, (_, index) => `${"ab"[index % 2]}${index}`);
    await addTags(lab, names);
    await lab.push("app", "a10,b11", "other arch", { archCode: "04", arch: "arm64" });
    const all = ["v1", ...names];
    for (const sort of ["natural", "name", "updated"]) {
      for (const order of ["asc", "desc"]) {
        const items = await allItems<Tag>(`${lab.at("app", "tags")}?sort=${sort}&order=${order}`);
        expect(items.map(({ name }) => name).sort(), `${sort} ${order}`).toEqual([...all].sort());
      }
    }
    const byName = (await allItems<Tag>(`${lab.at("app", "tags")}?sort=name`)).map(({ name }) => name);
    expect(byName).toEqual([...all].sort());
    const { env: counting, counts } = counted();
    expect(await outcome(`${lab.at("app", "tags")}?sort=updated`, { env: counting })).toBe("200");
    expect(counts).toEqual({ d1: 1, r2: 0, durable: 0 });
    for (const query of ["sort=age", "order=up", "after=x", "sort=name&after=WzFd"]) {
      expect(await outcome(`${lab.at("app", "tags")}?${query}`), query).toBe("400 query-invalid");
    }
  });

  it("are gone on with where a page ended, whatever was set or deleted meanwhile", async () => {
    const lab = await newLab();
    await addTags(
      lab,
      Array.from({ length: 150 }, (_, index) => `m${index}`),
    );
    const url = lab.at("app", "tags");
    const first = await askJson<{ items: Tag[]; next: string }>(url);
    const last = first.items.at(-1)?.name ?? "";
    await addTags(lab, ["a1", "m99.5", "z1"]);
    await askAsShown(lab.at("app", "tags", last), { method: "DELETE", token: lab.owner.token });
    const second = await askJson<{ items: Tag[] }>(`${url}?after=${encodeURIComponent(first.next)}`);
    const seen = [...first.items, ...second.items].map(({ name }) => name);
    expect(new Set(seen).size).toBe(seen.length);
    for (let index = 0; index < 150; index++) expect(seen).toContain(`m${index}`);
    expect(seen).toContain("z1");
    expect(seen).not.toContain("a1");
  });

  it("are found by a page of thousands, reading no more than it shows and a few rows", async () => {
    const lab = await newLab();
    await addTags(
      lab,
      Array.from({ length: 4000 }, (_, index) => `r${index}`),
    );
    const seen: number[] = [];
    for (const query of ["", "?sort=name&order=desc", "?sort=updated", "?sort=updated&order=asc"]) {
      const { next } = await askJson<{ next: string }>(`${lab.at("app", "tags")}${query}`);
      const page = `${lab.at("app", "tags")}${query}${query === "" ? "?" : "&"}after=${encodeURIComponent(next)}`;
      seen.push(await rowsRead(page));
    }
    for (const rows of seen) expect(rows).toBeLessThan(101 * 8 + 50);
  });

  it("are hidden with their collection, one by one and together", async () => {
    const lab = await newLab({ private: true });
    for (const token of [null, lab.stranger.token]) {
      for (const of of [["tags"], ["tags", "v1"], ["tags", "v1", "history"]]) {
        expect(await outcome(lab.at("app", ...of), { token }), of.join("/")).toBe("404 not-found");
      }
    }
    expect(await outcome(lab.at("app", "tags", "absent"), { token: lab.reader.token })).toBe("404 not-found");
    expect(await outcome(lab.at("app", "tags", "absent", "history"), { token: lab.reader.token })).toBe(
      "404 not-found",
    );
  });
});

describe("setting a tag", () => {
  it("is for contributors and owners, on an image of that container", async () => {
    const lab = await newLab();
    const { digest } = await lab.push("app", "v1");
    const other = await lab.push("other", "v1", "elsewhere");
    expect(await set(lab, "v2", { digest }, null)).toBe("401 unauthenticated");
    for (const { token } of [lab.reader, lab.stranger])
      expect(await set(lab, "v2", { digest }, token)).toBe("403 forbidden");
    expect(await set(lab, "v2", { digest }, lab.contributor.token)).toBe("200");
    expect(await set(lab, "v2", { digest, arch: "amd64" })).toBe("200");
    expect(await set(lab, "v2", { digest, arch: "arm64" })).toBe("400 architecture-mismatch");
    expect(await set(lab, "v2", { digest: other.digest })).toBe("404 not-found");
    expect(await set(lab, "v2", { digest: "sha256.x" })).toBe("400 digest-invalid");
    expect(await set(lab, "-v2", { digest })).toBe("400 tag-invalid");
    expect(await set(lab, "v2", {})).toBe("400 body-invalid");
    expect(await askJson(lab.at("app", "tags", "v2"))).toMatchObject({ name: "v2", architectures: [{ digest }] });
  });

  it("on an image whose bytes are to come waits for them", async () => {
    const lab = await newLab();
    const bytes = makeSif({ salt: `${lab.collection} waiting` });
    const path = `${lab.entity}/${lab.collection}/app`;
    const { digest } = await register(lab.owner.token, path, bytes);
    const url = lab.at("app", "tags", "soon");
    expect(await askJson(url, { method: "PUT", token: lab.owner.token, body: { digest } })).toEqual({
      isWaiting: true,
    });
    expect(await outcome(url)).toBe("404 not-found");
    await push(lab.owner.token, `${path}:other`, bytes);
    expect(await pull(`${path}:soon`)).toEqual(bytes);
  });

  it("to an image of somebody else's private container tells nothing", async () => {
    const lab = await newLab({ private: true });
    const { digest } = await lab.push("app", "v1");
    const eve = await newPerson("eve");
    const path = `${eve.username}/own/app`;
    await push(eve.token, `${path}:v1`, makeSif({ salt: "eve" }));
    const body = { method: "PUT", token: eve.token, body: { digest } };
    expect(await outcome(`/api/v1/containers/${path}/tags/v2`, body)).toBe("404 not-found");
    expect(await outcome(lab.at("app", "tags", "v2"), body)).toBe("404 not-found");
  });
});

describe("freezing a tag", () => {
  it("is for owners, for all its architectures or one", async () => {
    const lab = await newLab();
    await lab.push("app", "multi", "amd");
    await lab.push("app", "multi", "arm", { archCode: "04", arch: "arm64" });
    const url = lab.at("app", "tags", "multi");
    const freeze = (token: string | null, frozen: boolean, query = "", headers: Record<string, string> = anyState) =>
      outcome(`${url}${query}`, { method: "PATCH", token, body: { frozen }, headers });
    expect(await freeze(lab.contributor.token, true)).toBe("403 forbidden");
    expect(await freeze(lab.owner.token, true, "", {})).toBe("428 precondition-required");
    expect(await freeze(lab.owner.token, true, "?arch=arm64")).toBe("204");
    const frozen = async () => (await askJson<Tag>(url)).architectures.map((one) => one.frozen);
    expect(await frozen()).toEqual([false, true]);
    expect(await freeze(lab.owner.token, true, "?arch=s390x")).toBe("404 not-found");
    expect(await freeze(lab.owner.token, true)).toBe("204");
    expect(await frozen()).toEqual([true, true]);
    const etag = (await ask(url, lab.owner)).headers.get("ETag") ?? "";
    expect(await freeze(lab.owner.token, false, "", { "If-Match": etag })).toBe("204");
    expect(await freeze(lab.owner.token, true, "", { "If-Match": etag })).toBe("412 precondition-failed");
    expect(await frozen()).toEqual([false, false]);
  });
});

describe("the history of a tag", () => {
  it("has what it was on and who set it, for people of the collection, also when it is gone", async () => {
    const lab = await newLab();
    const one = await lab.push("app", "v2", "one");
    const two = await lab.push("app", "v2", "two");
    await askAsShown(lab.at("app", "tags", "v2"), { method: "DELETE", token: lab.owner.token });
    const url = lab.at("app", "tags", "v2", "history");
    const { env: counting, counts } = counted();
    const { items } = await askJson<{ items: Record<string, unknown>[] }>(url, {
      token: lab.reader.token,
      env: counting,
    });
    expect(counts.d1).toBeLessThanOrEqual(3);
    const by = lab.owner.username;
    expect(items).toMatchObject([
      { arch: "amd64", digest: null, by: null },
      { arch: "amd64", digest: two.digest, by },
      { arch: "amd64", digest: one.digest, by },
    ]);
    const strangers = await allItems<{ by: string | null }>(url);
    expect(strangers.map((entry) => entry.by)).toEqual([null, null, null]);
    expect(await outcome(lab.at("app", "tags", "v2"))).toBe("404 not-found");
  });

  it("is paged, and reads what it shows", async () => {
    const lab = await newLab();
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
       INSERT INTO tag_history (container_id, name, arch, digest, set_at)
       SELECT containers.id, 'long', 'amd64', 'sha256.' || i, i FROM n, containers
         INNER JOIN collections ON collections.id = containers.collection_id WHERE collections.name = ?`,
    )
      .bind(lab.collection)
      .run();
    const url = lab.at("app", "tags", "long", "history");
    const items = await allItems<{ digest: string }>(url);
    expect(items.map(({ digest }) => digest)).toEqual(
      Array.from({ length: 2000 }, (_, index) => `sha256.${2000 - index}`),
    );
    expect(await rowsRead(url)).toBeLessThan(101 * 2 + 50);
    expect(await outcome(`${url}?after=x`)).toBe("400 query-invalid");
  });
});
