import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { addRemote, login } from "../../ui/client-lines.ts";
import type { TestServer } from "./test-server.ts";

/*
 * Drives the real `apptainer`. Tests that need it are `describe.skipIf(!hasApptainer)`; where there is none,
 * the reason is printed once for each file of tests.
 */

/** However slow the machine, no command of these tests takes nearly as long, unless they say so. */
const COMMAND_MS = 60_000;

const apptainer = findApptainer();
export const hasApptainer = apptainer !== null;
if (!hasApptainer) {
  console.warn(
    "Tests with the real client are skipped: there is no apptainer, neither in $APPTAINER nor in $PATH. " +
      "scripts/install-apptainer.sh installs it on Debian.",
  );
}

/** What a command printed: results on stdout, all that apptainer says about itself on stderr. */
export interface Printed {
  stdout: string;
  stderr: string;
}

/** One user's machine: a home of its own, which is the working folder too, with its own remotes, keys and cache. */
export interface Client {
  folder: string;
  /** The path of a file in the working folder. */
  path: (file: string) => string;
  read: (file: string) => Buffer;
  write: (file: string, content: string | Uint8Array) => void;
  /** Runs `apptainer ARGS`. @throws with what it printed, unless it succeeds */
  run: (...args: string[]) => Promise<Printed>;
  /** Runs `apptainer ARGS`, which must fail, and answers what it printed. @throws when it succeeds */
  refusal: (...args: string[]) => Promise<string>;
  /** Begins `apptainer ARGS`, and ends it with -9 when `signal` says so. @returns how it ended */
  begin: (signal: AbortSignal, ...args: string[]) => Promise<Ended>;
  /** Runs lines of a shell as they stand, until the first that fails. @throws with what they printed, if one does */
  paste: (lines: string[], input?: string) => Promise<Printed>;
}

const folders: string[] = [];

/** A machine whose client knows no registry yet, and whose commands end within so many milliseconds. */
export function newClient(commandMs: number = COMMAND_MS): Client {
  const folder = mkdtempSync(join(tmpdir(), "registry-client-"));
  folders.push(folder);
  const path = (file: string) => join(folder, file);
  const apptainer = async (args: string[], signal?: AbortSignal) =>
    await execute("apptainer", args, { folder, commandMs, ...(signal && { signal }) });
  const lines = async (script: string[], input = "") =>
    await execute("bash", ["-euc", script.join("\n")], { folder, commandMs, input });
  return {
    folder,
    path,
    read: (file) => readFileSync(path(file)),
    write: (file, content) => {
      mkdirSync(dirname(path(file)), { recursive: true });
      writeFileSync(path(file), content);
    },
    run: async (...args) => succeeded(args, await apptainer(args)),
    refusal: async (...args) => {
      const ended = await apptainer(args);
      if (ended.status === 0) throw new Error(`apptainer ${args.join(" ")} succeeded:\n${textOf(ended)}`);
      return textOf(ended);
    },
    begin: async (signal, ...args) => await apptainer(args, signal),
    paste: async (script, input) => succeeded(script, await lines(script, input)),
  };
}

/** What a client must know of a registry. */
type Site = Pick<TestServer, "site">;

/** A machine whose client uses the registry, logged in where there is a token: by the lines of the home page. */
export async function newClientOf(server: Site, token?: string, commandMs?: number): Promise<Client> {
  const client = newClient(commandMs);
  await client.paste(addRemote(server.site));
  if (token !== undefined) await logIn(client, server, token);
  return client;
}

export async function logIn(client: Client, server: Site, token: string): Promise<void> {
  client.write("token.txt", `${token}\n`);
  await client.paste(login(server.site));
}

/** Deletes all homes; for `afterAll`. */
export function removeClients(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** A file of `test/fixtures`, made by the real client. */
export function fixture(name: string): Uint8Array {
  return readFileSync(join(import.meta.dirname, "../fixtures", name));
}

export interface Ended extends Printed {
  /** Null after a signal. */
  status: number | null;
}

interface Machine {
  folder: string;
  commandMs: number;
  input?: string;
  /** Ends the command at once. */
  signal?: AbortSignal;
}

function succeeded(command: string[], ended: Ended): Printed {
  if (ended.status === 0) return ended;
  throw new Error(`${command.join(" ")} ended with status ${ended.status}:\n${textOf(ended)}`);
}

function textOf({ stdout, stderr }: Printed): string {
  return `${stdout}${stderr}`;
}

async function execute(program: string, args: string[], machine: Machine): Promise<Ended> {
  const { folder, commandMs, input = "", signal } = machine;
  const child = spawn(program, args, { cwd: folder, env: environmentOf(folder), detached: true });
  let [stdout, stderr, isLate] = ["", "", false];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // A command that reads no input may have ended by now.
  child.stdin.on("error", () => undefined).end(input);
  // It leads a group of its own (`detached`), in which a shell's programs are too.
  const kill = () => child.pid !== undefined && process.kill(-child.pid, "SIGKILL");
  signal?.addEventListener("abort", kill);
  const timer = setTimeout(() => {
    isLate = true;
    kill();
  }, commandMs);
  const status = await new Promise<number | null>((done, failed) => {
    child.once("error", failed);
    child.once("close", done);
  }).finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", kill);
  });
  if (!isLate) return { status, stdout, stderr };
  throw new Error(`${program} ${args.join(" ")} was still running after ${commandMs / 1000} s:\n${stdout}${stderr}`);
}

/** Nothing of the machine's own settings; and fixtures are for amd64, whatever the machine is. */
function environmentOf(home: string): NodeJS.ProcessEnv {
  return {
    HOME: home,
    PATH: `${dirname(apptainer ?? "")}${delimiter}${process.env.PATH ?? ""}`,
    LC_ALL: "C",
    // Nothing reaches another machine; on loopback the client uses no proxy, and the registry here no https.
    HTTPS_PROXY: "http://127.0.0.1:9",
    APPTAINER_CONFIGDIR: join(home, ".apptainer"),
    APPTAINER_CACHEDIR: join(home, "cache"),
    // The names of `--arch` of pull, search and delete (1.4.5).
    APPTAINER_PULL_ARCH: "amd64",
    APPTAINER_SEARCH_ARCH: "amd64",
    APPTAINER_ARCH: "amd64",
  };
}

function findApptainer(): string | null {
  const given = process.env.APPTAINER;
  const candidates = given
    ? [resolve(given)]
    : (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "apptainer"));
  const found = candidates.find((file) => basename(file) === "apptainer" && isExecutable(file));
  if (found === undefined) return null;
  return spawnSync(found, ["--version"], { timeout: COMMAND_MS }).status === 0 ? found : null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
