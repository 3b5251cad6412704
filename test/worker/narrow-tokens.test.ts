import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { operations } from "../../worker/protocols/web/api.ts";
import { makeSif } from "../support/make-sif.ts";
import { type Own, pairsFor, queryWith, urlOf } from "../support/worker/attack-paths.ts";
import { requests } from "../support/worker/attack-requests.ts";
import { ask, askJson, newTokenFor, push } from "../support/worker/registry.ts";
import { absentLike, hiddenTexts, type Identifiers, newVictim } from "../support/worker/victim.ts";

/*
 * Somebody finds Alice's token for one collection, and knows every name, id and secret of all else that is hers. By that
 * token they learn no more of it, whatever they ask: not what is private, and not which public things are hers. An
 * operation that is added is tested here by itself.
 */

let alice: Identifiers;
let absent: Identifiers;
let own: Own;
let token: string;

beforeAll(async () => {
  alice = await newVictim();
  absent = await absentLike(alice);
  const secret = alice.secrets.token ?? "";
  const { digest } = await push(secret, `${alice.entity}/narrow/app:v1`, makeSif({ salt: "narrow" }), {
    private: true,
  });
  own = { entity: alice.entity, collection: "narrow", container: "app", team: "", robot: "", digest };
  token = await newTokenFor(alice.entity, { collection: { entity: alice.entity, name: "narrow" } });
});

/** What is hers and outside, but for her name and what was said in asking. */
function toldOf(text: string, said: string): string[] {
  const { user: _, entity: _entity, ...ids } = alice.ids;
  const { username: __, member: ___, ...names } = alice.names;
  const all = [...Object.values(ids), ...Object.values(alice.secrets), ...Object.values(names)];
  const outside = [...all, alice.collection, alice.container, ...hiddenTexts];
  return outside.filter((word) => text.includes(word) && !said.includes(word));
}

/** Whose words are nothing of anybody's. */
const exempt: readonly string[] = ["getError", "getSetting"];

const reading = operations
  .map(({ description }) => description)
  .filter(({ id, method }) => method === "get" && !exempt.includes(id));

describe("a token for one collection tells nothing of what else is its user's", () => {
  it.each(reading.map((description) => [description.id, description] as const))("%s", async (_, description) => {
    const { path } = description;
    const urls = pairsFor(path, alice, absent, own).flatMap(({ attack }) => [
      urlOf(path, attack),
      urlOf(path, attack) + queryWith(description, alice),
    ]);
    for (const url of new Set([...urls, urlOf(path, { ...alice.names, ...own })])) {
      const answer = await ask(url, { token });
      const text = await answer.text();
      expect(answer.status, `${url}: ${text}`).toBeLessThan(500);
      expect(toldOf(text, decodeURIComponent(url)), url).toEqual([]);
    }
  });

  it.each(requests.filter(([name]) => name.startsWith("GET ")))("%s", async (_, asking) => {
    const [url, options] = asking(alice);
    const answer = await ask(url, { ...options, token });
    const text = `${await answer.text()} ${answer.headers.get("Location") ?? ""}`;
    expect(toldOf(text, decodeURIComponent(url)), url).toEqual([]);
  });

  it("and of the account its name, and nothing of how much it holds", async () => {
    const me = await askJson("/api/v1/me", { token });
    expect(me).toEqual({
      ...{ username: alice.entity, role: "user", isRobot: false, entity: null, quota: null },
      createdAt: expect.any(String),
      terms: expect.any(Object),
      credential: { kind: "token", id: expect.any(String), scopes: ["pull", "push", "manage"], isNarrowed: true },
    });
    const entityBy = async (by: string) =>
      (await askJson<{ data: object }>(`/v1/entities/${alice.entity}`, { token: by })).data;
    expect(await entityBy(alice.secrets.token ?? "")).toHaveProperty("quota");
    expect(await entityBy(token)).not.toHaveProperty("quota");
    expect(await askJson(`/api/v1/entities/${alice.entity}`, { token })).toMatchObject({ sizeBytes: null });
  });
});

describe("of what is public and its user's it tells what everybody may know, and not what is theirs in it", () => {
  const lists = [
    "/api/v1/me/shares",
    "/api/v1/me/stars",
    "/api/v1/uploads",
    "/api/v1/collections?mine=1",
    "/api/v1/collections?starred=1",
  ];

  beforeAll(async () => {
    await env.DB.prepare("UPDATE collections SET visibility = 'public' WHERE id = ?").bind(alice.ids.collection).run();
    await env.DB.prepare("UPDATE uploads SET digest = 'sha256.' WHERE digest IS NULL").run();
  });

  it("in the lists of what is one's own, which to their other tokens show all", async () => {
    for (const url of lists) {
      const { items } = await askJson<{ items: { collection: string }[] }>(url, { token });
      expect(
        items.map(({ collection }) => collection).filter((name) => name !== "narrow"),
        url,
      ).toEqual([]);
    }
    for (const url of ["/api/v1/me/shares", "/api/v1/me/stars", "/api/v1/collections?mine=1"]) {
      const { items } = await askJson<{ items: { collection: string }[] }>(url, { token: alice.secrets.token ?? "" });
      expect(
        items.map(({ collection }) => collection),
        url,
      ).toContain(alice.collection);
    }
  });

  it("in a star on its page and in lists, and in an upload by its id", async () => {
    const page = `/api/v1/collections/${alice.entity}/${alice.collection}`;
    expect(await askJson(page, { token: alice.secrets.token ?? "" })).toMatchObject({ isStarred: true });
    expect(await askJson(page, { token })).toMatchObject({ isStarred: false, role: null });
    const { items } = await askJson<{ items: { isStarred: boolean }[] }>("/api/v1/collections", { token });
    expect(items.filter(({ isStarred }) => isStarred)).toEqual([]);
    const upload = `/api/v1/uploads/${alice.ids.uploadInParts}`;
    for (const method of ["GET", "DELETE"]) expect((await ask(upload, { method, token })).status).toBe(404);
  });

  it("but of its own collection it tells all", async () => {
    const star = await env.DB.prepare(
      "INSERT INTO stars SELECT ?, collections.id, 1 FROM collections JOIN entities ON entities.id = entity_id WHERE entities.name = ? AND collections.name = 'narrow'",
    );
    await star.bind(alice.ids.user, alice.entity).run();
    for (const url of lists.filter((one) => /stars|mine|starred/.test(one))) {
      const { items } = await askJson<{ items: { collection: string }[] }>(url, { token });
      expect(
        items.map(({ collection }) => collection),
        url,
      ).toEqual(["narrow"]);
    }
  });
});
