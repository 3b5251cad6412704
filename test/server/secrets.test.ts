import { randomBytes } from "node:crypto";
import { dereference } from "@apidevtools/swagger-parser";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import document from "../../docs/openapi.json" with { type: "json" };
import type { ApiDocument, DocumentedOperation } from "../../scripts/generate/api-document.ts";
import { pullOverHttp, pushOverHttp } from "../support/http-client.ts";
import { makeSif } from "../support/make-sif.ts";
import { newPlantedSecrets } from "../support/planted-secrets.ts";
import { valuesOf } from "../support/schema-values.ts";
import { sessionCookie, signIn } from "../support/server-session.ts";
import { formBody, formParts, formType, namesOf, signed } from "../support/sregistry-client.ts";
import { type Admin, startTestServer, type TestServer } from "../support/test-server.ts";

/*
 * Secrets that are recognised wherever they turn up: every setting that is one, and every credential. Then everything
 * is asked by everybody, and whatever was answered or printed is looked through.
 */

const secrets = newPlantedSecrets();
const newSecret = (name: string) => secrets.plant(name, `planted.${randomBytes(48).toString("base64url")}`);

const settings = {
  LOG_REQUESTS: "true",
  SIGNING_SECRET: newSecret("SIGNING_SECRET"),
  SIGNING_SECRET_PREVIOUS: newSecret("SIGNING_SECRET_PREVIOUS"),
  SEALING_SECRET: newSecret("SEALING_SECRET"),
  SEALING_SECRET_PREVIOUS: newSecret("SEALING_SECRET_PREVIOUS"),
  ADMIN_SECRET: newSecret("ADMIN_SECRET"),
  S3_ACCESS_KEY_ID: newSecret("S3_ACCESS_KEY_ID"),
  S3_SECRET_ACCESS_KEY: newSecret("S3_SECRET_ACCESS_KEY"),
  GITHUB_CLIENT_ID: "github-client",
  GITHUB_CLIENT_SECRET: newSecret("GITHUB_CLIENT_SECRET"),
  GITHUB_ADMIT: "everyone",
  OIDC_PROVIDERS: "planted",
  // Nobody listens there.
  OIDC_PLANTED_ISSUER: "http://127.0.0.1:9",
  OIDC_PLANTED_CLIENT_ID: "oidc-client",
  OIDC_PLANTED_CLIENT_SECRET: newSecret("OIDC_PLANTED_CLIENT_SECRET"),
  OIDC_PLANTED_ADMIT: "everyone",
};

const image = "alice/tools/app";
let server: TestServer;
let operations: { method: string; path: string; operation: DocumentedOperation }[];
let token = "";
let key = "";
let session = "";
let printed: string[];

beforeAll(async () => {
  printed = [];
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    vi.spyOn(stream, "write").mockImplementation((text, ...rest) => {
      printed.push(String(text));
      return write(text, ...(rest as []));
    });
  }
  server = await startTestServer(settings);
  const { paths } = (await dereference(structuredClone(document) as never)) as unknown as ApiDocument;
  operations = Object.entries(paths)
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ method, path, operation })))
    // What there is ends last.
    .sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
  await admin("add-user", { username: "alice" });
  await admin("add-superuser", { username: "boss" });
  token = planted("token", await admin("add-token", { username: "alice" }));
  key = planted("key", await admin("add-key", { username: "alice" }));
  session = secrets.plant("a session", await signIn(server, "boss"));
});

afterAll(async () => {
  vi.restoreAllMocks();
  await server?.stop();
});

const order = ["get", "post", "put", "patch", "delete"];

/** A command as `npm run admin` gives it. Refusals are answers too. */
const admin: Admin = async (verb, args = {}) => {
  const answer = await ask(`admin ${verb}`, "/admin/rpc", {
    method: "POST",
    headers: { Authorization: `Bearer ${settings.ADMIN_SECRET}` },
    body: JSON.stringify({ verb, args }),
  });
  return (JSON.parse(answer.text) as { result?: unknown }).result ?? {};
};

/** The secret in the answer of a command, which alone may hold it. */
function planted(field: "token" | "key", result: unknown): string {
  const secret = (result as Record<string, unknown>)[field];
  return secrets.plant(`a ${field}`, String(secret), `admin add-${field}`);
}

let serial = 0;

/** Asks, keeps all of the answer, and plants what it gives out. */
async function ask(
  what: string,
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; text: string; etag: string | null }> {
  const response = await fetch(`${server.url}${path}`, { redirect: "manual", ...init });
  const text = await response.text();
  // Those that give something out are asked once.
  const where = /^admin add-(?:token|key)$/.test(what) ? what : `answer ${++serial} to ${what} (${response.status})`;
  secrets.note(where, `${[...response.headers].flat().join("\n")}\n${text}`);
  const given = [
    // Of a sealed text all but its header, which is alike in each.
    ...response.headers.getSetCookie().map((cookie) => /^[^=]+=(?:[\w-]+\.\.)?([^;]*)/.exec(cookie)?.[1] ?? ""),
    // Of an address what stands behind the `#`.
    ...[...text.matchAll(/"(?:secret|link|url)":"(?:[^"#]*#)?([^"#/]+)"/g)].map(([, secret]) => secret ?? ""),
  ];
  for (const secret of given.filter(({ length }) => length >= 40))
    secrets.plant(`what ${where} gave out`, secret, where);
  return { status: response.status, text, etag: response.headers.get("ETag") };
}

/** So many of them are let in; the others stand behind them. */
const ADMITTED = 4;

/** Everybody who may come along, with what they send. */
function everybody(): [string, Record<string, string>][] {
  const sameOrigin = { "Sec-Fetch-Site": "same-origin" };
  const wrong = `srg_${token.slice(4, -6)}AAAAAA`;
  return [
    ["nobody", {}],
    ["the superuser's browser", { Cookie: `${sessionCookie}=${session}`, ...sameOrigin }],
    ["another site in that browser", { Cookie: `${sessionCookie}=${session}`, "Sec-Fetch-Site": "cross-site" }],
    ["a user's token", { Authorization: `Bearer ${token}` }],
    // Refused whatever they ask for, and send.
    ["a token that is none", { Authorization: `Bearer ${wrong}` }],
    ["a token in the wrong scheme", { Authorization: `Basic ${Buffer.from(`alice:${token}`).toString("base64")}` }],
    ["a key in place of a token", { Authorization: `Bearer ${key}` }],
    ["a session in place of a token", { Authorization: `Bearer ${session}` }],
    ["a browser signed in elsewhere", { Cookie: `${sessionCookie}=${token.slice(0, 64)}`, ...sameOrigin }],
  ];
}

describe("no secret of a registry or its users stands where it does not belong", () => {
  it("which would be found, whole or in part", () => {
    const probe = newPlantedSecrets();
    const secret = probe.plant(
      "a secret",
      `planted.${randomBytes(48).toString("base64url")}`,
      "the answer that makes it",
    );
    probe.note("the answer that makes it", secret);
    probe.note("an innocent answer", "planted.");
    probe.note("a log", `failed: ${secret.slice(20, 52)}`);
    probe.note("another", Buffer.from(secret).toString("base64"));
    expect(probe.found()).toEqual(["a secret stands in a log", "a secret stands in another"]);
  });

  it("in the answers of the JSON API, whoever asks for whatever", async () => {
    for (const { method, path, operation } of operations) {
      for (const [index, [who, headers]] of everybody().entries()) {
        const isAdmitted = index < ADMITTED;
        const address = path.replaceAll(/\{(\w+)\}/g, (_, name) => known[name] ?? "nothing");
        const schema = operation.requestBody?.content["application/json"]?.schema;
        const [good] = schema === undefined ? [] : fc.sample(valuesOf(schema, likely), { seed: 1, numRuns: 1 });
        const bodies =
          schema === undefined ? [null] : [JSON.stringify(good), JSON.stringify({ token, link: session, secret: key })];
        for (const body of isAdmitted ? bodies : bodies.slice(-1)) {
          const sent = { method: method.toUpperCase(), headers, body };
          const what = `${operation.operationId} of ${who}`;
          const hasPreview = isAdmitted && operation.parameters.some(({ name }) => name === "preview");
          const etag = hasPreview ? (await ask(`the preview of ${what}`, `${address}?preview=1`, sent)).etag : null;
          await ask(what, address, { ...sent, headers: { "If-Match": etag ?? "*", ...headers } });
        }
        if (method === "delete" || method === "patch") await haveCredentials();
      }
    }
  });

  it("in the pages", async () => {
    for (const path of [
      "/",
      "/login",
      "/account",
      "/auth/tokens",
      "/terms",
      "/api/docs",
      "/api/",
      "/alice/tools",
      "/no/such/page/here",
    ]) {
      for (const [who, headers] of everybody()) {
        await ask(`${path} of ${who}`, path, { headers: { Accept: "text/html", ...headers } });
      }
    }
  });

  it("in what clients are answered, and in their refusals", async () => {
    await haveCredentials();
    await pushOverHttp(server.url, token, `${image}:v1`, makeSif({ salt: "planted" }));
    await pullOverHttp(server.url, `${image}:v1`);
    const paths = ["/v1/token-status", "/v1/entities/alice", `/v1/images/${image}:v1`, `/v1/imagefile/${image}:v1`];
    const others = [
      "/v1/search?value=app",
      "/version",
      "/assets/config/config.prod.json",
      "/api/collections/",
      "/pks/lookup",
    ];
    for (const path of [...paths, ...others, "/blobs/x?t=nothing", "/admin/rpc", "/v2/nothing"]) {
      for (const [who, headers] of everybody()) await ask(`${path} of ${who}`, path, { headers });
    }
    const names = namesOf("alice/tools/app:v2");
    for (const signer of [key, session]) {
      const authorization = signed("push", { username: "alice", key: signer }, names);
      const body = formBody(formParts(authorization, "nothing", names, makeSif({ salt: "form" })));
      await ask("a signed upload", "/upload", {
        method: "POST",
        headers: { Authorization: authorization, "Content-Type": formType() },
        body,
      });
      await ask("a signed push", "/api/uploads/complete/", {
        method: "POST",
        headers: { Authorization: authorization },
        body: "{",
      });
    }
  });

  it("in what administrators are answered", async () => {
    const verbs = [
      "list-users",
      "list-tokens",
      "list-keys",
      "list-audit",
      "check-integrity",
      "show-settings",
      "no-such-verb",
    ];
    for (const verb of verbs) await admin(verb, { username: "alice" });
    // Opened by a mail scanner first, then used, and again.
    const { url = "#none" } = (await admin("login-link", { username: "alice" })) as { url?: string };
    await ask("a login link's page", "/auth/link", { headers: { Accept: "text/html" } });
    for (const site of ["cross-site", "same-origin", "same-origin"]) {
      const body = JSON.stringify({ link: url.split("#").at(-1) });
      await ask("a login link", "/api/v1/sessions", { method: "POST", headers: { "Sec-Fetch-Site": site }, body });
    }
    await ask("the wrong secret", "/admin/rpc", {
      method: "POST",
      headers: { Authorization: `Bearer ${token}` },
      body: "{}",
    });
  });

  it("in what is answered and printed when something of ours breaks", async () => {
    const database = await server.miniflare.getD1Database("DB");
    await database.exec("ALTER TABLE topics RENAME TO topics_gone");
    for (const [who, headers] of everybody()) {
      await ask(`what is broken of ${who}`, `/api/v1/topics?after=${token}`, { headers });
      await ask(`what is broken of ${who}`, `/api/v1/containers/${image}/topics/a`, { method: "PUT", headers });
    }
    await database.exec("ALTER TABLE topics_gone RENAME TO topics");
    expect(printed.join("")).toMatch(/"event":"error".*no such table/);
  });

  it("in the database, but for what is sealed", async () => {
    const database = await server.miniflare.getD1Database("DB");
    const { results } = await database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'")
      .all<{ name: string }>();
    for (const { name } of results) {
      const rows = await database.prepare(`SELECT * FROM "${name}"`).all();
      secrets.note(`the table ${name}`, JSON.stringify(rows.results));
    }
  });

  it("nor is one found anywhere in all of this", () => {
    expect(printed.join("")).toContain('"event":"request"');
    secrets.note("what the registry printed", printed.join(""));
    expect(secrets.texts()).toBeGreaterThan(500);
    expect(secrets.found()).toEqual([]);
  });
});

const known: Readonly<Record<string, string>> = {
  username: "alice",
  entity: "alice",
  collection: "tools",
  container: "app",
  topic: "a",
  code: "frozen",
  name: "SIGNING_SECRET",
  id: "current",
};

const likely = {
  username: ["robot"],
  collection: ["alice/tools", null],
  owner: ["boss"],
  provider: ["github", "planted"],
};

/** Signed in again, and with a token, whatever was ended. */
async function haveCredentials(): Promise<void> {
  const database = await server.miniflare.getD1Database("DB");
  // Whoever was deleted left their name taken.
  for (const name of ["alice", "boss"]) await admin("free-name", { kind: "entity", name });
  await admin("add-user", { username: "alice" });
  await admin("add-superuser", { username: "boss" });
  await database.exec("UPDATE users SET disabled_at = NULL");
  session = secrets.plant("another session", await signIn(server, "boss"));
  const made = (await admin("add-token", { username: "alice", name: "again" })) as { token: string };
  token = secrets.plant("another token", made.token, "admin add-token");
}
