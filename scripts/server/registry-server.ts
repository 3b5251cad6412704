import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Cron } from "croner";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { providerVariableNames } from "../../worker/registry/providers.ts";
import { parseSettings, settingDefinitions } from "../../worker/registry/settings.ts";
import { readBuiltOptions } from "./build.ts";
import { findServer, forgetServer, type LocalSecrets, newSecret, noteServer } from "./local-data.ts";
import { migrate } from "./migrate.ts";
import { endRuntimes, markFor, runtimesOn } from "./runtimes.ts";

export interface ServerOptions {
  /** The project's folder, with `dist/` built. */
  root: string;
  /** Where D1, R2 and Durable Objects keep their files. */
  data: string;
  host: string;
  /** 0 takes any free port. */
  port: number;
  secrets: LocalSecrets;
  /** Settings by name, as in the environment of a deployment. */
  settings?: Readonly<Record<string, string | undefined>>;
  /**
   * For tests: serves the bucket by S3 as well, as R2 does, and has the registry use it. That is on
   * Miniflare's own port, which no registry with other users may show.
   */
  localS3?: boolean;
}

export interface RegistryServer {
  /** Where it listens, such as `http://127.0.0.1:8787`. */
  url: string;
  miniflare: Miniflare;
  /** Runs upkeep now, as the Cron does. */
  runScheduled: () => Promise<void>;
  /** Lets requests in flight finish, then stops. */
  stop: () => Promise<void>;
}

const NAME = "sregistry-edge";
const DRAIN_MS = 30_000;

/**
 * Runs the built Worker on embedded D1, R2 and Durable Objects.
 *
 * The public port is a socket straight into workerd. Miniflare's own port offers raw SQL and every object
 * to whoever asks for `/cdn-cgi/…`; it stays on a port of its own on loopback that nobody is told.
 * Assets are a disk service that the Worker asks, so that they are not in the way of the API.
 */
export async function startServer(options: ServerOptions): Promise<RegistryServer> {
  const ownPort = options.localS3 ? await findFreePort() : 0;
  const s3 = options.localS3 ? localS3At(ownPort) : null;
  const variables = variablesOf(options, s3);
  const parsed = parseSettings(variables);
  if (!parsed.ok) throw new Error(`The settings are not right:\n  ${parsed.problems.join("\n  ")}`);
  mkdirSync(options.data, { recursive: true, mode: 0o700 });
  await ensureNobodyUses(options.data);
  await ensurePortIsFree(options.host, options.port);
  const worker = readBuiltOptions(options.root);
  const patterns = worker.cronTriggers;
  const bundle = join(options.root, "dist", "worker");
  const runtime = {
    name: NAME,
    rootPath: options.root,
    compatibilityDate: worker.compatibilityDate,
    d1Databases: worker.d1Databases,
    resourcePersistencePath: options.data,
    unsafeRuntimeEnv: markFor(options.data),
    host: "127.0.0.1",
    port: ownPort,
    cf: false,
    logRequests: false,
    log: new Log(LogLevel.ERROR),
  };
  // Nobody is let in before the tables are there: a request would find none, or those of an older version. Until then
  // the Worker is not needed either, and an empty one is sooner there.
  const empty = { modules: [{ type: "ESModule" as const, path: "empty.js", contents: "export default {}" }] };
  const miniflare = new Miniflare(convertV4MiniflareOptions({ ...runtime, ...empty }));
  await migrate(await miniflare.getD1Database("DB"), join(options.root, "migrations"));
  await migrate(await miniflare.getD1Database("SEARCH_DB"), join(options.root, "migrations-search"));
  await miniflare.setOptions(
    convertV4MiniflareOptions({
      ...worker,
      ...runtime,
      modules: [{ type: "ESModule", path: join(bundle, "index.js") }],
      modulesRoot: bundle,
      bindings: variables,
      serviceBindings: { ASSETS: { disk: { path: join(options.root, "dist", "ui"), writable: false } } },
      unsafeDirectSockets: [{ host: options.host, port: options.port }],
      ...(s3 === null ? {} : { r2Buckets: { BLOBS: { id: s3.S3_BUCKET, s3Credentials: s3Credentials(s3) } } }),
      handleStructuredLogs: ({ level, message }) => {
        if (isNews(level, message)) process.stderr.write(`${message}\n`);
      },
    }),
  );
  const { port } = await miniflare.unsafeGetDirectURL(NAME);
  const runScheduled = async () => {
    const fetcher = await miniflare.getWorker(NAME);
    await fetcher.scheduled({ scheduledTime: new Date(), cron: patterns[0] ?? "" });
  };
  const crons = patterns.map((pattern) => new Cron(pattern, { timezone: "UTC" }, runScheduled));
  const hostname = options.host.includes(":") ? `[${options.host}]` : options.host;
  // A port of "" is the usual one.
  const { origin: url } = new URL(`http://${hostname}:${port}`);
  noteServer(options.data, { url, pid: process.pid });
  // What was under way when the last server on this data ended need not wait for the next tick.
  await runScheduled();
  return {
    url,
    miniflare,
    runScheduled,
    stop: async () => {
      for (const cron of crons) cron.stop();
      // `dispose()` would cut what workerd is doing. Afterwards Miniflare starts a new one, which it then ends.
      await endRuntimes(runtimesOn(options.data), DRAIN_MS);
      await miniflare.dispose();
      forgetServer(options.data);
    },
  };
}

/** What belongs into the log here. What was asked for at the command line, and upkeep that went well, is said elsewhere or not at all. */
function isNews(level: string, message: string): boolean {
  return ["error", "warn"].includes(level) || (level === "info" && !/^\{"event":"(?:admin|upkeep)"/.test(message));
}

interface LocalS3 {
  S3_ENDPOINT: string;
  S3_BUCKET: string;
  S3_ACCESS_KEY_ID: string;
  S3_SECRET_ACCESS_KEY: string;
}

/** Miniflare takes S3 requests for the Host 127.0.0.1 and localhost only. */
function localS3At(port: number): LocalS3 {
  const endpoint = { S3_ENDPOINT: `http://127.0.0.1:${port}/cdn-cgi/local/r2/s3`, S3_BUCKET: NAME };
  return { ...endpoint, S3_ACCESS_KEY_ID: newSecret(), S3_SECRET_ACCESS_KEY: newSecret() };
}

function s3Credentials({ S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey }: LocalS3) {
  return { accessKeyId, secretAccessKey };
}

async function findFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("There is no free port.");
  return address.port;
}

function variablesOf({ secrets, settings }: ServerOptions, s3: LocalS3 | null): Record<string, string> {
  // Nothing cuts request bodies in front of this server, and its bucket is as near as any cache.
  // Nothing overwrites a header that says where a request comes from, so anybody could say anything.
  const local = { MAX_REQUEST_BYTES: "unlimited", BLOB_CACHE: "false", CLIENT_ADDRESS_HEADER: "none" };
  const variables: Record<string, string> = { ...local, ...s3, ...secrets };
  for (const name of [...Object.keys(settingDefinitions), ...providerVariableNames(settings ?? {})]) {
    const value = settings?.[name];
    if (value !== undefined && value !== "") variables[name] = value;
  }
  return variables;
}

/** Two servers on one database would each believe that nobody else writes to it. */
async function ensureNobodyUses(data: string): Promise<void> {
  const orphans = runtimesOn(data).filter((runtime) => runtime.isOrphan);
  await endRuntimes(orphans, DRAIN_MS);
  const running = findServer(data);
  // After a crash another process may have been given the noted id, so its word is not enough.
  const isUsed = runtimesOn(data).length > 0 || (running !== null && (await answers(running.url)));
  if (!isUsed) return;
  const where = running === null ? ", or is about to" : `, at ${running.url} (process ${running.pid})`;
  throw new Error(`A registry runs on this data already${where}.`);
}

async function answers(url: string): Promise<boolean> {
  return await fetch(`${url}/version`, { signal: AbortSignal.timeout(2_000) }).then(
    (response) => response.ok,
    () => false,
  );
}

async function ensurePortIsFree(host: string, port: number): Promise<void> {
  if (port === 0) return;
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once("error", () =>
      reject(new Error(`Port ${port} on ${host} cannot be listened on. Choose another: npm start -- --port N`)),
    );
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}
