import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { makeLoginLink } from "../../worker/registry/people/login-links.ts";
import { indexPending } from "../../worker/registry/search/index-pending.ts";
import { runUpkeep } from "../../worker/registry/upkeep/run-upkeep.ts";
import { makeSif } from "../support/make-sif.ts";
import { isSettingsRead, observed } from "../support/worker/calls.ts";
import { multipartClient, smallParts } from "../support/worker/multipart.ts";
import { pipeline } from "../support/worker/pipeline.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  indexed,
  newPerson,
  type Person,
  push,
  register,
  startUpload,
  testContext,
} from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";
import { tagOfPreview } from "../support/worker/shown.ts";
import { teamOf } from "../support/worker/teams.ts";
import { begun, cancel, uploadAll } from "../support/worker/uploads.ts";

/*
 * What is asked with every pull, push and search finds its rows by an index, however many there are. Lists are
 * not here: they look at what there is, up to a limit of rows.
 */
let alice: Person;
let path: string;

beforeAll(async () => {
  alice = await newPerson("planner");
  path = `${alice.username}/planned/app`;
  await push(alice.token, `${path}:v1`, makeSif({ salt: "planned" }), { private: true });
});

/** An environment that notes the statements it is asked. */
function noting(settings: Record<string, string> = {}) {
  const statements = new Set<string>();
  const watched = observed(environment(settings), (call) => {
    if (call.isSearch || isSettingsRead(call)) return;
    for (const text of call.sql) statements.add(text);
  });
  return { statements, watched };
}

/** The steps of a request's queries that use an index, or read a table, as SQLite names them. */
async function stepsOf(url: string): Promise<string> {
  const { statements, watched } = noting();
  expect((await ask(url, { env: watched })).status, url).toBe(200);
  const steps: string[] = [];
  for (const statement of statements) {
    const unbound = statement.replace(/\?\d*/g, "NULL");
    const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${unbound}`).all<{ detail: string }>();
    steps.push(...results.map(({ detail }) => detail));
  }
  return steps.join("\n");
}

/** The steps of a request's queries that read a whole table, or a whole index. */
async function scansOf(url: string, options: Ask, settings: Record<string, string> = {}): Promise<string[]> {
  const { statements, watched } = noting(settings);
  const response = await ask(url, { token: alice.token, ...options, env: watched });
  expect(response.status, url).toBeLessThan(400);
  expect(statements.size, url).toBeGreaterThan(0);
  return await scansIn(statements);
}

async function scansIn(statements: Iterable<string>): Promise<string[]> {
  const scans: string[] = [];
  for (const statement of statements) {
    const unbound = statement.replace(/\?\d*/g, "NULL");
    const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${unbound}`).all<{ detail: string }>();
    scans.push(
      ...results
        .map(({ detail }) => detail)
        .filter((detail) => /^SCAN (?!CONSTANT|\w+ VIRTUAL TABLE|\(subquery)/.test(detail)),
    );
  }
  return scans;
}

it("a list looks at what there is, which shows that this file would notice", async () => {
  expect(await scansOf("/v1/collections", {})).not.toEqual([]);
});

it("a pull and every step of a push read no table from end to end", async () => {
  const bytes = makeSif({ salt: "planned push" });
  const image = await register(alice.token, path, bytes);
  await ask(await startUpload(alice.token, image, bytes), { method: "PUT", body: bytes });
  const tag = { Arch: "amd64", Tag: "v2", ImageID: image.imageId };
  const requests: [string, string, Record<string, unknown>?][] = [
    ["GET", `/v1/images/${path}:v1?arch=amd64`],
    ["GET", `/v1/imagefile/${path}:v1`],
    ["GET", "/v1/imagefile/planned/app:v1?arch=amd64"],
    ["GET", `/v1/entities/${alice.username}`],
    ["GET", `/v1/collections/${alice.username}/planned`],
    ["GET", `/v1/containers/${path}`],
    ["POST", "/v1/entities", { name: alice.username }],
    ["POST", "/v1/containers", { name: "app", collection: image.collectionId }],
    ["POST", "/v1/images", { hash: `sha256.${"7".repeat(64)}`, container: image.containerId }],
    ["POST", `/v2/imagefile/${image.imageId}`, { filesize: 100, sha256sum: "" }],
    ["PUT", `/v2/imagefile/${image.imageId}/_complete`, {}],
    ["GET", `/v2/tags/${image.containerId}`],
    ["POST", `/v2/tags/${image.containerId}`, tag],
    ["DELETE", `/v1/images/${path}:v2?arch=amd64`],
  ];
  for (const [method, url, body] of requests) {
    expect(await scansOf(url, { method, body: body ?? null }), `${method} ${url}`).toEqual([]);
  }
});

it("nor do one's own tokens, key and robots, nor users by the beginning of their names", async () => {
  const { username, token } = await newPerson("boss", { role: "superuser" });
  const { headers } = await newSession(username);
  const robot = `${username}-robot`;
  const someone = (await newPerson("someone")).username;
  const made = { name: "x", scopes: ["pull"], collection: `${alice.username}/planned` };
  const ifMatch = { "If-Match": "*" };
  // Deleting an account is not here: what it made stays, without its name, which takes a look at each table.
  const requests: [string, string, Ask][] = [
    ["GET", "/api/v1/tokens", {}],
    ["GET", `/api/v1/tokens?after=${Date.now()}_${crypto.randomUUID()}`, {}],
    ["POST", "/api/v1/tokens", { token: null, headers, body: made }],
    ["POST", "/api/v1/sregistry-key", { token: null, headers }],
    ["GET", "/api/v1/sregistry-key", { token }],
    ["DELETE", "/api/v1/sregistry-key", { token }],
    ["POST", "/api/v1/robots", { token, body: { username: robot } }],
    ["GET", `/api/v1/robots/${robot}`, { token }],
    ["PATCH", `/api/v1/robots/${robot}`, { token, headers: ifMatch, body: { description: "x", isDisabled: true } }],
    ["POST", `/api/v1/robots/${robot}/tokens`, { token: null, headers, body: made }],
    ["GET", `/api/v1/robots/${robot}/tokens`, { token }],
    ["GET", "/api/v1/robots", {}],
    ["GET", `/api/v1/users?q=${username}`, { token }],
    ["GET", `/api/v1/users/${someone}`, { token }],
    [
      "PATCH",
      `/api/v1/users/${someone}`,
      { token: null, headers: { ...headers, ...ifMatch }, body: { role: "admin" } },
    ],
    ["GET", `/api/v1/users/${someone}/tokens`, { token }],
    ["DELETE", `/api/v1/users/${someone}/credentials`, { token }],
    ["DELETE", "/api/v1/tokens/current", { token }],
  ];
  for (const [method, url, options] of requests) {
    expect(await scansOf(url, { method, ...options }), `${method} ${url}`).toEqual([]);
  }
});

it("nor do teams, their people and invitations, however many there are", async () => {
  const { username, token } = await newPerson("team-planner");
  const { headers } = await newSession(username);
  const team = `${username}-team`;
  const invitation = async () => {
    const made = { method: "POST", headers, body: {} };
    const { id, link } = await askJson<{ id: string; link: string }>(`/api/v1/teams/${team}/invitations`, made);
    return { id, secret: new URL(link).hash.slice(1) };
  };
  const asked = { token: null, headers };
  const ifMatch = { "If-Match": "*" };
  const url = `/api/v1/teams/${team}`;
  expect(await scansOf("/api/v1/teams", { method: "POST", token, body: { name: team, joining: "open" } })).toEqual([]);
  const [one, two] = [await invitation(), await invitation()];
  const guest = await newPerson("team-guest");
  const asGuest = { token: null, headers: (await newSession(guest.username)).headers };
  const requests: [string, string, Ask][] = [
    ["GET", "/api/v1/teams", {}],
    ["GET", `/api/v1/teams?q=${username}`, {}],
    ["GET", `/api/v1/teams?mine=1&after=a`, { token }],
    ["GET", url, {}],
    ["PATCH", url, { token, headers: ifMatch, body: { description: "x", joining: "open" } }],
    ["POST", `${url}/members`, {}],
    ["GET", `${url}/members?after=a`, {}],
    ["PUT", `${url}/members/${alice.username}`, { token, body: { role: "owner" } }],
    ["DELETE", `${url}/members/${alice.username}`, { token }],
    ["POST", `${url}/invitations`, { ...asked, body: {} }],
    ["GET", `${url}/invitations`, { token }],
    ["DELETE", `${url}/invitations/${one.id}`, { token }],
    ["POST", "/api/v1/invitations/preview", { ...asGuest, body: { secret: two.secret } }],
    ["POST", "/api/v1/invitations/acceptance", { ...asGuest, body: { secret: two.secret } }],
    ["PUT", `${url}/picture`, { token, body: Uint8Array.of(0xff, 0xd8, 0xff) }],
    ["GET", `${url}/picture`, {}],
    ["DELETE", `${url}/picture`, { token }],
    ["POST", "/api/v1/robots", { token, body: { username: `${team}-robot`, team } }],
    ["GET", "/api/v1/robots", { token }],
  ];
  for (const [method, path, options] of requests) {
    expect(await scansOf(path, { method, ...options }), `${method} ${path}`).toEqual([]);
  }
  // But for the names of robots that stay taken. What they made stays, without their names: a look at each table.
  const scans = await scansOf(`${url}?preview=1`, { method: "DELETE", token });
  expect(scans.filter((step) => !/^SCAN (?:users|gone)\b/.test(step))).toEqual([]);
});

it("nor does a push in parts", async () => {
  const { statements, watched } = noting(smallParts);
  const client = await multipartClient(alice.token, path, makeSif({ salt: "planned parts" }), { env: watched });
  expect((await client.pushAll()).status).toBe(200);
  expect((await client.setTag("v3")).status).toBe(200);
  expect(await scansIn(statements)).toEqual([]);
});

it("nor does an upload in parts by the JSON API, nor a quota, whatever number there is", async () => {
  const { statements, watched } = noting({ ...smallParts, USER_QUOTA_BYTES: String(2 ** 40) });
  const by = { token: alice.token, env: watched };
  const done = await uploadAll(by, path, makeSif({ salt: "planned upload" }), { tags: ["v4"] });
  expect(done.status).toBe(200);
  const upload = await begun(by, path, makeSif({ salt: "planned and cancelled" }));
  for (const url of ["/api/v1/uploads", `/api/v1/uploads/${upload.id}`, "/api/v1/me"]) await ask(url, by);
  expect((await cancel(by, upload)).status).toBe(204);
  expect((await ask(`/api/v1/quotas/${alice.username}`, by)).status).toBe(200);
  expect(await scansIn(statements)).toEqual([]);
});

it("nor does a search, nor indexing what changed, but for the beginning of what is pending", async () => {
  await indexed();
  for (const url of ["/v1/search?value=planned", "/api/v1/search?q=planned&arch=amd64"]) {
    expect(await scansOf(url, {}), url).toEqual([]);
  }
  await env.DB.batch([
    env.DB.prepare("UPDATE entities SET description = 'x', name = name || 'x' WHERE name = ?").bind(alice.username),
    env.DB.prepare("UPDATE entities SET name = ? WHERE name = ?").bind(alice.username, `${alice.username}x`),
    env.DB.prepare("UPDATE containers SET description = 'x' WHERE name = 'app'"),
  ]);
  const { statements, watched } = noting();
  while ((await indexPending(testContext(watched))) > 0);
  const isList = (statement: string) => /^select .* from "search_outbox"/.test(statement);
  expect([...statements].filter((statement) => !isList(statement)).length).toBeGreaterThan(6);
  expect(await scansIn([...statements].filter((statement) => !isList(statement)))).toEqual([]);
});

it("nor does upkeep, but for its lists of what is to be done, which it reads from their beginning", async () => {
  const { statements, watched } = noting();
  await runUpkeep(testContext(watched));
  const isList = (statement: string) => /^select .* from "(?:discarded_objects|jobs|search_outbox)"/.test(statement);
  expect([...statements].some(isList)).toBe(true);
  expect(await scansIn([...statements].filter((statement) => !isList(statement)))).toEqual([]);
});

it("nor does signing in and out, agreeing to terms, or looking at what deleting an account would delete", async () => {
  const { username } = await newPerson("signing-planner");
  const { url } = await makeLoginLink(testContext(), operator, username);
  const { headers } = await newSession(username);
  const asked = { headers, token: null };
  const link = { link: new URL(url).hash.slice(1) };
  expect(await scansOf("/api/v1/sessions", { ...asked, method: "POST", body: link })).toEqual([]);
  const session = { headers: (await newSession(username)).headers, token: null };
  const terms = { ...session, method: "PUT", body: { version: "1" } };
  expect(await scansOf("/api/v1/me/terms", terms, { TERMS_VERSION: "1" })).toEqual([]);
  for (const path of ["/me", "/sessions"]) expect(await scansOf(`/api/v1${path}`, session), path).toEqual([]);
  // Its own subquery, and the owners of robots, of whom there are few.
  const scans = await scansOf("/api/v1/me/deletion", session);
  expect(scans.filter((step) => !/^SCAN (?:mine|users|gone)\b/.test(step))).toEqual([]);
  expect(await scansOf("/api/v1/sessions", { ...session, method: "DELETE" })).toEqual([]);
});

it("nor does a search for a label or a topic: it finds its rows by their words", async () => {
  expect(await stepsOf("/api/v1/labels/org/lab")).toMatch(/labels USING INDEX labels_pair \(key=\? AND value=\?\)/);
  expect(await stepsOf("/api/v1/labels/org")).toMatch(/labels USING INDEX labels_pair \(key=\?\)/);
  expect(await stepsOf("/api/labels/search/org/key/")).toMatch(/labels USING INDEX labels_pair \(key=\?\)/);
  expect(await stepsOf("/api/labels/search/org/key/lab/value/")).toMatch(/labels USING INDEX labels_pair/);
  expect(await stepsOf("/api/labels/search/lab/value/")).toMatch(/labels USING INDEX labels_value \(value=\?\)/);
  expect(await stepsOf("/api/v1/topics/debian")).toMatch(/topics USING INDEX topics_name \(name=\?\)/);
});

it("nor does the audit log, whatever it is asked for", async () => {
  const { token } = await newPerson("audit-planner", { role: "admin" });
  const span = "since=2020-01-01T00:00:00Z&until=2999-01-01T00:00:00Z";
  for (const query of ["actor=a", "action=a.b", "action=a.", "target=a", span, `actor=a&${span}`, "after=5"]) {
    expect(await scansOf(`/api/v1/audit?${query}`, { token }), query).toEqual([]);
  }
});

it("nor do the pages and lists of entities and collections, and what is done with them", async () => {
  const admin = await newPerson("planning-admin", { role: "admin" });
  const team = await teamOf("planning", { owners: [alice.username] });
  const page = `/api/v1/collections/${alice.username}/planned1`;
  const body = { entity: alice.username, name: "planned1" };
  expect(await scansOf("/api/v1/collections", { method: "POST", body })).toEqual([]);
  const after = (...values: (string | number)[]) => Buffer.from(JSON.stringify(values)).toString("base64url");
  const lists = [
    "/api/v1/entities",
    "/api/v1/entities?after=a",
    `/api/v1/entities/${alice.username}`,
    "/api/v1/collections",
    `/api/v1/collections?after=${after("a", "b")}`,
    `/api/v1/collections?sort=stars&after=${after(5, "b")}`,
    "/api/v1/collections?sort=pulls",
    "/api/v1/collections?sort=updated&starred=1",
    "/api/v1/collections?mine=1",
    `/api/v1/collections?entity=${alice.username}`,
    "/api/v1/me/stars",
    "/api/v1/me/hand-overs",
    ...["", "/people", "/candidates", "/candidates?q=al", "/activity", "/references", "/uploads"].map(
      (part) => `${page}${part}`,
    ),
  ];
  for (const url of lists) expect((await scansOf(url, {})).filter(isOwnList), url).toEqual([]);
  // Whoever may see all of them is shown them from the beginning, in the order of an index.
  const all = await scansOf("/api/v1/entities", { token: admin.token });
  const byName = /^SCAN entities USING (?:COVERING )?INDEX/;
  expect(all.filter((step) => isOwnList(step) && !byName.test(step))).toEqual([]);
  const renamed = (await ask(page, { token: alice.token })).headers.get("ETag") ?? "";
  const acts: [string, string, Ask][] = [
    ["PATCH", page, { body: { name: "planned12", description: "x" }, headers: { "If-Match": renamed } }],
    ["PATCH", `${page}2`, { body: { visibility: "public" } }],
    ["PUT", `${page}2/star`, {}],
    ["PUT", `${page}2/people/teams/${team}`, { body: { role: "reader" } }],
    ["DELETE", `${page}2/people/teams/${team}`, {}],
    ["PATCH", `/api/v1/entities/${alice.username}`, { body: { description: "x" } }],
  ];
  for (const [method, url, options] of acts) {
    const asked = { headers: { "If-Match": "*" }, ...options, method };
    expect((await scansOf(url, asked)).filter(isOwnList), `${method} ${url}`).toEqual([]);
  }
  const pushed = await push(alice.token, `${alice.username}/planned2/app:v1,v2`, makeSif({ salt: "planned to go" }));
  const content = `/api/v1/containers/${alice.username}/planned2/app`;
  const destroying: [string, string, Ask][] = [
    ["DELETE", `${content}/tags/v2`, {}],
    ["DELETE", `${content}/images/${pushed.digest}`, {}],
    ["DELETE", content, {}],
    ["POST", `${page}2/hand-over`, { body: { entity: team } }],
    ["PUT", `/api/v1/entities/${team}/owner`, { token: admin.token, body: { user: alice.username } }],
  ];
  // What was made stays without the names of who is deleted, which takes a look at each table: for these the preview alone.
  for (const url of [`${page}2`, `/api/v1/users/${(await newPerson("planned-to-go")).username}`]) {
    const scans = await scansOf(`${url}?preview=1`, { method: "DELETE", token: admin.token });
    expect(
      scans.filter((step) => isOwnList(step) && !/^SCAN (?:mine|gone|users)\b/.test(step)),
      url,
    ).toEqual([]);
  }
  for (const [method, url, options] of destroying) {
    const asked = { token: alice.token, ...options, method };
    const headers = { "If-Match": await tagOfPreview(url, asked) };
    for (const of of [`${url}?preview=1`, url]) {
      expect((await scansOf(of, { ...asked, headers })).filter(isOwnList), `${method} ${of}`).toEqual([]);
    }
  }
});

/** The settings, what the query itself was given or has found, or of what is open, which an index holds alone. */
function isOwnList(step: string): boolean {
  return !/^SCAN (?:settings|json_each|account|page|own|granted|known|entities USING (?:COVERING )?INDEX entities_(?:public|internal))/.test(
    step,
  );
}

it("nor does the exchange of a pipeline's token, nor what an owner says of pipelines", async () => {
  const session = await newSession(alice.username);
  const url = `/api/v1/collections/${alice.username}/planned/publishers`;
  const issuer = "https://gitlab.com";
  const body = { issuer, repository: "a/b", refKind: "branch", ref: "main" };
  expect(await scansOf(url, { method: "POST", body, headers: session.headers, token: null })).toEqual([]);
  expect(await scansOf(url, {})).toEqual([]);
  const { items } = await askJson<{ items: { id: string }[] }>(url, { token: alice.token });
  const { statements, watched } = noting();
  const exchange = { token: await pipeline(issuer), collection: `${alice.username}/planned` };
  expect((await ask("/api/v1/publisher-tokens", { method: "POST", body: exchange, env: watched })).status).toBe(201);
  expect(await scansIn(statements)).toEqual([]);
  expect(await scansOf(`${url}/${items[0]?.id}`, { method: "DELETE" })).toEqual([]);
});
