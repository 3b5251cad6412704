import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { exportSPKI, generateKeyPair, importJWK } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { addRemote } from "../../ui/client-lines.ts";
import { limits } from "../../worker/registry/limits.ts";
import { hasApptainer, newClient, newClientOf, removeClients } from "../support/apptainer.ts";
import { type CiIssuer, type Claims, DISCOVERY, KEYS, startCiIssuer } from "../support/ci-issuer.ts";
import { makeSif } from "../support/make-sif.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

/* Tokens of CI services that run on sockets of their own: what is signed, forged, slow and too large is so in fact. */

let server: TestServer;
let github: CiIssuer;
let gitlab: CiIssuer;
/** Services that do not answer as they should, one for each way, because what they say is kept. */
const broken: CiIssuer[] = [];
let cookie: string;

const githubJob = {
  repository: "alice/tools",
  repository_id: "42",
  ref: "refs/heads/main",
  ref_type: "branch",
  event_name: "push",
};
const gitlabJob = {
  project_path: "lab/alice/tools",
  project_id: "43",
  ref: "main",
  ref_type: "branch",
  pipeline_source: "push",
};

beforeAll(async () => {
  [github, gitlab] = [await startCiIssuer(), await startCiIssuer()];
  for (let count = 0; count < 8; count++) broken.push(await startCiIssuer());
  server = await startTestServer({
    CI_GITHUB_ISSUERS: [github, ...broken].map(({ url }) => url).join(","),
    CI_GITLAB_ISSUERS: gitlab.url,
  });
  const { token } = await server.addUser("alice");
  const made = await fetch(`${server.url}/v1/entities/alice`, { headers: { Authorization: `Bearer ${token}` } });
  const { data } = (await made.json()) as { data: { id: string } };
  await fetch(`${server.url}/v1/collections`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}` },
    body: JSON.stringify({ name: "tools", entity: data.id }),
  });
  cookie = await newSession("alice");
  for (const issuer of [github, ...broken]) await addPublisher(issuer.url, "alice/tools");
  await addPublisher(gitlab.url, "lab/alice/tools");
});

afterAll(async () => {
  await server?.stop();
  for (const issuer of [github, gitlab, ...broken]) await issuer?.stop();
  removeClients();
});

/** A browser in which a user is signed in, as the database has it. */
async function newSession(username: string): Promise<string> {
  const secret = randomBytes(32).toString("base64url");
  const database = await server.miniflare.getD1Database("DB");
  const now = Date.now();
  await database
    .prepare(
      `INSERT INTO sessions (id, user_id, hash, signed_in_with, user_agent, created_at, last_used_at, expires_at)
       SELECT ?, id, ?, 'login-link', 'test', ?, ?, ? FROM users WHERE username = ?`,
    )
    .bind(crypto.randomUUID(), createHash("sha256").update(secret).digest("hex"), now, now, now + 3_600_000, username)
    .run();
  return `__Host-session=${secret}`;
}

async function addPublisher(issuer: string, repository: string): Promise<string> {
  const response = await fetch(`${server.url}/api/v1/collections/alice/tools/publishers`, {
    method: "POST",
    headers: { Cookie: cookie, Origin: server.url },
    body: JSON.stringify({ issuer, repository, refKind: "branch", ref: "main" }),
  });
  const body = (await response.json()) as { id: string };
  expect(response.status, JSON.stringify(body)).toBe(201);
  return body.id;
}

interface Answer {
  status: number;
  secret?: string;
  code?: string;
  detail?: string;
}

async function exchange(token: string): Promise<Answer> {
  const body = JSON.stringify({ token, collection: "alice/tools" });
  const response = await fetch(`${server.url}/api/v1/publisher-tokens`, { method: "POST", body });
  return { status: response.status, ...((await response.json()) as Omit<Answer, "status">) };
}

const signed = (claims: Claims = {}, ...rest: [Parameters<CiIssuer["sign"]>[1]?, Parameters<CiIssuer["sign"]>[2]?]) =>
  github.sign({ aud: server.url, ...githubJob, ...claims }, ...rest);

describe("a token of a CI service", () => {
  it("is taken when the service signed it for this registry", async () => {
    expect(await exchange(await signed())).toMatchObject({ status: 201, secret: expect.stringMatching(/^sreg_/) });
    const ofGitlab = await gitlab.sign({ aud: server.url, ...gitlabJob });
    expect(await exchange(ofGitlab)).toMatchObject({ status: 201 });
    expect(await exchange(ofGitlab)).toMatchObject({ status: 403, detail: expect.stringMatching(/exchanged already/) });
  });

  const now = () => Math.floor(Date.now() / 1000);
  it.each<[string, () => Promise<string>, RegExp]>([
    ["for another registry", () => signed({ aud: "https://other.example.org" }), /audience must be http/],
    ["for nobody", () => signed({ aud: "" }), /audience/],
    ["for others too", () => signed({ aud: [server.url, "https://other.example.org"] }), /audience must be .* alone/],
    ["that has expired", () => signed({ iat: now() - 900, exp: now() - 600 }), /expired/],
    ["that never ends", () => signed({ exp: undefined }), /exp/],
    ["that is not valid yet", () => signed({ nbf: now() + 600 }), /not valid yet/],
    ["from the future", () => signed({ iat: now() + 600, exp: now() + 900 }), /not valid yet|times/],
    ["of long ago", () => signed({ iat: now() - limits.assertionMaxSeconds - 600 }), /expired/],
    ["that does not say when it was made", () => signed({ iat: undefined }), /time|iat/],
    ["of a fork", () => signed({ repository: "mallory/tools", repository_id: "666" }), /repository mallory\/tools/],
    ["of another branch", () => signed({ ref: "refs/heads/other" }), /branch other/],
    ["of a pull request", () => signed({ event_name: "pull_request" }), /pull request/],
    ["of the other service", () => signed({ iss: gitlab.url }), /no such key/],
    ["of an issuer that nobody named", () => signed({ iss: "https://evil.example.org" }), /no tokens of this issuer/],
    ["of a key that the service does not have", () => signed({}, { kid: "another" }), /no such key/],
    ["that names no key", () => signed({}, { kid: "" }), /no such key/],
  ])("%s is refused, and says why", async (_, made, why) => {
    const refused = await exchange(await made());
    expect(refused).toMatchObject({ status: 403, code: "publisher-refused", detail: expect.stringMatching(why) });
  });

  it("that somebody else signed in the service's name is refused", async () => {
    const { privateKey } = await generateKeyPair("RS256");
    const forged = await exchange(await signed({}, {}, privateKey));
    expect(forged).toMatchObject({ status: 403, detail: "The token's signature is wrong." });
  });

  it("whose claims were changed after it was signed is refused", async () => {
    const [head, , signature] = (await signed({ ref: "refs/heads/other" })).split(".");
    const [, payload] = (await signed()).split(".");
    expect(await exchange(`${head}.${payload}.${signature}`)).toMatchObject({ status: 403 });
  });

  it("without a signature, or with one by the public key as a secret, is refused", async () => {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const kid = github.publicJwk().kid;
    const payload = { iss: github.url, aud: server.url, iat: now(), exp: now() + 300, ...githubJob };
    for (const alg of ["none", "None", "NONE", "nOnE"]) {
      expect(await exchange(`${encode({ alg, kid })}.${encode(payload)}.`)).toMatchObject({ status: 403 });
    }
    const publicKey = (await importJWK(github.publicJwk(), "RS256")) as CryptoKey;
    const secret = new TextEncoder().encode(await exportSPKI(publicKey));
    expect(await exchange(await signed({}, { alg: "HS256" }, secret))).toMatchObject({ status: 403 });
    // A signature that is none, of a token that says it has one.
    const unsigned = `${encode({ alg: "RS256", kid })}.${encode(payload)}`;
    for (const signature of ["", "AA", "A".repeat(342)]) {
      expect(await exchange(`${unsigned}.${signature}`)).toMatchObject({ status: 403 });
    }
  });

  it("is no token of ours, and opens nothing by itself", async () => {
    const response = await fetch(`${server.url}/v1/token-status`, {
      headers: { Authorization: `Bearer ${await signed()}` },
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
  });

  it("of a key that is new is taken, but unknown keys have the service asked once a minute only", async () => {
    await exchange(await gitlab.sign({ aud: server.url, ...gitlabJob }));
    const before = gitlab.asked.length;
    for (let times = 0; times < 5; times++) {
      await exchange(await gitlab.sign({ aud: server.url, ...gitlabJob }, { kid: `made-up-${times}` }));
    }
    expect(gitlab.asked.length).toBe(before);
    const late = broken[7] as CiIssuer;
    await exchange(await late.sign({ aud: server.url, ...githubJob }));
    const asked = late.asked.length;
    await late.rotate();
    const refused = await exchange(await late.sign({ aud: server.url, ...githubJob }));
    expect(refused.detail).toMatch(/try again in 60 seconds/);
    expect(late.asked.length).toBe(asked);
  });
});

describe("a CI service that does not answer as it should", () => {
  const ways: [string, (issuer: CiIssuer) => void][] = [
    ["is not there", (issuer) => issuer.answer(DISCOVERY, (response) => response.destroy())],
    [
      "sends elsewhere",
      (issuer) =>
        issuer.answer(KEYS, (response) => response.writeHead(302, { Location: `${github.url}${KEYS}` }).end()),
    ],
    [
      "has keys on another host",
      (issuer) =>
        issuer.answer(DISCOVERY, (response) =>
          response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${github.url}${KEYS}` })),
        ),
    ],
    [
      "says that it is another",
      (issuer) =>
        issuer.answer(DISCOVERY, (response) =>
          response.end(JSON.stringify({ issuer: github.url, jwks_uri: `${issuer.url}${KEYS}` })),
        ),
    ],
    ["says something else than JSON", (issuer) => issuer.answer(KEYS, (response) => response.end("<html>"))],
    [
      "never stops",
      (issuer) =>
        issuer.answer(KEYS, (response) => {
          const more = () => {
            while (!response.destroyed && response.write("x".repeat(65_536)));
          };
          response.on("drain", more).on("error", () => undefined);
          more();
        }),
    ],
    // It is waited for as long as the limit says.
    ["never answers", (issuer) => issuer.answer(KEYS, (response) => response.writeHead(200).write("{"))],
  ];

  it.each(ways.map(([way, set], index) => [way, set, index] as const))(
    "because it %s is no reason to take its tokens",
    async (_, set, index) => {
      const issuer = broken[index] as CiIssuer;
      set(issuer);
      const began = Date.now();
      const answer = await exchange(await issuer.sign({ aud: server.url, ...githubJob }));
      expect(answer).toMatchObject({ status: 503, code: "provider-unavailable" });
      expect(Date.now() - began).toBeLessThan((limits.providerSeconds + 10) * 1000);
    },
  );
});

const document = readFileSync(join(import.meta.dirname, "../../docs/ci.md"), "utf8");

/** The lines of a shell in the document's YAML: those of the last block of each box. */
const scripts = [...document.matchAll(/^```yaml\n(?<yaml>[\s\S]*?)^```$/gm)].map(({ groups }) => {
  const lines = (groups?.yaml ?? "").trimEnd().split("\n");
  const start = lines.findLastIndex((line) => /(?:run:|-) \|$/.test(line)) + 1;
  return lines.slice(start).map((line) => line.trim());
});

describe.skipIf(!hasApptainer)("docs/ci.md", () => {
  afterEach(() => removeClients());

  /** The only changes to what stands there: the local registry's address has a port, which `remote add` alone cannot. */
  const here = (lines: string[]) =>
    lines.flatMap((line) => {
      if (line.startsWith("apptainer remote add")) return addRemote({ origin: server.url, uri: "registry" });
      return line === "apptainer remote use registry" ? [] : [line];
    });

  it.each([
    ["GitHub's workflow", 0],
    ["GitLab's job", 1],
  ])("has lines that push with the real client: %s", async (_, index) => {
    github.job = githubJob;
    const variables = {
      REGISTRY: server.url,
      COLLECTION: "alice/tools",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "job",
      ACTIONS_ID_TOKEN_REQUEST_URL: `${github.url}/job-token?api-version=2.0`,
      REGISTRY_ID_TOKEN: await gitlab.sign({ aud: server.url, ...gitlabJob }),
    };
    const runner = newClient();
    const image = makeSif({ salt: `from CI ${index}` });
    runner.write("image.sif", image);
    const given = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`);
    await runner.paste([...given, "set -o pipefail", ...here(scripts[index] ?? [])]);
    const somebody = await newClientOf(server);
    await somebody.run("pull", "pulled.sif", "library://alice/tools/image:v1");
    expect(somebody.read("pulled.sif")).toEqual(Buffer.from(image));
  });

  it("speaks of what the registry says", async () => {
    const said = [
      await exchange(await signed({ aud: "x" })),
      await exchange(await signed({ repository: "a/b" })),
      await exchange(await signed({ ref: "refs/heads/other" })),
      await exchange(await signed({ event_name: "pull_request" })),
      await exchange(await signed({ repository_id: "666" })),
    ];
    const rows = [...document.matchAll(/^\| (?<says>[^|]+?) \| /gm)].map(({ groups }) => groups?.says ?? "");
    for (const { detail = "" } of said) {
      const isSaid = rows.some((row) => row.split("…").every((piece) => detail.includes(piece.trim())));
      expect(isSaid, detail).toBe(true);
    }
  });
});
