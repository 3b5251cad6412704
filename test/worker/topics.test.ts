import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setMember } from "../../worker/registry/catalog/manage.ts";
import { addTopic, listTopics, removeTopic, topicsOf } from "../../worker/registry/catalog/topics.ts";
import { limits } from "../../worker/registry/limits.ts";
import { makeSif } from "../support/make-sif.ts";
import { counted } from "../support/worker/calls.ts";
import { ask, askJson, environment, newPerson, push, testContext, uniqueName } from "../support/worker/registry.ts";

async function pushed(options: { private?: boolean } = {}) {
  const person = await newPerson("tagger");
  const collection = uniqueName("topical");
  const path = `${person.username}/${collection}/app`;
  const image = await push(person.token, `${path}:v1`, makeSif({ salt: path }), options);
  const address = `/api/v1/containers/${path}/topics`;
  return { person, token: person.token, collection, path, address, ...image };
}

async function topicsAt(address: string, token: string | null = null): Promise<string[]> {
  return (await askJson<{ topics: string[] }>(address, { token })).topics;
}

const put = (url: string, token: string | null) => ask(url, { method: "PUT", token });
const remove = (url: string, token: string | null) => ask(url, { method: "DELETE", token });

describe("topics of a container", () => {
  it("are added, the first one too, and removed by its owner; repeated adding is fine", async () => {
    const { address, token } = await pushed();
    expect(await topicsAt(address)).toEqual([]);
    for (const topic of ["Deep%20%20Learning", "deep%20learning", "biologie", "%E2%82%AC"]) {
      expect((await put(`${address}/${topic}`, token)).status, topic).toBe(204);
    }
    expect(await topicsAt(address)).toEqual(["biologie", "deep learning", "€"]);
    expect((await remove(`${address}/DEEP%20learning`, token)).status).toBe(204);
    expect((await remove(`${address}/DEEP%20learning`, token)).status).toBe(404);
    expect(await topicsAt(address)).toEqual(["biologie", "€"]);
    expect((await put(`${address}/deep%20learning`, token)).status).toBe(204);
    expect(await topicsAt(address)).toContain("deep learning");
  });

  it("are changed by owners alone: not by strangers, readers, contributors, or nobody", async () => {
    const { address, token, person, collection } = await pushed();
    await put(`${address}/kept`, token);
    const others = await Promise.all(["reader", "contributor"].map((role) => newPerson(role)));
    const path = { entity: person.username, name: collection };
    for (const [index, role] of (["reader", "contributor"] as const).entries()) {
      await setMember(testContext(), operator, path, others[index]?.username ?? "", role);
    }
    for (const { token: other } of [...others, await newPerson("stranger")]) {
      expect((await put(`${address}/more`, other)).status).toBe(403);
      expect((await remove(`${address}/kept`, other)).status).toBe(403);
    }
    expect((await put(`${address}/more`, null)).status).toBe(401);
    expect(await topicsAt(address)).toEqual(["kept"]);
    const admin = await newPerson("admin", { role: "admin" });
    expect((await put(`${address}/more`, admin.token)).status).toBe(204);
  });

  it("that somebody removed stay removed, and are not listed, though an image brought them", async () => {
    const { address, token, containerId } = await pushed();
    const bring = () =>
      env.DB.prepare(
        "INSERT INTO topics (container_id, name, origin, changed_at) VALUES (?, 'debian', 'image', 0) ON CONFLICT DO NOTHING",
      )
        .bind(containerId)
        .run();
    await bring();
    expect(await topicsAt(address)).toEqual(["debian"]);
    expect((await remove(`${address}/debian`, token)).status).toBe(204);
    await bring();
    expect(await topicsAt(address)).toEqual([]);
    expect(await askJson("/api/v1/topics/debian")).toEqual({ items: [], next: null });
  });

  it("stand in the list of its collection's containers, without those that were taken away", async () => {
    const { address, token, path, person, collection } = await pushed();
    for (const topic of ["zebrafish", "genomics", "gone"]) await put(`${address}/${topic}`, token);
    await env.DB.prepare("UPDATE topics SET removed = 1 WHERE name = 'gone'").run();
    await push(token, `${path.replace(/app$/, "plain")}:v1`, makeSif({ salt: `plain ${path}` }));
    const url = `/api/v1/collections/${person.username}/${collection}/containers`;
    const { items } = await askJson<{ items: { name: string; topics: string[] }[] }>(url);
    expect(items.map(({ name, topics }) => [name, topics])).toEqual([
      ["app", ["genomics", "zebrafish"]],
      ["plain", []],
    ]);
  });

  it("are at most as many as the registry allows, also for two at once", async () => {
    const { address, token, containerId, path } = await pushed();
    const names = Array.from({ length: limits.topicsPerContainer - 1 }, (_, n) => `topic${n}`);
    await env.DB.prepare(
      "INSERT INTO topics (container_id, name, origin, changed_at) SELECT ?, value, 'person', 0 FROM json_each(?)",
    )
      .bind(containerId, JSON.stringify(names))
      .run();
    const two = await Promise.all(["one", "two"].map((topic) => put(`${address}/${topic}`, token)));
    expect(two.map(({ status }) => status).sort()).toEqual([204, 409]);
    const refused = await put(`${address}/three`, token);
    expect(await refused.json()).toMatchObject({ code: "topic-limit" });
    expect((await put(`${address}/topic0`, token)).status).toBe(204);
    expect(await topicsAt(address)).toHaveLength(limits.topicsPerContainer);
    expect((await remove(`${address}/topic0`, token)).status).toBe(204);
    expect((await put(`${address}/three`, token)).status, path).toBe(204);
  });

  it("are refused where they are none, and hidden with a container that is hidden", async () => {
    const { address, token } = await pushed({ private: true });
    for (const topic of ["a%2Fb", "a,b", "%00", "a%0Ab%07", "x".repeat(51), "%20", "%E2%80%AE"]) {
      const response = await put(`${address}/${topic}`, token);
      expect(response.status, topic).toBe(400);
      expect(await response.json()).toMatchObject({ code: "topic-invalid" });
    }
    await put(`${address}/private topic`, token);
    const stranger = await newPerson("stranger");
    for (const other of [null, stranger.token]) {
      expect((await ask(address, { token: other })).status).toBe(404);
      expect(await askJson("/api/v1/topics/private%20topic", { token: other })).toEqual({ items: [], next: null });
      expect(JSON.stringify(await askJson("/api/v1/topics", { token: other }))).not.toContain("private topic");
    }
    expect((await put(`${address}/more`, stranger.token)).status).toBe(404);
    const own = await askJson<{ items: unknown[] }>("/api/v1/topics/private%20topic", { token });
    expect(own.items).toHaveLength(1);
  });

  it("go into the audit log once for each change", async () => {
    const { address, token, path } = await pushed();
    for (const _ of [1, 2]) await put(`${address}/audited`, token);
    await remove(`${address}/audited`, token);
    const { results } = await env.DB.prepare(
      "SELECT action FROM audit WHERE target = ? AND action LIKE 'topic.%' ORDER BY rowid",
    )
      .bind(path)
      .all();
    expect(results).toEqual([{ action: "topic.add" }, { action: "topic.remove" }]);
  });
});

describe("all topics", () => {
  it("are listed with how many containers have each that the actor may see, and lead to them", async () => {
    const [open, closed] = [await pushed(), await pushed({ private: true })];
    for (const { address, token } of [open, closed]) await put(`${address}/shared`, token);
    const count = async (token: string | null) => {
      const { items } = await askJson<{ items: { topic: string; containers: number }[] }>("/api/v1/topics", { token });
      return items.find(({ topic }) => topic === "shared")?.containers;
    };
    expect(await count(null)).toBe(1);
    expect(await count(open.token)).toBe(1);
    expect(await count(closed.token)).toBe(2);
    const [entity, collection, container] = open.path.split("/");
    expect(await askJson("/api/v1/topics/SHARED")).toEqual({
      items: [{ entity, collection, container, description: "" }],
      next: null,
    });
  });

  it("come in pages that hold each exactly once", async () => {
    const { token, containerId } = await pushed({ private: true });
    const names = Array.from({ length: limits.pageSize + 30 }, (_, n) => `page ${n}`);
    await env.DB.prepare(
      "INSERT INTO topics (container_id, name, origin, changed_at) SELECT ?, value, 'person', 0 FROM json_each(?)",
    )
      .bind(containerId, JSON.stringify(names))
      .run();
    const seen: string[] = [];
    for (let query = ""; ; ) {
      const page = await askJson<{ items: { topic: string }[]; next: string | null }>(`/api/v1/topics${query}`, {
        token,
      });
      seen.push(...page.items.map(({ topic }) => topic));
      if (page.next === null) break;
      query = `?after=${encodeURIComponent(page.next)}`;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(names));
  });

  it("are nobody's to read without a token under API_REQUIRE_AUTH", async () => {
    const { address } = await pushed();
    const closed = environment({ API_REQUIRE_AUTH: "true" });
    for (const url of ["/api/v1/topics", "/api/v1/topics/x", address]) {
      expect((await ask(url, { env: closed })).status, url).toBe(401);
    }
  });

  it("cost one call of the database", async () => {
    for (const path of ["topics", "topics/shared"]) {
      const { env: watched, counts } = counted();
      await ask(`/api/v1/${path}`, { env: watched });
      expect(counts).toEqual({ d1: 1, r2: 0, durable: 0 });
    }
  });

  it("are the operator's to change from the command line too", async () => {
    const { path } = await pushed();
    const [entity = "", collection = "", container = ""] = path.split("/");
    const at = { entity, collection, container };
    const ctx = testContext();
    await addTopic(ctx, operator, at, "By Operator");
    expect(await topicsOf(ctx, operator, at)).toEqual(["by operator"]);
    const listed = await listTopics(ctx, operator, null);
    expect(listed.items).toContainEqual({ topic: "by operator", containers: 1 });
    await removeTopic(ctx, operator, at, "by operator");
    expect(await topicsOf(ctx, operator, at)).toEqual([]);
  });
});
