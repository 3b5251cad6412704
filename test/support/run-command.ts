import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Runs the project's commands as users do, in a copy of the project, with nothing of this machine's settings. */

const root = resolve(import.meta.dirname, "../..");
const sources = [
  "scripts",
  "worker",
  "ui",
  "docs/openapi.json",
  "migrations",
  "migrations-search",
  "package.json",
  "package-lock.json",
  "wrangler.toml",
];
const configurations = ["vite.config.ts", "tsconfig.base.json"];

/** A copy of the project with what is installed, and nothing a command has made. */
export interface Clone {
  root: string;
  /** The home of whoever works in it: empty, so that nobody is logged in anywhere. */
  home: string;
  remove: () => void;
}

export function makeClone(): Clone {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "registry-clone-")));
  const [clone, home] = [join(folder, "project"), join(folder, "home")];
  mkdirSync(clone);
  mkdirSync(home);
  for (const source of [...sources, ...configurations]) {
    cpSync(join(root, source), join(clone, source), { recursive: true });
  }
  linkModules(join(root, "node_modules"), join(clone, "node_modules"));
  const lock = createHash("sha256").update(readFileSync(join(clone, "package-lock.json")));
  writeFileSync(join(clone, "node_modules", ".installed-lock"), lock.digest("hex"));
  return { root: clone, home, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A folder of its own, so that nothing a command might do in it reaches what is installed here. */
function linkModules(from: string, to: string): void {
  mkdirSync(join(to, ".bin"), { recursive: true });
  for (const entry of readdirSync(from).filter((name) => !name.startsWith("."))) {
    symlinkSync(join(from, entry), join(to, entry));
  }
  for (const program of readdirSync(join(from, ".bin"))) {
    symlinkSync(realpathSync(join(from, ".bin", program)), join(to, ".bin", program));
  }
}

export interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}

export type Environment = Readonly<Record<string, string>>;

/** `npm run COMMAND -- ARGS`, without npm's own lines. */
export async function runCommand(
  clone: Clone,
  command: string,
  args: readonly string[] = [],
  environment: Environment = {},
): Promise<Result> {
  const child = startCommand(clone, command, args, environment);
  const status = await child.ended;
  return { status, stdout: child.stdout(), stderr: child.stderr() };
}

export interface Running {
  process: ChildProcess;
  stdout: () => string;
  stderr: () => string;
  /** The status it ended with; null after a signal. */
  ended: Promise<number | null>;
}

export function startCommand(
  clone: Clone,
  command: string,
  args: readonly string[] = [],
  environment: Environment = {},
): Running {
  return launch(clone, [process.execPath, join(clone.root, "scripts", "run.mjs"), command, ...args], {
    ...plainEnvironment(clone),
    ...environment,
  });
}

function plainEnvironment(clone: Clone): Environment {
  return {
    PATH: process.env.PATH ?? "",
    HOME: clone.home,
    TMPDIR: tmpdir(),
    CI: "1",
    // wrangler alone takes Node a second to compile.
    NODE_COMPILE_CACHE: join(clone.home, "compile-cache"),
  };
}

/** Runs a program in the project, in a process group of its own, as a shell or a service manager does. */
function launch(clone: Clone, [program = "", ...args]: readonly string[], env: Environment): Running {
  const child = spawn(program, args, {
    cwd: clone.root,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const texts = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      texts[stream] += text;
    });
  }
  const ended = new Promise<number | null>((done, broken) => {
    child.on("error", broken);
    child.on("close", (status) => done(status));
  });
  return { process: child, stdout: () => texts.stdout, stderr: () => texts.stderr, ended };
}

export interface Registry extends Running {
  url: string;
  /** The process that serves; the command's own process only waits for it. */
  serverPid: number;
  /** Stops it as a service manager does, and waits until it is gone. */
  stop: () => Promise<number | null>;
}

export interface StartOptions {
  /** The folder it keeps its data in; without one the project's own. */
  data?: string;
  /** 0 takes any free port, so that tests meet nobody. */
  port?: number;
  args?: readonly string[];
  environment?: Environment;
  /** Through npm itself, with its process in between. */
  throughNpm?: boolean;
}

/** npm tells the commands it runs where it is. */
const npm = process.env.npm_execpath === undefined ? ["npm"] : [process.execPath, process.env.npm_execpath];

/** `npm start`, up to the lines that say where it listens and what is next. */
export async function startRegistry(clone: Clone, options: StartOptions = {}): Promise<Registry> {
  const { data, port = 0, args = [], environment, throughNpm = false } = options;
  const given = ["--port", String(port), ...(data === undefined ? [] : ["--data", data]), ...args];
  const running = throughNpm
    ? launch(clone, [...npm, "start", "--", ...given], { ...plainEnvironment(clone), ...environment })
    : startCommand(clone, "start", given, environment);
  const url = await new Promise<string>((done, broken) => {
    running.process.stdout?.on("data", () => {
      const found = /running at (\S+).*Push an image/s.exec(running.stdout())?.[1];
      if (found !== undefined) done(found);
    });
    running.ended.then(() => broken(new Error(`npm start ended:\n${running.stdout()}${running.stderr()}`)), broken);
  });
  const file = join(data ?? join(clone.root, ".data"), "server.json");
  const note = JSON.parse(readFileSync(file, "utf8")) as { pid: number };
  const stop = async () => {
    if (running.process.exitCode === null) running.process.kill("SIGTERM");
    return await running.ended;
  };
  return { ...running, url, serverPid: note.pid, stop };
}

/** Whoever has a folder in its command line or environment: the commands started on it, and their workerd. */
export function processesOn(data: string): number[] {
  if (!existsSync("/proc")) return [];
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid && uses(pid, data));
}

function uses(pid: number, data: string): boolean {
  try {
    const texts = ["cmdline", "environ"].map((file) => readFileSync(`/proc/${pid}/${file}`, "utf8"));
    return texts.some((text) => text.includes(data));
  } catch {
    return false;
  }
}
