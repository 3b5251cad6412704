import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import { makeSif } from "../support/make-sif.ts";
import { counted } from "../support/worker/calls.ts";
import {
  ask,
  askJson,
  environment,
  newPerson,
  type Person,
  type Pushed,
  push,
  uniqueName,
} from "../support/worker/registry.ts";

interface Page<T> {
  items: T[];
  next: string | null;
}

let alice: Person;
let bob: Person;
let open: Pushed;
let second: Pushed;
let hidden: Pushed;

async function label(imageId: string, labels: Record<string, string>): Promise<void> {
  await env.DB.prepare("INSERT INTO labels SELECT ?, key, value FROM json_each(?)")
    .bind(imageId, JSON.stringify(labels))
    .run();
}

beforeAll(async () => {
  [alice, bob] = [await newPerson("labeller"), await newPerson("other")];
  open = await push(alice.token, `${alice.username}/marked/app:v1,v2`, makeSif({ salt: "open" }));
  second = await push(alice.token, `${alice.username}/marked/more:v1`, makeSif({ salt: "second" }));
  hidden = await push(alice.token, `${alice.username}/hidden/app:v1`, makeSif({ salt: "hidden" }), { private: true });
  await label(open.imageId, { Maintainer: "Ann", arch: "x86/64", version: "1" });
  await label(second.imageId, { maintainer: "ann", version: "2" });
  await label(hidden.imageId, { Maintainer: "Ann", secretkey: "secretvalue", version: "3" });
});

describe("labels in the web API", () => {
  const keys = async (token: string | null = null) =>
    (await askJson<Page<{ key: string; values: number; images: number }>>("/api/v1/labels", { token })).items;

  it("are keys with how many values and images they have, in any case one key", async () => {
    expect(await keys()).toEqual([
      { key: "arch", values: 1, images: 1 },
      { key: "Maintainer", values: 1, images: 2 },
      { key: "version", values: 2, images: 2 },
    ]);
  });

  it("count only what the actor may see", async () => {
    expect(await keys(bob.token)).toEqual(await keys());
    expect(await keys(alice.token)).toEqual([
      { key: "arch", values: 1, images: 1 },
      { key: "Maintainer", values: 1, images: 3 },
      { key: "secretkey", values: 1, images: 1 },
      { key: "version", values: 3, images: 3 },
    ]);
    expect((await ask("/api/v1/labels", { env: environment({ API_REQUIRE_AUTH: "true" }) })).status).toBe(401);
    const closed = await askJson("/api/v1/labels", { env: environment({ PRIVATE_ONLY: "true" }) });
    expect(closed).toEqual({ items: [], next: null });
  });

  it("are values of a key with how many images have them", async () => {
    expect(await askJson("/api/v1/labels/VERSION")).toEqual({
      items: [
        { value: "1", images: 1 },
        { value: "2", images: 1 },
      ],
      next: null,
    });
    for (const key of ["secretkey", "absent"])
      expect(await askJson(`/api/v1/labels/${key}`)).toEqual({ items: [], next: null });
  });

  it("are the images of a key and value, which may hold a slash", async () => {
    const image = {
      entity: alice.username,
      collection: "marked",
      container: "app",
      digest: open.digest,
      arch: "amd64",
      tags: ["v1", "v2"],
    };
    for (const value of ["x86%2F64", "x86/64", "X86%2f64"]) {
      expect(await askJson(`/api/v1/labels/arch/${value}`), value).toEqual({ items: [image], next: null });
    }
    const found = await askJson<Page<{ container: string }>>("/api/v1/labels/maintainer/ANN");
    expect(found.items.map(({ container }) => container).sort()).toEqual(["app", "more"]);
    expect(await askJson("/api/v1/labels/secretkey/secretvalue")).toEqual({ items: [], next: null });
    const own = await askJson<Page<unknown>>("/api/v1/labels/secretkey/secretvalue", { token: alice.token });
    expect(own.items).toHaveLength(1);
  });

  it("come in pages that hold each exactly once", async () => {
    const many = Object.fromEntries(Array.from({ length: limits.pageSize + 20 }, (_, n) => [`key${n}`, `${n}`]));
    const own = await push(bob.token, `${bob.username}/many/app:v1`, makeSif({ salt: "many" }), { private: true });
    await label(own.imageId, many);
    const seen: string[] = [];
    for (let after: string | null = ""; after !== null; ) {
      const query: string = after === "" ? "" : `?after=${encodeURIComponent(after)}`;
      const page: Page<{ key: string }> = await askJson(`/api/v1/labels${query}`, { token: bob.token });
      seen.push(...page.items.map(({ key }) => key));
      after = page.next;
    }
    expect(seen).toHaveLength(limits.pageSize + 20 + 3);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("cost one call of the database", async () => {
    for (const path of ["labels", "labels/version", "labels/version/1"]) {
      const { env: watched, counts } = counted();
      expect((await ask(`/api/v1/${path}`, { env: watched })).status).toBe(200);
      expect(counts).toEqual({ d1: 1, r2: 0, durable: 0 });
    }
  });
});

describe("sregistry's label searches", () => {
  const search = async (form: string, token: string | null = null) =>
    await askJson<{ key: string; value: string; containers: string[] }[]>(`/api/labels/search${form}`, { token });

  it("answer key, value and the tags of the images, by key, by value, by both, or all", async () => {
    const ann = { key: "Maintainer", value: "Ann", containers: ["marked/app:v1", "marked/app:v2"] };
    const other = { key: "maintainer", value: "ann", containers: ["marked/more:v1"] };
    const version = { key: "version", value: "2", containers: ["marked/more:v1"] };
    for (const slash of ["", "/"]) {
      expect(await search(`/maintainer/key${slash}`)).toEqual([ann, other]);
      expect(await search(`/ann/value${slash}`)).toEqual([ann, other]);
      expect(await search(`/version/key/2/value${slash}`)).toEqual([version]);
      expect(await search(slash)).toHaveLength(5);
    }
    expect((await search("/x86%2F64/value")).map(({ key }) => key)).toEqual(["arch"]);
    expect(await search("/absent/key")).toEqual([]);
  });

  it("leave long values out of lists, and find them by themselves", async () => {
    const { imageId } = await push(alice.token, `${alice.username}/marked/long:v1`, makeSif({ salt: "long" }));
    const value = "x".repeat(513);
    await label(imageId, { description: value });
    expect(await search("/description/key")).toEqual([]);
    expect((await search(`/description/key/${value}/value`)).map(({ key }) => key)).toEqual(["description"]);
    await env.DB.prepare("DELETE FROM labels WHERE image_id = ?").bind(imageId).run();
  });

  it("hold nothing private for those who may not see it, nor its uri", async () => {
    for (const form of [
      "",
      "/secretkey/key",
      "/secretvalue/value",
      "/secretkey/key/secretvalue/value",
      "/version/key",
    ]) {
      for (const token of [null, bob.token]) {
        expect(JSON.stringify(await search(form, token)), form).not.toMatch(/secret|hidden/);
      }
      expect(JSON.stringify(await search(form, alice.token)), form).toContain("hidden/app:v1");
    }
  });
});

it("a label without a value has its images too", async () => {
  const { imageId } = await push(
    alice.token,
    `${alice.username}/${uniqueName("empty")}/tool:1`,
    makeSif({ salt: "empty" }),
  );
  await env.DB.prepare("INSERT INTO labels (image_id, key, value) VALUES (?, 'without-value', '')").bind(imageId).run();
  const values = await askJson<{ items: unknown[] }>("/api/v1/labels/without-value");
  expect(values.items).toEqual([{ value: "", images: 1 }]);
  const images = await askJson<{ items: { container: string }[] }>("/api/v1/labels/without-value/");
  expect(images.items.map(({ container }) => container)).toEqual(["tool"]);
});

it("a label with several lines has its images too", async () => {
  const path = `${alice.username}/lines/app`;
  const { imageId } = await push(alice.token, `${path}:v1`, makeSif({ salt: path }));
  const value = "one\ntwo/three\u2028four";
  await label(imageId, { lines: value });
  const { items } = await askJson<Page<{ value: string }>>("/api/v1/labels/lines");
  expect(items).toMatchObject([{ value }]);
  const found = await askJson<Page<{ container: string }>>(`/api/v1/labels/lines/${encodeURIComponent(value)}`);
  expect(found.items).toMatchObject([{ container: "app" }]);
});
