import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { makeSif } from "../support/make-sif.ts";
import { ask, environment, newPerson, type Person, push } from "../support/worker/registry.ts";

let alice: Person;
let collection: string;

beforeAll(async () => {
  alice = await newPerson("badged");
  collection = `${alice.username}/tools`;
  await push(alice.token, `${collection}/app:v1`, makeSif({ salt: "v1" }));
  const newest = await push(
    alice.token,
    `${collection}/app:latest,v2`,
    makeSif({ salt: "v2", sizeBytes: 3 * 2 ** 20 }),
  );
  await env.DB.batch([
    env.DB.prepare("UPDATE images SET published_at = published_at + 1 WHERE id = ?").bind(newest.imageId),
    env.DB.prepare("UPDATE containers SET pull_count = 1234 WHERE id = ?").bind(newest.containerId),
    env.DB.prepare("UPDATE collections SET pull_count = 5678901, star_count = 7 WHERE id = ?").bind(
      newest.collectionId,
    ),
  ]);
  await push(alice.token, `${alice.username}/secret/app:v1`, makeSif({ salt: "secret" }), { private: true });
});

const badge = async (path: string, settings: Record<string, string> = {}) =>
  await ask(`/api/v1/badges/${path}.svg`, { env: environment(settings) });

async function saidBy(path: string, settings: Record<string, string> = {}): Promise<string | undefined> {
  const answer = await badge(path, settings);
  expect(answer.status, path).toBe(200);
  return /<title>(.*)<\/title>/.exec(await answer.text())?.[1];
}

describe("a badge", () => {
  it("says how often something was pulled, its newest tag and size, and its stars", async () => {
    expect(await saidBy(`${collection}/app/pulls`)).toBe("pulls: 1.2k");
    expect(await saidBy(`${collection}/app/tag`)).toBe("tag: v2");
    expect(await saidBy(`${collection}/app/size`)).toBe("size: 3.0 MiB");
    expect(await saidBy(`${collection}/pulls`)).toBe("pulls: 5.6M");
    expect(await saidBy(`${collection}/stars`)).toBe("stars: 7");
    expect(await saidBy(`${collection.toUpperCase()}/stars`)).toBe("stars: 7");
  });

  it("is an image that pages elsewhere may show for some minutes, and that can do nothing", async () => {
    const { headers } = await badge(`${collection}/stars`);
    expect(headers.get("Content-Type")).toMatch(/^image\/svg\+xml/);
    expect(headers.get("Cache-Control")).toBe("public, max-age=300");
    expect(headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Cross-Origin-Resource-Policy")).toBe("cross-origin");
  });

  it("is the same grey one for what is hidden, absent, no name at all, and empty", async () => {
    const hidden = await badge(`${alice.username}/secret/app/pulls`);
    const text = await hidden.text();
    expect(text).toContain("<title>pulls: unknown</title>");
    for (const path of [
      `${alice.username}/nowhere/app/pulls`,
      `${collection}/nothing/pulls`,
      "nobody/nothing/pulls",
      `${encodeURIComponent("<script>")}/a/b/pulls`,
      `${alice.username}/secret/pulls`,
    ]) {
      const answer = await badge(path);
      expect([answer.status, await answer.text()], path).toEqual([hidden.status, text]);
    }
    await env.DB.prepare("UPDATE collections SET visibility = 'internal' WHERE name = 'secret'").run();
    expect(await saidBy(`${alice.username}/secret/app/tag`)).toBe("tag: unknown");
  });

  it("does not show by anybody's credential what not everybody may see", async () => {
    const url = `/api/v1/badges/${alice.username}/secret/app/pulls.svg`;
    expect(await (await ask(url, { token: alice.token })).text()).toContain("unknown");
    for (const settings of [{ PRIVATE_ONLY: "true" }, { API_REQUIRE_AUTH: "true" }]) {
      expect(await saidBy(`${collection}/app/pulls`, settings)).toBe("pulls: unknown");
    }
  });

  it("is only of what there are badges for", async () => {
    for (const path of [
      `${collection}/app/stars.svg`,
      `${collection}/tag.svg`,
      `${collection}/app/pulls.png`,
      "x.svg",
    ]) {
      expect((await ask(`/api/v1/badges/${path}`)).status, path).toBe(404);
    }
    expect((await ask(`/api/v1/badges/${collection}/pulls.svg`, { method: "POST" })).status).toBe(404);
  });
});
