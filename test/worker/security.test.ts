import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { newToken } from "../../worker/access/credentials.ts";
import { makeSif } from "../support/make-sif.ts";
import { MultipartClient } from "../support/worker/multipart.ts";
import {
  type Ask,
  ask,
  environment,
  newPerson,
  newTokenFor,
  type Person,
  push,
  register,
  testContext,
} from "../support/worker/registry.ts";

/*
 * What every route that changes something must withstand. A route is added to the table below; a test
 * at the end holds the table against the routes that there are.
 */

interface World {
  alice: Person;
  bob: Person;
  expired: string;
  entityId: string;
  collectionId: string;
  containerId: string;
  imageId: string;
  pendingImageId: string;
  /** Uploads in parts of the pending image. */
  uploadID: string;
  abortableUploadID: string;
  digest: string;
}

interface Route {
  name: string;
  method: string;
  url: (world: World) => string;
  /** A body that its owner may send; null for none. */
  body: ((world: World) => Record<string, unknown>) | null;
  /** The fields in the body that hold names or texts. */
  texts: string[];
  /** The status its owner gets, the first time and again. */
  ok: [number, number];
}

const routes: Route[] = [
  {
    name: "POST /v1/entities",
    method: "POST",
    url: () => "/v1/entities",
    body: ({ alice }) => ({ name: alice.username }),
    texts: ["name"],
    ok: [201, 201],
  },
  {
    name: "POST /v1/collections",
    method: "POST",
    url: () => "/v1/collections",
    body: ({ entityId }) => ({ name: "made-here", entity: entityId }),
    texts: ["name", "entity", "description"],
    ok: [201, 201],
  },
  {
    name: "POST /v1/containers",
    method: "POST",
    url: () => "/v1/containers",
    body: ({ collectionId }) => ({ name: "made-here", collection: collectionId }),
    texts: ["name", "collection", "description"],
    ok: [201, 201],
  },
  {
    name: "POST /v1/images",
    method: "POST",
    url: () => "/v1/images",
    body: ({ containerId }) => ({ hash: `sha256.${"1".repeat(64)}`, container: containerId }),
    texts: ["hash", "container", "description"],
    ok: [201, 201],
  },
  {
    name: "POST /v2/imagefile/:image",
    method: "POST",
    url: ({ pendingImageId }) => `/v2/imagefile/${pendingImageId}`,
    body: () => ({ filesize: 100, sha256sum: "" }),
    texts: ["filesize", "sha256sum"],
    ok: [200, 200],
  },
  {
    name: "PUT /v2/imagefile/:image/_complete",
    method: "PUT",
    url: ({ pendingImageId }) => `/v2/imagefile/${pendingImageId}/_complete`,
    body: () => ({}),
    texts: [],
    ok: [409, 409],
  },
  {
    name: "POST /v2/imagefile/:image/_multipart",
    method: "POST",
    url: ({ pendingImageId }) => `/v2/imagefile/${pendingImageId}/_multipart`,
    body: () => ({ filesize: 100 }),
    texts: ["filesize"],
    ok: [200, 200],
  },
  {
    name: "PUT /v2/imagefile/:image/_multipart",
    method: "PUT",
    url: ({ pendingImageId }) => `/v2/imagefile/${pendingImageId}/_multipart`,
    body: ({ uploadID }) => ({ uploadID, partNumber: 1, partSize: 100, sha256sum: "" }),
    texts: ["uploadID", "partNumber"],
    ok: [200, 200],
  },
  {
    name: "PUT /v2/imagefile/:image/_multipart_complete",
    method: "PUT",
    url: ({ pendingImageId }) => `/v2/imagefile/${pendingImageId}/_multipart_complete`,
    body: ({ uploadID }) => ({ uploadID, completedParts: [{ partNumber: 1, token: '"none"' }] }),
    texts: ["uploadID", "completedParts"],
    ok: [400, 400],
  },
  {
    name: "PUT /v2/imagefile/:image/_multipart_abort",
    method: "PUT",
    url: ({ pendingImageId }) => `/v2/imagefile/${pendingImageId}/_multipart_abort`,
    body: ({ abortableUploadID }) => ({ uploadID: abortableUploadID }),
    texts: ["uploadID"],
    ok: [200, 200],
  },
  {
    name: "POST /v1/imagefile/:image",
    method: "POST",
    url: ({ pendingImageId }) => `/v1/imagefile/${pendingImageId}`,
    body: null,
    texts: [],
    ok: [411, 411],
  },
  {
    name: "POST /v1/tags/:container",
    method: "POST",
    url: ({ containerId }) => `/v1/tags/${containerId}`,
    body: ({ imageId }) => ({ Tag: "again", ImageID: imageId }),
    texts: ["Tag", "ImageID"],
    ok: [200, 200],
  },
  {
    name: "POST /v2/tags/:container",
    method: "POST",
    url: ({ containerId }) => `/v2/tags/${containerId}`,
    body: ({ imageId }) => ({ Arch: "amd64", Tag: "again", ImageID: imageId }),
    texts: ["Tag", "ImageID", "Arch"],
    ok: [200, 200],
  },
  {
    name: "DELETE /v1/images/:reference",
    method: "DELETE",
    url: ({ alice }) => `/v1/images/${alice.username}/secured/app:expendable`,
    body: null,
    texts: [],
    ok: [200, 404],
  },
  {
    name: "PUT /api/v1/containers/:entity/:collection/:container/topics/:topic",
    method: "PUT",
    url: ({ alice }) => `/api/v1/containers/${alice.username}/secured/app/topics/added`,
    body: null,
    texts: [],
    ok: [204, 204],
  },
  {
    name: "DELETE /api/v1/containers/:entity/:collection/:container/topics/:topic",
    method: "DELETE",
    url: ({ alice }) => `/api/v1/containers/${alice.username}/secured/app/topics/expendable`,
    body: null,
    texts: [],
    ok: [204, 404],
  },
];

const nastyTexts: unknown[] = [
  "",
  "..",
  "../../etc/passwd",
  "a/b",
  "a//b",
  ".hidden",
  "-dash",
  "UPPER lower",
  "ünïcödé",
  "\u0000",
  "a\nb",
  "'; DROP TABLE users; --",
  "%2e%2e%2f",
  "x".repeat(300),
  "x".repeat(5000),
  null,
  0,
  -1,
  1.5,
  1e308,
  true,
  [],
  {},
];

/** Fit for some fields, and a trap for careless code in any. */
const oddTexts = ["__proto__", "a..b", "constructor", "tostring", "null", "0", "-0"];

const malformedBodies = [
  "",
  "{",
  "null",
  "[]",
  "0",
  '"text"',
  "{}",
  '{"name":',
  "\u0000\u0001",
  '{"__proto__":{"a":1}}',
];

let world: World;

beforeAll(async () => {
  const [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
  const path = `${alice.username}/secured/app`;
  const pushed = await push(alice.token, `${path}:v1`, makeSif({ salt: "secured" }), { private: true });
  const pending = await register(alice.token, path, makeSif({ salt: "pending" }));
  const expired = await newTokenFor(alice.username);
  await env.DB.prepare("UPDATE tokens SET expires_at = ? WHERE hint = ?")
    .bind(Date.now() - 1, expired.slice(-6))
    .run();
  const entity = (await (await ask("/v1/entities", { token: alice.token })).json()) as { data: { id: string } };
  const start = async () =>
    (await new MultipartClient(alice.token, pending, new Uint8Array(100), environment()).start()).uploadID;
  const uploads = { uploadID: await start(), abortableUploadID: await start() };
  world = { alice, bob, expired, entityId: entity.data.id, pendingImageId: pending.imageId, ...pushed, ...uploads };
});

/** Everything there is, but for who used which token when and what was refused in the log. */
async function snapshot(): Promise<string> {
  const tables = [
    "users",
    "entities",
    "collections",
    "containers",
    "images",
    "tags",
    "topics",
    "wanted_tags",
    "blobs",
    "uploads",
    "jobs",
    "discarded_objects",
  ];
  const rows = await env.DB.batch(tables.map((table) => env.DB.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`)));
  const objects = await env.BLOBS.list();
  return JSON.stringify([rows.map((result) => result.results), objects.objects.map((object) => object.key)]);
}

/** Sends it and checks what must hold for any answer. */
async function send(route: Route, options: Ask): Promise<Response> {
  const response = await ask(route.url(world), { method: route.method, ...options });
  const text = await response.clone().text();
  expect(response.status, `${route.name}: ${text}`).toBeLessThan(500);
  if (response.status >= 400) {
    expect(text, route.name).not.toMatch(/SQLITE|D1_|Error:|at \w+ \(|zod|drizzle|stack/i);
    const answer = JSON.parse(text) as { error: unknown; status: unknown; title: unknown };
    const isProblem = response.headers.get("Content-Type") === "application/problem+json";
    const error = isProblem ? { code: answer.status, message: answer.title } : answer.error;
    expect(error, route.name).toEqual({ code: response.status, message: expect.stringMatching(/\S/) });
  }
  return response;
}

/** What is deleted has to be there. */
async function prepare({ method }: Route): Promise<void> {
  if (method !== "DELETE") return;
  const { token, username } = world.alice;
  await push(token, `${username}/secured/app:expendable`, makeSif({ salt: "expendable" }));
  await ask(`/api/v1/containers/${username}/secured/app/topics/expendable`, { method: "PUT", token });
}

/** The options for a request its owner may make. */
function good(route: Route): Ask {
  return route.body === null ? {} : { body: route.body(world) };
}

describe.each(routes)("$name", (route) => {
  it("changes nothing without a credential that is good for it", async () => {
    await prepare(route);
    const before = await snapshot();
    const expectations: [string, Ask, number[]][] = [
      ["anonymous", {}, [401]],
      ["an empty bearer", { headers: { Authorization: "Bearer " } }, [401]],
      ["garbage", { token: "garbage" }, [401]],
      ["a well-formed token nobody has", { token: newToken() }, [401]],
      ["another scheme", { headers: { Authorization: "Basic YTpi" } }, [401]],
      ["an expired token", { token: world.expired }, [401]],
      // 410 where clients misread a 404.
      ["another user", { token: world.bob.token }, [403, 404, 410]],
      ["a token that may only pull", { token: await newTokenFor(world.alice.username, { scopes: ["pull"] }) }, [403]],
    ];
    for (const [who, options, statuses] of expectations) {
      const response = await send(route, { ...good(route), ...options });
      if (route.name === "POST /v1/entities" && who === "a token that may only pull") continue;
      expect(statuses, `${route.name} as ${who}`).toContain(response.status);
    }
    expect(await snapshot()).toBe(before);
  });

  it("refuses malformed bodies, and changes nothing", async () => {
    if (route.body === null) return;
    const before = await snapshot();
    const token = world.alice.token;
    for (const body of malformedBodies) {
      const response = await send(route, { token, body });
      // `{}` is what `_complete` takes.
      const isTaken = route.texts.length === 0 && body.startsWith("{") && body.endsWith("}");
      if (!isTaken) expect(response.status, `${route.name} ${body}`).toBe(400);
    }
    for (const field of route.texts) {
      for (const value of nastyTexts) {
        const isUnset = value === null || value === "";
        const response = await send(route, { token, body: { ...route.body(world), [field]: value } });
        if (!isUnset && field !== "description" && field !== "filesize") {
          expect([400, 403, 404, 410], `${route.name} ${field}=${JSON.stringify(value)}`).toContain(response.status);
        }
      }
    }
    if (!route.texts.some((field) => ["description", "filesize", "sha256sum"].includes(field))) {
      expect(await snapshot()).toBe(before);
    }
    for (const field of route.texts) {
      for (const value of oddTexts) await send(route, { token, body: { ...route.body(world), [field]: value } });
    }
  });

  it("refuses ten megabytes of JSON, and changes nothing", async () => {
    if (route.body === null) return;
    const before = await snapshot();
    const body = JSON.stringify({ ...route.body(world), filler: "x".repeat(10_000_000) });
    const announced = await send(route, { token: world.alice.token, body });
    const length = String(100);
    const lying = await send(route, { token: world.alice.token, body, headers: { "Content-Length": length } });
    expect([announced.status, lying.status]).toEqual([413, 413]);
    expect(await snapshot()).toBe(before);
  });

  it("answers the same to a call that is repeated, and to two at once", async () => {
    const { token } = world.alice;
    await prepare(route);
    const [first, again] = route.ok;
    const two = await Promise.all([send(route, { ...good(route), token }), send(route, { ...good(route), token })]);
    expect(two.map((response) => response.status).sort()).toEqual([first, again].sort());
    expect((await send(route, { ...good(route), token })).status).toBe(again);
  });
});

describe("the table above", () => {
  it("has every route of the library protocol and of topics that changes something", async () => {
    const { catalog } = await import("../../worker/protocols/library/catalog.ts");
    const { images } = await import("../../worker/protocols/library/images.ts");
    const { topicOperations } = await import("../../worker/protocols/web/topics.ts");
    const topics = topicOperations.map(({ description: { method, path } }) => ({
      method: method.toUpperCase(),
      path: path.replaceAll(/\{(\w+)\}/g, ":$1"),
    }));
    const mutating = [...catalog.routes, ...images.routes, ...topics]
      .filter(({ method }) => !["GET", "HEAD", "ALL"].includes(method))
      .map(({ method, path }) => `${method} ${path.replace(/\{.*\}$/, "")}`);
    expect(routes.map((route) => route.name).sort()).toEqual([...new Set(mutating)].sort());
  });
});

describe("secrets", () => {
  it("stand nowhere in the database as they are given out", async () => {
    const { token } = world.alice;
    const tables = await env.DB.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
    ).all<{ name: string }>();
    for (const { name } of tables.results) {
      const { results } = await env.DB.prepare(`SELECT * FROM "${name}"`).all();
      const text = JSON.stringify(results);
      expect(text.includes(token) || text.includes(token.slice(5, 60)), name).toBe(false);
      expect(text.includes(testContext().settings.SIGNING_SECRET), name).toBe(false);
    }
  });
});
