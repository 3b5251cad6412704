import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import {
  deleteCollection,
  freeName,
  giveShortName,
  setMember,
  setVisibility,
} from "../../worker/registry/catalog/manage.ts";
import { setDisabled } from "../../worker/registry/people/users.ts";
import { makeSif } from "../support/make-sif.ts";
import { observed } from "../support/worker/calls.ts";
import {
  ask,
  askJson,
  environment,
  indexed,
  newPerson,
  newTokenFor,
  type Person,
  pull,
  push,
  register,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";

type Listed = { collections: { name: string; entityName: string }[] };

describe("a private collection", () => {
  let owner: Person;
  let stranger: Person;
  let path: string;
  let pushed: Awaited<ReturnType<typeof push>>;
  const bytes = makeSif({ salt: "private" });

  beforeAll(async () => {
    owner = await newPerson("owner");
    stranger = await newPerson("stranger");
    path = `${owner.username}/${uniqueName("secret")}/app`;
    pushed = await push(owner.token, `${path}:v1`, bytes, { private: true });
  });

  it("is pulled by its owner, by members, and by administrators", async () => {
    const [reader, admin] = [await newPerson("reader"), await newPerson("admin", { role: "admin" })];
    const [entity = "", name = ""] = path.split("/");
    await setMember(testContext(), operator, { entity, name }, reader.username, "reader");
    for (const person of [owner, reader, admin]) expect(await pull(`${path}:v1`, person.token)).toEqual(bytes);
  });

  it("looks to everybody else exactly as if it were not there", async () => {
    const [entity = "", name = ""] = path.split("/");
    const nowhere = `${entity}/${uniqueName("nowhere")}/app`;
    const nobody = uniqueName("nobody");
    const pairs: [string, string, RequestInit?][] = [
      [`/v1/images/${path}:v1`, `/v1/images/${nowhere}:v1`],
      [`/v1/images/${path}:${pushed.digest}`, `/v1/images/${nowhere}:${pushed.digest}`],
      [`/v1/imagefile/${path}:v1`, `/v1/imagefile/${nowhere}:v1`],
      [`/v1/collections/${entity}/${name}`, `/v1/collections/${entity}/${uniqueName("nothing")}`],
      [`/v1/containers/${path}`, `/v1/containers/${nowhere}`],
      [`/v1/entities/${entity}`, `/v1/entities/${nobody}`],
      [`/v2/tags/${pushed.containerId}`, `/v2/tags/${crypto.randomUUID()}`],
      [`/v1/tags/${pushed.containerId}`, `/v1/tags/${crypto.randomUUID()}`],
    ];
    for (const token of [null, stranger.token]) {
      for (const [hidden, absent] of pairs) {
        const [one, other] = [await ask(hidden, { token }), await ask(absent, { token })];
        expect([one.status, await one.text()], hidden).toEqual([other.status, await other.text()]);
        expect(one.status, hidden).toBe(404);
      }
    }
  });

  it("cannot be written to by strangers, through any id, who are told and kept waiting as if it were not there", async () => {
    const { data } = await askJson<{ data: { id: string } }>(`/v1/entities/${owner.username}`, { token: owner.token });
    type Ids = Record<"entityId" | "collectionId" | "containerId" | "imageId" | "path", string>;
    const writes = (ids: Ids): [string, string, Record<string, unknown>?][] => [
      ["POST", "/v1/collections", { name: "x", entity: ids.entityId }],
      ["POST", "/v1/containers", { name: "x", collection: ids.collectionId }],
      ["POST", "/v1/images", { hash: pushed.digest, container: ids.containerId }],
      ["POST", `/v2/imagefile/${ids.imageId}`, { filesize: 1, sha256sum: "" }],
      ["POST", `/v1/imagefile/${ids.imageId}`, { any: "body" }],
      ["PUT", `/v2/imagefile/${ids.imageId}/_complete`, {}],
      ["POST", `/v2/tags/${ids.containerId}`, { Arch: "amd64", Tag: "v1", ImageID: ids.imageId }],
      ["POST", `/v1/tags/${ids.containerId}`, { Tag: "v1", ImageID: ids.imageId }],
      ["DELETE", `/v1/images/${ids.path}:v1`],
      ["DELETE", `/v1/images/${ids.path}:${pushed.digest}`],
    ];
    const seen = async ([method, url, body]: [string, string, Record<string, unknown>?]) => {
      let calls = 0;
      const env = observed(environment(), () => {
        calls++;
      });
      const response = await ask(url, { method, body: body ?? null, token: stranger.token, env });
      return [response.status, await response.text(), calls];
    };
    const id = crypto.randomUUID();
    const absent = writes({
      entityId: id,
      collectionId: id,
      containerId: id,
      imageId: id,
      path: `${owner.username}/x/app`,
    });
    await ask("/v1/token-status", { token: stranger.token });
    for (const [index, write] of writes({ ...pushed, entityId: data.id, path }).entries()) {
      const [hidden, nothing] = [await seen(write), await seen(absent[index] ?? write)];
      expect(hidden, write.join(" ")).toEqual(nothing);
      expect(hidden[0], write.join(" ")).toBe(404);
    }
  });

  it("is no less hidden however its path is written", async () => {
    const encoded = path.replaceAll("/", "%2F");
    const [entity = "", name = ""] = path.split("/");
    const spellings = [
      encoded,
      path.toUpperCase(),
      `${path}/`,
      `/${path}`,
      `./${path}`,
      `x/../${path}`,
      path.replace("/", "//"),
    ];
    for (const spelling of [...spellings, `${entity}/x/%2e%2e/${name}/app`]) {
      for (const route of ["images", "imagefile", "containers"]) {
        const url = `/v1/${route}/${spelling}${route === "containers" ? "" : ":v1"}`;
        for (const token of [null, stranger.token]) expect((await ask(url, { token })).status, url).toBe(404);
      }
    }
  });

  it("shows in nobody else's search or list", async () => {
    const name = path.split("/")[1] ?? "";
    const seen = async (token: string | null) => {
      const { collections } = await askJson<Listed>("/v1/collections", { token });
      const { data } = await askJson<{ data: Record<string, unknown[]> }>(`/v1/search?value=${name}&arch=amd64`, {
        token,
      });
      const found = Object.values(data).reduce((sum, rows) => sum + rows.length, 0);
      return [collections.some((collection) => collection.name === name), found > 0];
    };
    await indexed();
    expect(await seen(owner.token)).toEqual([true, true]);
    expect(await seen(stranger.token)).toEqual([false, false]);
    expect(await seen(null)).toEqual([false, false]);
  });

  it("opens to all when made public, and to signed-in users when made internal", async () => {
    const [entity = "", name = ""] = path.split("/");
    await setVisibility(testContext(), operator, { entity, name }, "internal");
    expect([await pull(`${path}:v1`), await pull(`${path}:v1`, stranger.token)]).toEqual([404, bytes]);
    await setVisibility(testContext(), operator, { entity, name }, "public");
    expect(await pull(`${path}:v1`)).toEqual(bytes);
    await setVisibility(testContext(), operator, { entity, name }, "private");
    expect(await pull(`${path}:v1`)).toBe(404);
  });
});

describe("roles in a collection", () => {
  it("let contributors push but not delete, readers neither, strangers of a public one neither", async () => {
    const owner = await newPerson("owner");
    const path = `${owner.username}/${uniqueName("roles")}/app`;
    const [entity = "", name = ""] = path.split("/");
    await push(owner.token, `${path}:v1`, makeSif({ salt: "roles" }));
    const people = {
      contributor: await newPerson("con"),
      reader: await newPerson("read"),
      stranger: await newPerson("str"),
    };
    await setMember(testContext(), operator, { entity, name }, people.contributor.username, "contributor");
    await setMember(testContext(), operator, { entity, name }, people.reader.username, "reader");
    for (const [role, { token }] of Object.entries(people)) {
      const remove = await ask(`/v1/images/${path}:v1`, { method: "DELETE", token });
      expect(remove.status, role).toBe(403);
      const attempt = push(token, `${path}:${role}`, makeSif({ salt: role }));
      if (role === "contributor") await attempt;
      else await expect(attempt, role).rejects.toThrow(/403/);
    }
    expect((await ask(`/v1/images/${path}:v1`, { method: "DELETE", token: owner.token })).status).toBe(200);
  });

  it("keep users out of other people's entities, with words that say where to push instead", async () => {
    const [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
    for (const name of [alice.username, uniqueName("nobody")]) {
      const response = await ask("/v1/entities", { method: "POST", token: bob.token, body: { name } });
      expect(response.status).toBe(403);
      expect(await response.text()).toContain(`Push to '${bob.username}/`);
    }
    await push(alice.token, `${alice.username}/${uniqueName("open")}/app:v1`, makeSif({ salt: "open" }));
    const { data } = await askJson<{ data: { id: string } }>(`/v1/entities/${alice.username}`, { token: bob.token });
    const body = { name: "mine", entity: data.id };
    expect((await ask("/v1/collections", { method: "POST", token: bob.token, body })).status).toBe(403);
  });
});

describe("a token", () => {
  it("does no more than its scopes, its collection, its time and its user allow", async () => {
    const owner = await newPerson("owner");
    const path = `${owner.username}/${uniqueName("scoped")}/app`;
    const elsewhere = `${owner.username}/${uniqueName("elsewhere")}/app`;
    const [entity = "", name = ""] = path.split("/");
    const bytes = makeSif({ salt: "scoped" });
    await push(owner.token, `${path}:v1`, bytes, { private: true });
    await push(owner.token, `${elsewhere}:v1`, makeSif({ salt: "elsewhere" }), { private: true });
    const pullOnly = await newTokenFor(owner.username, { scopes: ["pull"] });
    const pushOnly = await newTokenFor(owner.username, { scopes: ["push"] });
    const narrow = await newTokenFor(owner.username, { collection: { entity, name } });
    expect(await pull(`${path}:v1`, pullOnly)).toEqual(bytes);
    await expect(push(pullOnly, `${path}:v2`, makeSif({ salt: "no" }))).rejects.toThrow(/403/);
    expect(await pull(`${path}:v1`, pushOnly)).toBe(403);
    await push(pushOnly, `${path}:v2`, makeSif({ salt: "yes" }));
    expect((await ask(`/v1/images/${path}:v2`, { method: "DELETE", token: pushOnly })).status).toBe(403);
    await push(narrow, `${path}:v3`, makeSif({ salt: "narrow" }));
    expect(await pull(`${elsewhere}:v1`, narrow)).toBe(404);
    await expect(push(narrow, `${owner.username}/${uniqueName("new")}/app:v1`, bytes)).rejects.toThrow(/40[34]/);
  });

  it("ends at once when its user is disabled", async () => {
    const person = await newPerson("gone");
    expect((await ask("/v1/token-status", { token: person.token })).status).toBe(200);
    await setDisabled(testContext(), operator, person.username, true);
    expect((await ask("/v1/token-status", { token: person.token })).status).toBe(404);
    expect((await ask("/v1/rbac/users/current", { token: person.token })).status).toBe(401);
  });

  it("is checked however the header is written, and an empty one is nobody's", async () => {
    const person = await newPerson("header");
    const status = async (Authorization: string) =>
      (await ask("/v1/token-status", { headers: { Authorization } })).status;
    expect(await status(`BEARER ${person.token}`)).toBe(200);
    expect(await status(`bearer   ${person.token} `)).toBe(200);
    expect(await status(person.token)).toBe(404);
    expect(await status(`Basic ${person.token}`)).toBe(404);
    for (const Authorization of ["Bearer", "Bearer ", ""]) {
      expect((await ask("/v1/collections", { headers: { Authorization } })).status).toBe(200);
    }
  });
});

describe("settings", () => {
  it("DEFAULT_PRIVATE makes new collections private when the client says nothing of it", async () => {
    const alice = await newPerson("alice");
    const env = environment({ DEFAULT_PRIVATE: "true" });
    const path = `${alice.username}/${uniqueName("default")}/app`;
    await register(alice.token, path, makeSif({ salt: "d" }), { env });
    expect((await ask(`/v1/containers/${path}`)).status).toBe(404);
  });

  it("PRIVATE_ONLY makes everything private, what was public before too", async () => {
    const alice = await newPerson("alice");
    const env = environment({ PRIVATE_ONLY: "true" });
    const path = `${alice.username}/${uniqueName("public")}/app`;
    await push(alice.token, `${path}:v1`, makeSif({ salt: "p" }));
    expect((await ask(`/v1/images/${path}:v1`, { env })).status).toBe(404);
    expect((await ask(`/v1/images/${path}:v1`, { env, token: alice.token })).status).toBe(200);
    expect((await askJson<Listed>("/v1/collections", { env })).collections).toEqual([]);
    const fresh = `${alice.username}/${uniqueName("fresh")}/app`;
    await register(alice.token, fresh, makeSif({ salt: "q" }), { env });
    expect((await ask(`/v1/containers/${fresh}`)).status).toBe(404);
    const [entity = "", name = ""] = path.split("/");
    await expect(setVisibility(testContext(env), operator, { entity, name }, "public")).rejects.toMatchObject({
      code: "private-only",
    });
  });

  it("USER_COLLECTIONS=false leaves creating collections to administrators", async () => {
    const env = environment({ USER_COLLECTIONS: "false" });
    const [alice, admin] = [await newPerson("alice"), await newPerson("admin", { role: "admin" })];
    const existing = `${alice.username}/${uniqueName("existing")}/app`;
    await push(alice.token, `${existing}:v1`, makeSif({ salt: "e" }));
    const attempt = register(alice.token, `${alice.username}/${uniqueName("new")}/app`, makeSif({ salt: "n" }), {
      env,
    });
    await expect(attempt).rejects.toThrow(/403.*only administrators/);
    await register(alice.token, existing, makeSif({ salt: "f" }), { env });
    await register(admin.token, `${admin.username}/${uniqueName("new")}/app`, makeSif({ salt: "g" }), { env });
  });

  it("USER_COLLECTION_LIMIT refuses one collection more, also to two requests at once", async () => {
    const env = environment({ USER_COLLECTION_LIMIT: "2" });
    const alice = await newPerson("alice");
    const { data } = await askJson<{ data: { id: string } }>(`/v1/entities/${alice.username}`, { token: alice.token });
    const create = (name: string) =>
      ask("/v1/collections", { method: "POST", token: alice.token, env, body: { name, entity: data.id } });
    expect((await create("one")).status).toBe(201);
    const statuses = (await Promise.all(["two", "three"].map(create))).map((response) => response.status).sort();
    expect(statuses).toEqual([201, 403]);
    expect((await create("one")).status).toBe(201);
  });

  it("DISABLE_BUILDING stops every push path for everyone, and no pull", async () => {
    const env = environment({ DISABLE_BUILDING: "true" });
    const admin = await newPerson("admin", { role: "superuser" });
    const path = `${admin.username}/${uniqueName("frozen")}/app`;
    const bytes = makeSif({ salt: "b" });
    const { collectionId, containerId, imageId, digest } = await push(admin.token, `${path}:v1`, bytes);
    const { data } = await askJson<{ data: { id: string } }>(`/v1/entities/${admin.username}`, { token: admin.token });
    const writes: [string, string, Record<string, unknown>][] = [
      ["POST", "/v1/collections", { name: "new", entity: data.id }],
      ["POST", "/v1/containers", { name: "new", collection: collectionId }],
      ["POST", "/v1/images", { hash: digest, container: containerId }],
      ["POST", `/v2/imagefile/${imageId}`, { filesize: 1, sha256sum: "" }],
      ["POST", `/v1/imagefile/${imageId}`, { any: "body" }],
      ["PUT", `/v2/imagefile/${imageId}/_complete`, {}],
      ["POST", `/v2/tags/${containerId}`, { Arch: "amd64", Tag: "v2", ImageID: imageId }],
      ["POST", `/v1/tags/${containerId}`, { Tag: "v2", ImageID: imageId }],
    ];
    for (const [method, url, body] of writes) {
      const response = await ask(url, { method, body, env, token: admin.token });
      expect([response.status, await response.text()], url).toEqual([403, expect.stringContaining("no pushes")]);
    }
    expect((await ask(`/v1/imagefile/${path}:v1`, { env })).status).toBe(303);
  });

  it("API_REQUIRE_AUTH asks for a token on every read, except where clients send none", async () => {
    const env = environment({ API_REQUIRE_AUTH: "true" });
    const alice = await newPerson("alice");
    const path = `${alice.username}/${uniqueName("auth")}/app`;
    const { containerId } = await push(alice.token, `${path}:v1`, makeSif({ salt: "auth" }));
    const reads = [
      `/v1/images/${path}:v1`,
      `/v1/imagefile/${path}:v1`,
      `/v1/containers/${path}`,
      `/v1/collections/${path.split("/").slice(0, 2).join("/")}`,
      `/v1/entities/${alice.username}`,
      "/v1/collections",
      "/v1/search?value=auth",
      `/v2/tags/${containerId}`,
      `/v1/images/${alice.username}/nowhere/app:v1`,
    ];
    for (const url of reads) {
      expect((await ask(url, { env })).status, url).toBe(401);
      const expected = url.includes("nowhere") ? 404 : url.includes("imagefile") ? 303 : 200;
      expect((await ask(url, { env, token: alice.token })).status, url).toBe(expected);
    }
    for (const url of ["/version", "/assets/config/config.prod.json", "/api/v1/site"]) {
      expect((await ask(url, { env })).status, url).toBe(200);
    }
  });

  it("PUBLIC_ORIGIN is in every absolute URL, and without it only loopback is answered with one", async () => {
    const env = environment({ PUBLIC_ORIGIN: "https://registry.example.org" });
    const { libraryAPI } = await askJson<{ libraryAPI: { uri: string } }>("/assets/config/config.prod.json", { env });
    expect(libraryAPI.uri).toBe("https://registry.example.org");
    const url = "http://evil.example/assets/config/config.prod.json";
    expect((await ask(url)).status).toBe(421);
    expect(
      (await ask(url, { headers: { "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https" } })).status,
    ).toBe(421);
    const behindProxy = environment({ TRUST_PROXY: "1" });
    const forwarded = await ask(url, {
      env: behindProxy,
      headers: { "X-Forwarded-Host": "r.example.org", "X-Forwarded-Proto": "https" },
    });
    expect(await forwarded.text()).toContain("https://r.example.org");
  });

  it("that are wrong stop everything that needs them, and tell the client nothing of them", async () => {
    const response = await ask("/v1/collections", {
      env: environment({ DEFAULT_PRIVATE: "perhaps", SIGNING_SECRET: "short" }),
    });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toMatch(/perhaps|SIGNING|short/);
  });
});

describe("names", () => {
  it("of entities that look like one in ASCII are refused, also to administrators", async () => {
    const { token } = await newPerson("admin", { role: "admin" });
    const body = { name: `\u212Aelvin-${uniqueName("x")}` };
    expect((await ask("/v1/entities", { method: "POST", token, body })).status).toBe(400);
  });

  it("belong to the first collection as short names, and are kept when it is deleted until they are freed", async () => {
    const [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
    const name = uniqueName("short");
    const [first, second] = [makeSif({ salt: "first" }), makeSif({ salt: "second" })];
    await push(alice.token, `${alice.username}/${name}/app:v1`, first);
    await push(bob.token, `${bob.username}/${name}/app:v1`, second);
    expect(await pull(`${name}/app:v1`)).toEqual(first);
    await deleteCollection(testContext(), operator, { entity: alice.username, name });
    expect(await pull(`${name}/app:v1`)).toBe(404);
    await expect(push(alice.token, `${alice.username}/${name}/app:v1`, first)).rejects.toThrow(/409.*taken/);
    await freeName(testContext(), operator, "collection", `${alice.username}/${name}`);
    await push(alice.token, `${alice.username}/${name}/app:v1`, first);
    expect(await pull(`${name}/app:v1`)).toBe(404);
    await freeName(testContext(), operator, "short-name", name);
    await giveShortName(testContext(), operator, { entity: bob.username, name }, name);
    expect(await pull(`${name}/app:v1`)).toEqual(second);
  });

  it("of one part mean the collection an administrator named 'library', which nobody can claim", async () => {
    const alice = await newPerson("alice");
    const bytes = makeSif({ salt: "library" });
    await push(alice.token, `${alice.username}/library/alpine:v1`, bytes);
    expect(await pull("alpine:v1")).toBe(404);
    await giveShortName(testContext(), operator, { entity: alice.username, name: "library" }, "library");
    expect(await pull("alpine:v1")).toEqual(bytes);
  });

  it("go only to administrators with SHORT_NAMES_ADMIN_ONLY", async () => {
    const alice = await newPerson("alice");
    const env = environment({ SHORT_NAMES_ADMIN_ONLY: "true" });
    const name = uniqueName("claimed");
    await register(alice.token, `${alice.username}/${name}/app`, makeSif({ salt: "s" }), { env });
    expect((await ask(`/v1/containers/${name}/app`)).status).toBe(404);
    expect((await ask(`/v1/containers/${alice.username}/${name}/app`)).status).toBe(200);
  });
});
