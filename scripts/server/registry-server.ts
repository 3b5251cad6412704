import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Cron } from "croner";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler";
import { parseSettings, settingDefinitions } from "../../worker/registry/settings.ts";
import { findServer, forgetServer, isAlive, type LocalSecrets, noteServer } from "./local-data.ts";
import { migrate } from "./migrate.ts";

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
  const variables = variablesOf(options);
  const parsed = parseSettings(variables);
  if (!parsed.ok) throw new Error(`The settings are not right:\n  ${parsed.problems.join("\n  ")}`);
  const running = findServer(options.data);
  // After a crash another process may have been given the same id, so the registry itself is asked.
  if (running !== null && (await answers(running.url))) {
    throw new Error(`A registry runs on this data already, at ${running.url} (process ${running.pid}).`);
  }
  await ensurePortIsFree(options.host, options.port);
  const { workerOptions } = workerOptionsOf(join(options.root, "wrangler.toml"));
  const { assets: _, ...worker } = workerOptions;
  const patterns = (worker.cronTriggers ?? []) as string[];
  const bundle = join(options.root, "dist", "worker");
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...worker,
      name: NAME,
      rootPath: options.root,
      modules: [{ type: "ESModule", path: join(bundle, "index.js") }],
      modulesRoot: bundle,
      bindings: variables,
      serviceBindings: { ASSETS: { disk: { path: join(options.root, "dist", "ui"), writable: false } } },
      resourcePersistencePath: options.data,
      unsafeDirectSockets: [{ host: options.host, port: options.port }],
      host: "127.0.0.1",
      port: 0,
      cf: false,
      logRequests: false,
      log: new Log(LogLevel.ERROR),
      handleStructuredLogs: ({ level, message }) => {
        if (level === "error" || level === "warn") process.stderr.write(`${message}\n`);
      },
    }),
  );
  await miniflare.ready;
  await migrate(await miniflare.getD1Database("DB"), join(options.root, "migrations"));
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
  return {
    url,
    miniflare,
    runScheduled,
    stop: async () => {
      for (const cron of crons) cron.stop();
      forgetServer(options.data);
      await drain();
      await miniflare.dispose();
    },
  };
}

function variablesOf({ secrets, settings }: ServerOptions): Record<string, string> {
  // Nothing cuts request bodies in front of this server, so their size is the user's own affair.
  const variables: Record<string, string> = { MAX_REQUEST_BYTES: "unlimited", ...secrets };
  for (const name of Object.keys(settingDefinitions)) {
    const value = settings?.[name];
    if (value !== undefined && value !== "") variables[name] = value;
  }
  return variables;
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

/**
 * workerd finishes what it is doing when it gets SIGTERM; `dispose()` would cut it. Afterwards Miniflare
 * starts a new one, which `dispose()` then ends.
 */
async function drain(): Promise<void> {
  const workers = childrenNamed("workerd");
  for (const pid of workers) process.kill(pid, "SIGTERM");
  const deadline = Date.now() + DRAIN_MS;
  while (workers.some(isAlive) && Date.now() < deadline) await sleep(20);
}

/** Children of this process by their program's name. Where there is no /proc nothing is drained. */
function childrenNamed(name: string): number[] {
  try {
    return readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number)
      .filter((pid) => isChild(pid, name));
  } catch {
    return [];
  }
}

function isChild(pid: number, name: string): boolean {
  try {
    // pid (comm) state ppid …; comm may hold spaces and brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const comm = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return basename(comm) === name && state !== "Z" && Number(parent) === process.pid;
  } catch {
    return false;
  }
}
