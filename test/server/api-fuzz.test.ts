import { createHash } from "node:crypto";
import { dereference } from "@apidevtools/swagger-parser";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import document from "../../docs/openapi.json" with { type: "json" };
import type { ApiDocument, DocumentedOperation } from "../../scripts/generate/api-document.ts";
import { pushOverHttp } from "../support/http-client.ts";
import { makeSif } from "../support/make-sif.ts";
import { mutationsOf, nastyValues, type Schema, valuesOf } from "../support/schema-values.ts";
import { sessionCookie, signIn } from "../support/server-session.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

/*
 * Whatever is asked of the JSON API, its document says what is answered. Two thirds of the requests are as it wants
 * them, one third is not. FUZZ_SEED and FUZZ_RUNS change which and how many there are; FUZZ_ONLY, the operations.
 */
const seed = Number(process.env.FUZZ_SEED) || 20_261_125;
const numRuns = Number(process.env.FUZZ_RUNS) || 800;
/** On a busy machine fewer are asked, in this time, unless somebody wants a number of them. */
const withinMs = process.env.FUZZ_RUNS ? 600_000 : 20_000;
const only = process.env.FUZZ_ONLY?.split(",");

type Who = "superuser" | "user" | "nobody";

interface Operation {
  method: string;
  path: string;
  operation: DocumentedOperation;
}

interface Sent {
  who: Who;
  /** Its id. */
  operation: string;
  /** By name; a list is sent several times. */
  path: Record<string, unknown>;
  query: Record<string, unknown>;
  ifMatch: string | null;
  /** What is sent as JSON, or a text that is none; undefined for no body. */
  body: { json: unknown } | { text: string } | undefined;
}

const ajv = new Ajv2020({ strict: false, validateSchema: false });
addFormats.default(ajv);

/** What fits by its name; the rest of a registry's things is learned from its answers. */
const known: Record<string, unknown[]> = {
  username: ["alice", "boss", "robot", "nobody"],
  account: ["alice", "boss", "robot", "nobody"],
  owner: ["alice", "boss"],
  entity: ["alice", "lab"],
  team: ["lab"],
  collection: ["tools", "alice/tools"],
  container: ["app"],
  topic: ["known", "Another Topic"],
  q: ["app", "alice tools"],
  // Not those that decide who may ask at all: every answer would be the same from then on.
  name: [
    "REGISTRY_NAME",
    "HELP_CONTACT_EMAIL",
    "DEFAULT_PRIVATE",
    "GOOGLE_ANALYTICS",
    "SIGNING_SECRET",
    "PUBLIC_ORIGIN",
  ],
  action: ["token.", "topic.add"],
};
const image = "alice/tools/app";
const imageBytes = makeSif({ salt: "fuzzed" });
const digest = `sha256.${createHash("sha256").update(imageBytes).digest("hex")}`;

let server: TestServer;
let operations: Map<string, Operation>;
/** Ids of what there is, as answers have told. */
const ids = ["current"];
/** The states of things, as answers have told, by their address. */
const tags = new Map<string, string>();
let token = "";
let session = "";

beforeAll(async () => {
  server = await startTestServer({ REGISTRY_NAME: "" });
  const { paths } = (await dereference(structuredClone(document) as never)) as unknown as ApiDocument;
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const chosen = all.filter(({ operation }) => only?.includes(operation.operationId) ?? true);
  operations = new Map(chosen.map((one) => [one.operation.operationId, one]));
  known.digest = [digest];
  await haveWorld();
});

afterAll(async () => await server?.stop());

/** @returns the secret of its link */
async function makeShare(): Promise<string> {
  const headers = { Authorization: `Bearer ${token}` };
  const url = `${server.url}/api/v1/containers/${image}/images/${digest}/shares`;
  const response = await fetch(url, { method: "POST", headers, body: "{}" });
  const made = (await response.json()) as { url: string };
  return new URL(made.url).pathname.split("/")[2] ?? "";
}

/** Whoever asks is there and may, and so is what they ask for, whatever was done to them. */
async function haveWorld(): Promise<void> {
  const database = await server.miniflare.getD1Database("DB");
  const run = async (sql: string) => await database.prepare(sql).run();
  await run("DELETE FROM tombstones");
  await server.admin("add-user", { username: "alice" }).catch(() => null);
  await server.admin("add-superuser", { username: "boss" }).catch(() => null);
  await server.admin("add-team", { name: "lab", owner: "alice" }).catch(() => null);
  await run(
    "UPDATE users SET disabled_at = NULL, is_superuser = (username = 'boss'), is_admin = 0, quota_bytes = NULL",
  );
  await run("DELETE FROM tokens WHERE name = 'fuzz'");
  await run("DELETE FROM sessions");
  session = await signIn(server, "boss");
  token = (await server.addToken("alice", { name: "fuzz" })).token;
  await haveImage();
}

/** Alice has an image, with a topic and a link to it. */
async function haveImage(): Promise<void> {
  const headers = { Authorization: `Bearer ${token}` };
  const { status } = await fetch(`${server.url}/v1/images/${image}:${digest}?arch=amd64`, { headers });
  if (status === 200) return;
  await pushOverHttp(server.url, token, `${image}:v1`, imageBytes);
  await server.admin("add-topic", { container: image, topic: "known" });
  known.secret = [await makeShare()];
}

describe("the JSON API", () => {
  it("answers whatever is asked as its document says, and never by an error of ours", {
    timeout: withinMs + 60_000,
  }, async () => {
    console.info(`The fuzz tests of the API run with FUZZ_SEED=${seed} FUZZ_RUNS=${numRuns}`);
    let asked = 0;
    let carriedOut = 0;
    const property = fc.asyncProperty(requests(), async (sent) => {
      const response = await send(sent);
      await expectDocumented(sent, response);
      if (response.ok) carriedOut++;
      const wasRefused = sent.who !== "nobody" && response.status === 401;
      if (wasRefused || ++asked % 40 === 0) await haveWorld();
    });
    await fc.assert(property, { seed, numRuns, interruptAfterTimeLimit: withinMs });
    // Else nothing but refusals would be tested.
    expect(carriedOut / asked).toBeGreaterThan(0.1);
  });
});

function requests(): fc.Arbitrary<Sent> {
  return fc.constantFrom(...operations.keys()).chain((operation) => {
    const { parameters, requestBody } = operationOf(operation).operation;
    const fields = (where: "path" | "query") =>
      Object.fromEntries(
        parameters.filter((one) => one.in === where).map(({ name, schema }) => [name, parameter(name, schema, where)]),
      );
    const body = requestBody?.content["application/json"]?.schema;
    const hasIfMatch = parameters.some(({ name }) => name === "If-Match");
    return fc.record<Sent>({
      who: fc.constantFrom<Who>("superuser", "superuser", "user", "nobody"),
      operation: fc.constant(operation),
      path: fc.record(fields("path")),
      query: fc.record(fields("query"), { requiredKeys: [] }),
      ifMatch: hasIfMatch
        ? fc.constantFrom("*", "known", "known", '"1"', 'W/"0"', "nonsense", null)
        : fc.constant(null),
      body: body === undefined ? fc.constant(undefined) : bodies(body),
    });
  });
}

function operationOf(id: string): Operation {
  const found = operations.get(id);
  if (found === undefined) throw new Error(`there is no operation ${id}`);
  return found;
}

/** Two thirds as it should be. A path's parameter is a text that stays one part of it. */
function parameter(name: string, schema: Schema, where: "path" | "query"): fc.Arbitrary<unknown> {
  const good = valuesOf(schema, known, name);
  const learned = name === "id" ? fc.nat().map((at) => ({ learned: at })) : good;
  const values = fc.oneof(
    { weight: 1, arbitrary: good },
    { weight: 1, arbitrary: learned },
    { weight: 1, arbitrary: nastyValues },
  );
  if (where === "query") return values;
  return values.filter((value) => !["", ".", "..", "../.."].includes(textOf(value)) && textOf(value).isWellFormed());
}

function bodies(schema: Schema): fc.Arbitrary<Sent["body"]> {
  const values = valuesOf(schema, known);
  const malformed = fc.constantFrom("", "{", "[]{}", '{"a":1,}', "\u0000", "x".repeat(200_000), '{"a":'.repeat(5000));
  return fc.oneof(
    { weight: 6, arbitrary: values.map((json) => ({ json })) },
    { weight: 2, arbitrary: mutationsOf(values).map((json) => ({ json })) },
    { weight: 1, arbitrary: malformed.map((text) => ({ text })) },
  );
}

async function send({ who, operation, path, query, ifMatch, body }: Sent): Promise<Response> {
  const headers = new Headers();
  if (who === "superuser") headers.set("Cookie", `${sessionCookie}=${session}`);
  if (who === "user") headers.set("Authorization", `Bearer ${token}`);
  headers.set("Sec-Fetch-Site", "same-origin");
  const { method, path: template } = operationOf(operation);
  const address = template.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(textOf(path[name])));
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => [name, textOf(one).toWellFormed()]),
  );
  const url = `${server.url}${address}?${new URLSearchParams(pairs)}`;
  const init: RequestInit = {
    method: method.toUpperCase(),
    headers,
    body: body === undefined ? null : "text" in body ? body.text : JSON.stringify(body.json),
    redirect: "manual",
  };
  const hasPreview = operationOf(operation).operation.parameters.some(({ name }) => name === "preview");
  if (ifMatch === "known" && hasPreview && query.preview === undefined) {
    const shown = await fetch(`${url}&preview=1`, init);
    await shown.arrayBuffer();
    headers.set("If-Match", shown.headers.get("ETag") ?? "*");
  } else if (ifMatch !== null) headers.set("If-Match", ifMatch === "known" ? (tags.get(address) ?? "*") : ifMatch);
  const response = await fetch(url, init);
  const tag = response.headers.get("ETag");
  if (tag !== null) tags.set(address, tag);
  return response;
}

/** As it is written into an address. */
function textOf(value: unknown): string {
  if (typeof value === "object" && value !== null && "learned" in value)
    return ids[Number(value.learned) % ids.length] ?? "";
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

async function expectDocumented({ operation: id, query, body, ifMatch }: Sent, response: Response): Promise<void> {
  const { operation } = operationOf(id);
  const text = await response.text();
  const { status } = response;
  const answer = `${operation.operationId}: ${status} ${text.slice(0, 500)}`;
  const documented = operation.responses[status] as Documented | undefined;
  expect(documented, `${answer} is not documented`).toBeDefined();
  if (status >= 500) expect(text, answer).toMatch(/"code":"(?:provider-unavailable|quota-exceeded)"/);
  const schema = body === undefined ? undefined : operation.requestBody?.content["application/json"]?.schema;
  const isAllowed = schema === undefined || (body !== undefined && "json" in body && isValid(schema, body.json));
  if (!isAllowed) expect(status, `${answer} for ${JSON.stringify(body).slice(0, 500)}`).toBeGreaterThanOrEqual(400);
  // A preview changes nothing, whatever was seen before.
  if (ifMatch === "nonsense" && query.preview !== "1") expect(status, answer).toBeGreaterThanOrEqual(400);
  for (const [name, { required }] of Object.entries(documented?.headers ?? {})) {
    if (required) expect(response.headers.get(name), `${answer} has no ${name}`).not.toBeNull();
  }
  expectContent(documented, response, text, answer);
}

interface Documented {
  headers?: Record<string, { required?: boolean }>;
  content?: Record<string, { schema: Schema }>;
  "x-codes"?: string[];
}

function expectContent(documented: Documented | undefined, response: Response, text: string, answer: string): void {
  const [type, content] = Object.entries(documented?.content ?? {})[0] ?? [];
  if (type === undefined || content === undefined) {
    expect(text, answer).toBe("");
    return;
  }
  expect(response.headers.get("Content-Type"), answer).toBe(type);
  const value: unknown = JSON.parse(text);
  expect(isValid(content.schema, value), `${answer}: ${ajv.errorsText(validatorOf(content.schema).errors)}`).toBe(true);
  learnIds(value);
  if (response.status < 400) return;
  const problem = value as Record<"code" | "status", unknown>;
  expect(documented?.["x-codes"], answer).toContain(problem.code);
  expect(problem.status).toBe(response.status);
  expect(text, answer).not.toMatch(/SQLITE|D1_|[A-Z]\w*Error:|\bat \w+ \(|zod|drizzle/);
}

const validators = new WeakMap<Schema, ValidateFunction>();

function validatorOf(schema: Schema): ValidateFunction {
  const validator = validators.get(schema) ?? ajv.compile(schema);
  validators.set(schema, validator);
  return validator;
}

function isValid(schema: Schema, value: unknown): boolean {
  // As it is read: what JSON cannot carry is gone.
  return validatorOf(schema)(value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
}

function learnIds(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const [name, field] of Object.entries(value)) {
    if (name === "id" && typeof field === "string" && ids.length < 500) ids.push(field);
    learnIds(field);
  }
}
