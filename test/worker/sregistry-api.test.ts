import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setFrozen, setMember } from "../../worker/registry/catalog/manage.ts";
import { limits } from "../../worker/registry/limits.ts";
import { parseImageReference } from "../../worker/registry/names.ts";
import { makeSif } from "../support/make-sif.ts";
import { counted } from "../support/worker/calls.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  newPerson,
  newTokenFor,
  ORIGIN,
  type Person,
  type Pushed,
  push,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";

/*
 * sregistry's lists and searches, as sregistry-cli and scripts ask them.
 */
interface Item {
  id: string;
  name: string;
  tag: string;
  collection: string;
  arch: string;
  version: string;
  metadata: Record<string, unknown>;
}
interface Collection {
  id: string;
  name: string;
  containers: { name: string; tag: string; uri: string; detail: string }[];
}
interface Pages<T> {
  count: number;
  next: string | null;
  previous: string | null;
  results: T[];
}

let alice: Person;
let bob: Person;
let open: Pushed;
let hidden: Pushed;
let second: Pushed;

beforeAll(async () => {
  alice = await newPerson("lister");
  bob = await newPerson("other");
  open = await push(alice.token, `${alice.username}/tools/app:v1,V2`, makeSif({ salt: "open" }));
  hidden = await push(alice.token, `${alice.username}/secret/app:v1`, makeSif({ salt: "hidden" }), { private: true });
  // The short name is alice's: bob's is found by two parts.
  second = await push(bob.token, `${bob.username}/tools/app:v1`, makeSif({ salt: "second" }));
  const metadata = {
    attributes: {
      labels: { org: "lab" },
      runscript: "exec app",
      environment: { "90-environment.sh": "A=1" },
      apps: { x: {} },
    },
  };
  await env.DB.prepare("INSERT INTO inspections VALUES (?, 'done', NULL, 1, ?, ?, 0)")
    .bind(open.imageId, "Bootstrap: docker\n", JSON.stringify(metadata))
    .run();
  await env.DB.prepare("INSERT INTO inspections VALUES (?, 'failed', 'it is odd', 1, NULL, NULL, 0)")
    .bind(second.imageId)
    .run();
  await env.DB.prepare("INSERT INTO labels VALUES (?, 'org', 'lab')").bind(open.imageId).run();
});

async function uris(options: Ask = {}): Promise<string[]> {
  const { results } = await askJson<Pages<Collection>>("/api/collections/", options);
  return results.flatMap(({ containers }) => containers.map(({ uri }) => uri)).sort();
}

describe("the list of collections", () => {
  it("is whole, with strings to print, and `next` null, or sregistry-cli would ask for ever", async () => {
    for (const path of ["/api/collections/", "/api/collections", "/api/collections.json"]) {
      const { count, next, previous, results } = await askJson<Pages<Collection>>(path);
      expect({ count, next, previous }).toEqual({ count: 2, next: null, previous: null });
      expect(results.find(({ id }) => id === open.collectionId)).toEqual({
        id: open.collectionId,
        name: "tools",
        add_date: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        modify_date: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        metadata: {},
        containers: ["V2", "v1"].map((tag) => ({
          name: "app",
          tag,
          uri: `tools/app:${tag}`,
          detail: `${ORIGIN}/api/container/tools/app:${tag}`,
        })),
        entity: alice.username,
        private: false,
      });
      expect(results.find(({ id }) => id === second.collectionId)?.name).toBe(`${bob.username}/tools`);
    }
  });

  it("shows what is private to those who may see it, and to nobody else", async () => {
    const secret = "secret/app:v1";
    const member = await newPerson("member");
    await setMember(testContext(), operator, { entity: alice.username, name: "secret" }, member.username, "reader");
    const admin = await newPerson("admin", { role: "admin" });
    const tools = { entity: alice.username, name: "tools" };
    const narrowed = await newTokenFor(alice.username, { collection: tools });
    expect(await uris()).not.toContain(secret);
    expect(await uris({ token: bob.token })).not.toContain(secret);
    expect(await uris({ token: narrowed })).not.toContain(secret);
    for (const { token } of [alice, member, admin]) expect(await uris({ token })).toContain(secret);
    const whole = await askJson<Pages<Collection>>("/api/collections/", { token: alice.token });
    expect(whole.count).toBe(whole.results.length);
  });

  it("is empty with PRIVATE_ONLY, and a refusal with API_REQUIRE_AUTH, but for those with a token", async () => {
    expect(await uris({ env: environment({ PRIVATE_ONLY: "true" }) })).toEqual([]);
    const closed = environment({ API_REQUIRE_AUTH: "true" });
    const addresses = ["collections/", "containers/", "collection/tools", "collection/search/to", "labels/search/"];
    for (const address of [...addresses, "container/search/name/app", `containers/${open.containerId}:v1/`]) {
      const response = await ask(`/api/${address}`, { env: closed });
      expect(response.status, address).toBe(403);
      expect(await response.json(), address).toMatchObject({ detail: expect.stringContaining("token") });
      expect((await ask(`/api/${address}`, { env: closed, token: bob.token })).status, address).toBe(200);
    }
  });

  it("comes in pages to those who ask for them, which hold everything exactly once", async () => {
    for (const list of ["collections", "containers"]) {
      const whole = await askJson<Pages<{ id: string }>>(`/api/${list}/`, { token: alice.token });
      const seen: string[] = [];
      for (let url: string | null = `/api/${list}/?limit=1`; url !== null; ) {
        const page: Pages<{ id: string }> = await askJson(url, { token: alice.token });
        expect(page.count).toBe(whole.count);
        expect(page.results).toHaveLength(1);
        expect(page.previous === null).toBe(seen.length === 0);
        seen.push(...page.results.map(({ id }) => id));
        if (page.next !== null) expect(page.next.startsWith(`${ORIGIN}/api/${list}/?limit=1&offset=`)).toBe(true);
        url = page.next;
      }
      expect(seen).toEqual(whole.results.map(({ id }) => id));
      expect(new Set(seen).size).toBe(whole.count);
      const past = await askJson<Pages<unknown>>(`/api/${list}/?limit=${limits.offsetPage * 2}&offset=5000`);
      expect(past).toMatchObject({ next: null, results: [], previous: expect.stringContaining("offset=4000") });
      for (const query of ["limit=0", "limit=-1", "limit=x", "offset=1.5", "limit=", "offset=99999999999"]) {
        expect((await ask(`/api/${list}/?${query}`)).status, query).toBe(400);
      }
    }
  });
});

describe("one collection", () => {
  it("is found by its short name in any case, by entity and name, and by id", async () => {
    const path = `${alice.username}/tools`;
    const names = ["tools", "TOOLS", "tools/", path, `${path}/`, encodeURIComponent(path)].map(
      (n) => `collection/${n}`,
    );
    for (const name of [...names, `collections/${open.collectionId}`, `collections/${open.collectionId}/`]) {
      expect((await askJson<Collection>(`/api/${name}`)).id, name).toBe(open.collectionId);
    }
    expect((await askJson<Collection>(`/api/collection/${bob.username}/tools`)).id).toBe(second.collectionId);
  });

  it("is {} by name and 404 by id where it is hidden or absent, the one as the other", async () => {
    for (const token of [null, bob.token]) {
      for (const name of ["secret", `${alice.username}/secret`, "absent", "%00", "a%2Fb%2Fc"]) {
        const response = await ask(`/api/collection/${name}`, { token });
        expect([response.status, await response.json()], name).toEqual([200, {}]);
      }
      for (const id of [hidden.collectionId, "absent"]) {
        const response = await ask(`/api/collections/${id}/`, { token });
        expect([response.status, await response.json()], id).toMatchObject([404, { detail: "Not found." }]);
      }
    }
    expect(await askJson<Collection>("/api/collection/secret", { token: alice.token })).toMatchObject({
      name: "secret",
    });
  });

  it("is searched by a part of its name, among what the actor may see, and answers a list", async () => {
    const search = async (text: string, token: string | null = null) =>
      (await askJson<Collection[]>(`/api/collection/search/${text}`, { token })).map(({ id }) => id).sort();
    expect(await search("OOL")).toEqual([open.collectionId, second.collectionId].sort());
    expect(await search(alice.username)).toEqual([open.collectionId]);
    expect(await search("ecre")).toEqual([]);
    expect(await search("ecre", alice.token)).toEqual([hidden.collectionId]);
    expect(await search("%25")).toEqual([]);
  });
});

describe("the list of containers", () => {
  it("has an item for each tag of a published image, with what is short of its metadata", async () => {
    const { count, results } = await askJson<Pages<Item>>("/api/containers/");
    expect(count).toBe(3);
    expect(results.find(({ id }) => id === `${open.containerId}:v1`)).toEqual({
      id: `${open.containerId}:v1`,
      name: "app",
      tag: "v1",
      add_date: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      metrics: { size_mb: expect.any(Number) },
      version: open.digest,
      frozen: false,
      metadata: {
        labels: { org: "lab" },
        size_mb: expect.any(Number),
        arch: "amd64",
        signed: false,
        encrypted: false,
        inspection: "done",
      },
      collection: "tools",
      arch: "amd64",
      size: expect.any(Number),
    });
    const failed = results.find(({ id }) => id === `${second.containerId}:v1`);
    expect(failed?.metadata.inspection).toBe("failed: it is odd");
    const all = await askJson<Pages<Item>>("/api/containers.json", { token: alice.token });
    expect(all.count).toBe(4);
    expect(all.results.find(({ collection }) => collection === "secret")?.metadata.inspection).toBe("pending");
  });

  it("answers one by its id with all of its metadata, and 404 alike for what is hidden and what is absent", async () => {
    const item = await askJson<Item>(`/api/containers/${open.containerId}:V2/`);
    expect(item).toMatchObject({ tag: "V2", version: open.digest });
    expect(item.metadata).toEqual({
      deffile: "Bootstrap: docker\n",
      runscript: "exec app",
      test: null,
      environment: { "90-environment.sh": "A=1" },
      startscript: null,
      helpfile: null,
      apps: { x: {} },
      labels: { org: "lab" },
      size_mb: expect.any(Number),
      arch: "amd64",
      signed: false,
      encrypted: false,
      inspection: "done",
    });
    expect((await ask(`/api/containers/${encodeURIComponent(item.id)}.json`)).status).toBe(200);
    for (const id of [`${hidden.containerId}:v1`, `${open.containerId}:v2`, open.containerId, "x", ":"]) {
      expect((await ask(`/api/containers/${id}/`)).status, id).toBe(404);
    }
  });

  it("says that it is frozen where the tag or its image is", async () => {
    await setFrozen(testContext(), operator, parseImageReference(`${alice.username}/tools/app:v1`), "amd64", true);
    const items = await askJson<(Item & { frozen: boolean })[]>("/api/container/search/collection/tools/name/app");
    expect(items.map(({ tag, frozen }) => [tag, frozen])).toEqual([
      ["V2", false],
      ["v1", true],
    ]);
    await setFrozen(testContext(), operator, parseImageReference(`${alice.username}/tools/app:v1`), "amd64", false);
  });

  it("has one item for a tag of several architectures: amd64's, else the newest", async () => {
    const path = `${alice.username}/arches/app`;
    const [amd, arm] = [makeSif({ salt: "amd" }), makeSif({ salt: "arm", archCode: "04" })];
    const armPushed = await push(alice.token, `${path}:both,arm`, arm, { arch: "arm64" });
    const amdPushed = await push(alice.token, `${path}:both`, amd);
    const items = await askJson<Item[]>("/api/container/search/collection/arches/name/app");
    expect(items.map(({ tag, version, arch }) => [tag, version, arch])).toEqual([
      ["arm", armPushed.digest, "arm64"],
      ["both", amdPushed.digest, "amd64"],
    ]);
  });
});

describe("the container searches", () => {
  const forms = (collection: string) => [
    "name/app",
    "name/app/tag/v1",
    `collection/${collection}/name/app`,
    `collection/${collection}/name/app/tag/v1`,
  ];

  it("answer lists by exact names in any case, with and without the last slash", async () => {
    const ids = async (form: string) =>
      (await askJson<Item[]>(`/api/container/search/${form}`)).map(({ id }) => id).sort();
    const mine = [`${open.containerId}:V2`, `${open.containerId}:v1`];
    for (const form of [
      "collection/tools/name/app",
      "collection/TOOLS/name/App/",
      `collection/${alice.username}/tools/name/app`,
    ]) {
      expect(await ids(form), form).toEqual(mine);
    }
    expect(await ids("collection/tools/name/app/tag/v2")).toEqual([`${open.containerId}:V2`]);
    expect(await ids(`collection/${bob.username}%2Ftools/name/app/tag/v1/`)).toEqual([`${second.containerId}:v1`]);
    expect(await ids("name/APP/tag/v1")).toEqual([`${open.containerId}:v1`, `${second.containerId}:v1`].sort());
    expect(await ids("name/app")).toEqual(expect.arrayContaining(mine));
    for (const form of ["name/ap", "name/app/tag/v", "collection/tool/name/app"]) expect(await ids(form)).toEqual([]);
  });

  it("hold nothing private for those who may not see it, in any of the four forms", async () => {
    for (const form of forms("secret")) {
      for (const token of [null, bob.token]) {
        const text = JSON.stringify(await askJson<Item[]>(`/api/container/search/${form}`, { token }));
        expect(text, form).not.toContain(hidden.digest);
      }
      const own = JSON.stringify(await askJson<Item[]>(`/api/container/search/${form}`, { token: alice.token }));
      expect(own, form).toContain(hidden.digest);
    }
  });

  it("tell all that was read of the image to those who name one tag", async () => {
    const [item] = await askJson<Item[]>("/api/container/search/collection/tools/name/app/tag/v1");
    expect(item).toMatchObject({ collection: "tools", name: "app", tag: "v1" });
    expect(item?.metadata).toMatchObject({ deffile: "Bootstrap: docker\n", runscript: "exec app" });
  });
});

describe("what else there is under /api", () => {
  it("says which registry this is", async () => {
    const settings = environment({ REGISTRY_NAME: "Lab", REGISTRY_URI: "lab" });
    for (const path of ["/api/registry/identity/", "/api/registry/identity"]) {
      expect(await askJson(path, { env: settings })).toEqual({ name: "Lab", id: "lab", url: ORIGIN });
    }
  });

  it("lists its addresses", async () => {
    for (const path of ["/api", "/api/"]) {
      for (const url of Object.values(await askJson<Record<string, string>>(path))) {
        expect((await ask(url)).status, url).toBe(200);
      }
    }
  });

  it("has no passwords, and says where tokens are, whatever is sent", async () => {
    for (const body of ["", "{", '{"username":"a","password":"b"}', "x".repeat(100_000)]) {
      const response = await ask("/api/api-token-auth/", { method: "POST", body });
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({ non_field_errors: [expect.stringContaining(`${ORIGIN}/auth/tokens`)] });
    }
    for (const path of ["/api/api-auth/login/", "/api/api-auth/logout/", "/api/nothing"]) {
      expect((await ask(path)).status, path).toBe(404);
    }
  });

  it("costs one call of the database for a list or a search, however much it holds", async () => {
    const addresses = ["collections/", "containers/?limit=2", "collection/tools", `collections/${open.collectionId}/`];
    const searches = ["collection/search/tool", "container/search/name/app", "labels/search/", "labels/search/org/key"];
    for (const address of [...addresses, ...searches, "container/search/collection/tools/name/app/tag/v1"]) {
      const { env: watched, counts } = counted();
      expect((await ask(`/api/${address}`, { env: watched })).status, address).toBe(200);
      expect(counts, address).toEqual({ d1: 1, r2: 0, durable: 0 });
    }
  });
});

it("a tag that ends in .json is found by its id", async () => {
  const path = `${alice.username}/${uniqueName("suffix")}`;
  const { containerId } = await push(alice.token, `${path}/tool:v1.json`, makeSif({ salt: path }));
  for (const suffix of ["", "/", ".json"]) {
    expect((await ask(`/api/containers/${containerId}:v1.json${suffix}`)).status, suffix).toBe(200);
  }
});

it("a list stays small, however much one image's labels say and however many tags it has", async () => {
  const path = `${alice.username}/${uniqueName("labelled")}`;
  const { imageId, containerId } = await push(alice.token, `${path}/tool:1`, makeSif({ salt: path }));
  const labels = Object.fromEntries(Array.from({ length: 240 }, (_, n) => [`key${n}`, "x".repeat(4096)]));
  await env.DB.batch([
    env.DB.prepare("DELETE FROM labels WHERE image_id = ?").bind(imageId),
    env.DB.prepare(
      `INSERT INTO labels (image_id, key, value) SELECT ?1, key, value FROM json_each(json_set(?2, '$.a', 'short'))`,
    ).bind(imageId, JSON.stringify(labels)),
    env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
       INSERT INTO tags (container_id, arch, name, image_id, updated_at) SELECT ?1, 'amd64', 't' || i, ?2, 0 FROM n`,
    ).bind(containerId, imageId),
  ]);
  const list = await (await ask("/api/containers/")).text();
  expect(list.length).toBeLessThan(500_000);
  expect(list).toContain('"labels":{"a":"short"}');
  const whole = await (await ask(`/api/containers/${containerId}:t1`)).text();
  expect(whole.length).toBeGreaterThan(900_000);
});

it("with PRIVATE_ONLY every collection is shown as private", async () => {
  const collection = uniqueName("only");
  await push(alice.token, `${alice.username}/${collection}/tool:1`, makeSif({ salt: collection }));
  const of = environment({ PRIVATE_ONLY: "1" });
  expect(await askJson(`/api/collection/${collection}`, { token: alice.token, env: of })).toMatchObject({
    private: true,
  });
});
