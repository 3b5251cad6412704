import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { containers } from "../../worker/protocols/sregistry/containers.ts";
import { pushes } from "../../worker/protocols/sregistry/push.ts";
import { makeSif } from "../support/make-sif.ts";
import { formBody, formParts, formType, namesOf } from "../support/sregistry-client.ts";
import { counted, observed } from "../support/worker/calls.ts";
import { type Ask, ask, environment, newTokenFor, push, uniqueName } from "../support/worker/registry.ts";
import { newSigner, type SregistryUser, sregistryPush } from "../support/worker/sregistry.ts";

/*
 * What every route of sregistry's protocol that changes something must withstand; and what its routes cost.
 */

let alice: SregistryUser;
let bob: SregistryUser;
let name: string;

beforeAll(async () => {
  [alice, bob] = [await newSigner("alice"), await newSigner("bob")];
  name = `${uniqueName("secured")}/tool:1`;
  await sregistryPush(alice, name, makeSif({ salt: name }));
});

interface Route {
  name: string;
  ask: () => [string, Ask];
}

const question = (): Ask => {
  const { collection, container, tag } = namesOf(name);
  return { method: "POST", body: { collection, name: container, tag } };
};

const form = (): Ask => {
  const { collection } = namesOf(name);
  const body = formBody(formParts("", collection, namesOf(name), makeSif({ salt: "another" })));
  return { method: "POST", body, headers: { "Content-Type": formType() } };
};

const routes: Route[] = [
  ...[
    "/api/upload/chunked_upload",
    "/api/upload/chunked_upload/",
    "/upload/chunked_upload",
    "/upload/chunked_upload/",
  ].map((path): Route => ({ name: `POST ${path}`, ask: () => [path, question()] })),
  { name: "POST /upload", ask: () => ["/upload", form()] },
  { name: "DELETE /api/container/:reference", ask: () => [`/api/container/${name}`, { method: "DELETE" }] },
  { name: "DELETE /container/:reference", ask: () => [`/container/${name}`, { method: "DELETE" }] },
  {
    name: "DELETE /:entity/api/container/:reference",
    ask: () => [`/${alice.username}/api/container/${name}`, { method: "DELETE" }],
  },
];

async function snapshot(): Promise<string> {
  const tables = ["collections", "containers", "images", "tags", "blobs", "uploads", "jobs", "used_signatures"];
  const rows = await env.DB.batch(tables.map((table) => env.DB.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`)));
  const objects = await env.BLOBS.list();
  return JSON.stringify([rows.map((result) => result.results), objects.objects.map((object) => object.key)]);
}

describe.each(routes)("$name", (route) => {
  it("changes nothing without a credential that is good for it, and says so in words", async () => {
    const before = await snapshot();
    const [url, options] = route.ask();
    const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
    const cases: [string, Record<string, string>, number[]][] = [
      ["anonymous", {}, [403]],
      ["an empty bearer", { Authorization: "Bearer " }, [403]],
      ["garbage", bearer("garbage"), [401]],
      ["another scheme", { Authorization: "Basic YTpi" }, [401]],
      ["a key as a token", bearer(alice.key), [401]],
      ["another user", bearer(bob.token), [403]],
      ["a token that may only pull", bearer(await newTokenFor(alice.username, { scopes: ["pull"] })), [403]],
    ];
    for (const [who, headers, statuses] of cases) {
      const answer = await ask(url, { ...options, headers: { ...options.headers, ...headers } });
      expect(statuses, who).toContain(answer.status);
      const said = (await answer.json()) as Record<string, string>;
      expect(said.detail).toMatch(/\S/);
      expect(JSON.stringify(said)).not.toMatch(/SQLITE|D1_|Error:|at \w+ \(|zod|drizzle|stack/i);
    }
    expect(await snapshot()).toBe(before);
  });

  it("never fails on our side, whatever stands in the body", async () => {
    const [url, options] = route.ask();
    for (const body of [
      "",
      "{",
      "null",
      "[]",
      '{"collection":1}',
      '{"collection":"a/b/c","name":"x"}',
      "x".repeat(100_000),
    ]) {
      const method = options.method ?? "POST";
      const answer = await ask(url, { method, body: method === "DELETE" ? null : body, token: bob.token });
      expect(answer.status, body.slice(0, 20)).toBeGreaterThanOrEqual(400);
      expect(answer.status, body.slice(0, 20)).toBeLessThan(500);
    }
  });
});

it("the table above has every route that changes something", () => {
  const mutating = [...containers.routes, ...pushes.routes]
    .filter(({ method }) => !["GET", "HEAD", "ALL"].includes(method))
    .map(({ method, path }) => `${method} ${path.replace(/\{.*\}$/, "")}`);
  expect(routes.map((route) => route.name).sort()).toEqual([...new Set(mutating)].sort());
});

describe("round trips", () => {
  const countsOf = async (url: string, options: Ask = {}) => {
    const { env: of, counts } = counted();
    const answer = await ask(url, { ...options, env: of });
    await answer.arrayBuffer();
    return { status: answer.status, ...counts };
  };

  it("are one for a manifest, two with a credential, whether it is there, hidden or absent", async () => {
    const hidden = `${uniqueName("hidden")}/tool:1`;
    await push(alice.token, `${alice.username}/${hidden}`, makeSif({ salt: hidden }), { private: true });
    await ask("/v1/token-status", { token: bob.token });
    for (const [reference, anonymous, known] of [
      [name, 200, 200],
      [hidden, 403, 404],
      ["absent/tool:1", 403, 404],
    ] as const) {
      const url = `/api/container/${reference}`;
      // The meter that counts a pull is told outside the answer.
      const durable = anonymous === 200 ? 1 : 0;
      expect(await countsOf(url), url).toEqual({ status: anonymous, d1: 1, r2: 0, durable });
      expect(await countsOf(url, { token: bob.token }), url).toEqual({ status: known, d1: 2, r2: 0, durable });
    }
  });

  it("are five for publishing a form's image, and one for its job", async () => {
    const [url, options] = [`/upload`, form()];
    await ask("/v1/token-status", { token: alice.token });
    // The credential, the rights, the upload's row, the rights again, and the batch.
    expect(await countsOf(url, { ...options, token: alice.token })).toEqual({ status: 200, d1: 5, r2: 1, durable: 1 });
  });
});

it("every statement of a manifest, a push and a deletion finds its rows by an index", async () => {
  const statements = new Set<string>();
  const watching = observed(environment(), ({ sql }) => {
    for (const text of sql) statements.add(text);
  });
  const fresh = `${uniqueName("planned")}/tool:1`;
  await sregistryPush(alice, fresh, makeSif({ salt: fresh }), { env: watching });
  for (const url of [`/api/container/${fresh}`, `/api/container/${fresh}@${"0".repeat(40)}`])
    await ask(url, { env: watching });
  const remove: Ask = { method: "DELETE", token: alice.token, env: watching };
  expect((await ask(`/api/container/${fresh}`, remove)).status).toBe(204);
  const scans: string[] = [];
  for (const statement of statements) {
    const unbound = statement.replace(/\?\d*/g, "NULL");
    const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${unbound}`).all<{ detail: string }>();
    scans.push(
      ...results.map(({ detail }) => detail).filter((detail) => /^SCAN (?!CONSTANT|json_each|\(subquery)/.test(detail)),
    );
  }
  expect(scans).toEqual([]);
});
