import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { readSecrets } from "../../scripts/server/local-data.ts";
import { runtimesOn } from "../../scripts/server/runtimes.ts";
import type { RegistryAddress } from "../../ui/client-lines.ts";
import { startProxy, type TestProxy } from "./proxy.ts";
import { type Clone, type Environment, makeClone, type Registry, startRegistry } from "./run-command.ts";
import { type Admin, adminOf } from "./test-server.ts";

/** A registry in processes of its own, behind a proxy, that can be killed and started again where it was. */
export interface CrashingRegistry {
  /** What users know: the proxy's address, before and after a crash. */
  site: RegistryAddress;
  proxy: TestProxy;
  admin: Admin;
  /** One row of its database, past the server: also while there is none. */
  readDatabase: (query: string) => Record<string, unknown>;
  /** The same of what its bucket knows. */
  readBucket: (query: string) => Record<string, unknown>;
  /** Has its database refuse to change a column, such as `state` of `uploads`, until what is returned is called. */
  freeze: (table: string, column: string) => () => void;
  /** `kill -9` for its server and its workerd, at once. */
  kill: () => void;
  /** Starts it again on the same data and port. @returns when it says that it is running */
  restart: () => Promise<void>;
  /** Stops it and deletes all that it left. */
  remove: () => Promise<void>;
}

export async function startCrashingRegistry(settings: Environment = {}): Promise<CrashingRegistry> {
  const clone = makeClone();
  const data = realpathSync(mkdtempSync(join(tmpdir(), "registry-crash-")));
  const proxy = await startProxy();
  const environment = { PUBLIC_ORIGIN: proxy.origin, REGISTRY_URI: "testing", ...settings };
  const clear = async () => {
    await proxy.stop();
    clone.remove();
    rmSync(data, { recursive: true, force: true });
  };
  try {
    const registry = await startRegistry(clone, { data, environment });
    proxy.passTo(registry.url);
    return controlsOf({ clone, data, proxy, environment, clear }, registry);
  } catch (error) {
    await clear();
    throw error;
  }
}

interface Place {
  clone: Clone;
  data: string;
  proxy: TestProxy;
  environment: Environment;
  clear: () => Promise<void>;
}

function controlsOf({ clone, data, proxy, environment, clear }: Place, first: Registry): CrashingRegistry {
  let registry = first;
  const port = Number(new URL(first.url).port);
  return {
    site: { origin: proxy.origin, uri: "testing" },
    proxy,
    admin: adminOf(first.url, readSecrets(data)?.ADMIN_SECRET ?? ""),
    readDatabase: (query) => read(databaseIn(data), query),
    readBucket: (query) => read(fileWith("_mf_objects", join(data, "r2", "miniflare-R2BucketObject")), query),
    freeze: (table, column) => {
      const says = "BEGIN SELECT RAISE(ABORT, 'frozen by a test'); END";
      write(databaseIn(data), `CREATE TRIGGER frozen BEFORE UPDATE OF ${column} ON ${table} ${says}`);
      return () => write(databaseIn(data), "DROP TRIGGER frozen");
    },
    kill: () => {
      // workerd first: it is what reads and writes.
      for (const pid of [...runtimesOn(data).map((runtime) => runtime.pid), registry.serverPid]) {
        process.kill(pid, "SIGKILL");
      }
    },
    restart: async () => {
      await registry.ended;
      registry = await startRegistry(clone, { data, port, environment });
    },
    remove: async () => {
      await registry.stop();
      await clear();
    },
  };
}

function read(file: string, query: string): Record<string, unknown> {
  // Whoever may write also tidies up, and so undoes what a crash left.
  const connection = new DatabaseSync(file, { readOnly: true });
  try {
    return connection.prepare(query).get() ?? {};
  } finally {
    connection.close();
  }
}

function write(file: string, statement: string): void {
  const connection = new DatabaseSync(file, { timeout: 10_000 });
  try {
    connection.exec(statement);
  } finally {
    connection.close();
  }
}

/** The main database: the search has one of its own beside it. */
const databaseIn = (data: string) => fileWith("uploads", join(data, "d1", "miniflare-D1DatabaseObject"));

/** The database in a folder of Miniflare's that has a table; their names are hashes. */
function fileWith(table: string, folder: string): string {
  const files = readdirSync(folder)
    .filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))
    .map((name) => join(folder, name));
  const hasTable = (file: string) => "one" in read(file, `SELECT 1 AS one FROM sqlite_schema WHERE name = '${table}'`);
  const file = files.find(hasTable);
  if (file === undefined) throw new Error(`There is no database with ${table} in ${folder}.`);
  return file;
}
