import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { inject } from "vitest";
import { newSecrets } from "../../scripts/server/local-data.ts";
import { type RegistryServer, startServer } from "../../scripts/server/registry-server.ts";
import type { RegistryAddress } from "../../ui/client-lines.ts";

const root = resolve(import.meta.dirname, "../..");

/** The remote's name on the machines of the tests' users; the registry's pages show it in their lines. */
const REGISTRY_URI = "testing";

export interface TestServer {
  /** Where it listens, such as `http://127.0.0.1:8787`. */
  url: string;
  /** Where it keeps its data. */
  data: string;
  /** What the lines of `ui/client-lines.ts` are made from. */
  site: RegistryAddress;
  /** What it runs on: the database and the bucket themselves. */
  miniflare: RegistryServer["miniflare"];
  /** What signs its URLs. */
  signingSecret: string;
  /** Runs a command of `npm run admin`. @throws with the registry's reason */
  admin: Admin;
  /** Creates a user who holds a token. */
  addUser: (username: string) => Promise<Token>;
  /** Makes a token for a user who is there; `options` are those of `npm run admin -- add-token`. */
  addToken: (username: string, options?: Record<string, string>) => Promise<Token>;
  /** Moves a token's end into the past: no command can, and nobody waits a day. */
  expireToken: (token: Token) => Promise<void>;
  /** Stops it and deletes its data. */
  stop: () => Promise<void>;
}

export interface Token {
  id: string;
  token: string;
}

export type Admin = (verb: string, args?: Record<string, string>) => Promise<unknown>;

/** What `npm run admin` asks a registry. */
export function adminOf(url: string, adminSecret: string): Admin {
  return async (verb, args = {}) => {
    const response = await fetch(`${url}/admin/rpc`, {
      method: "POST",
      headers: { Authorization: `Bearer ${adminSecret}`, "Content-Type": "application/json" },
      body: JSON.stringify({ verb, args }),
    });
    const answer = (await response.json()) as { result?: unknown; error?: { message: string } };
    if (!response.ok) throw new Error(`${verb}: ${answer.error?.message ?? response.status}`);
    return answer.result;
  };
}

/** Waits until the search finds what was written: the last step of making the index anew does that alone. */
export async function indexedBy(admin: Admin): Promise<void> {
  for (let after: string | null = "end"; after !== null; ) {
    after = ((await admin("rebuild-search", { after })) as { next: string | null }).next;
  }
}

/** What is wrong between database and bucket, but for uploads that are not over. */
export async function findingsOf(admin: Admin): Promise<{ kind: string; subject: string }[]> {
  const { findings } = (await admin("check-integrity")) as { findings: { kind: string; subject: string }[] };
  return findings.filter(({ kind }) => kind !== "upload-open");
}

/** Starts the built registry on a free port of loopback, with data of its own. */
export async function startTestServer(
  settings: Record<string, string> = {},
  options: { localS3?: boolean } = {},
): Promise<TestServer> {
  const data = mkdtempSync(join(tmpdir(), "registry-test-"));
  cpSync(inject("migratedData"), data, { recursive: true });
  const secrets = newSecrets();
  const server = await startServer({
    root,
    data,
    host: "127.0.0.1",
    port: 0,
    secrets,
    settings: { REGISTRY_URI, ...settings },
    ...options,
  });
  const admin = adminOf(server.url, secrets.ADMIN_SECRET);
  const addToken: TestServer["addToken"] = async (username, options = {}) =>
    (await admin("add-token", { username, ...options })) as Token;
  return {
    url: server.url,
    data,
    site: { origin: settings.PUBLIC_ORIGIN ?? server.url, uri: settings.REGISTRY_URI ?? REGISTRY_URI },
    miniflare: server.miniflare,
    signingSecret: secrets.SIGNING_SECRET,
    admin,
    addToken,
    addUser: async (username) => {
      await admin("add-user", { username });
      return await addToken(username);
    },
    expireToken: async ({ id }) => {
      const database = await server.miniflare.getD1Database("DB");
      const end = Date.now() - 1000;
      await database.prepare("UPDATE tokens SET expires_at = ? WHERE id = ?").bind(end, id).run();
    },
    stop: async () => {
      await server.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}
