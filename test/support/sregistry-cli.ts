import { spawn } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { Signer } from "./sregistry-client.ts";

/*
 * Drives the real `sregistry`. Tests that need it are `describe.skipIf(!hasSregistry)`; where there is none, the
 * reason is printed once for each file of tests.
 */

const COMMAND_MS = 60_000;

const sregistry = findSregistry();
export const hasSregistry = sregistry !== null;
export const sregistryPath = sregistry ?? "sregistry";
if (!hasSregistry) {
  console.warn(
    "Tests with the real sregistry are skipped: there is none, neither in $SREGISTRY_CLI nor in $PATH. " +
      "scripts/install-sregistry-cli.sh installs it.",
  );
}

/** How a command ended; some fail with status 0, so that its words are what counts. */
export interface SregistryResult {
  status: number | null;
  /** Both of its outputs, without colours. */
  text: string;
}

/** One user's machine, with secrets and a working folder of its own. */
export interface SregistryClient {
  path: (file: string) => string;
  write: (file: string, content: string | Uint8Array) => void;
  read: (file: string) => Buffer;
  files: () => string[];
  run: (...args: string[]) => Promise<SregistryResult>;
}

const folders: string[] = [];

/** @param base what it knows as its registry @param variables environment beside that */
export function newSregistryClient(
  base: string,
  signer: Signer | null,
  variables: Record<string, string> = {},
): SregistryClient {
  const folder = mkdtempSync(join(tmpdir(), "registry-sregistry-"));
  folders.push(folder);
  const path = (file: string) => join(folder, file);
  const registry = {
    SREGISTRY_REGISTRY_BASE: base,
    ...(signer !== null && { SREGISTRY_REGISTRY_USERNAME: signer.username, SREGISTRY_REGISTRY_TOKEN: signer.key }),
  };
  writeFileSync(path(".sregistry"), JSON.stringify({ SREGISTRY_CLIENT: "registry", registry }));
  const env = {
    HOME: folder,
    PATH: `${dirname(sregistryPath)}${delimiter}${process.env.PATH ?? ""}`,
    LC_ALL: "C.UTF-8",
    ...sregistryEnvironment(folder),
    // A registry that a URI names without a scheme.
    SREGISTRY_REGISTRY_NOHTTPS: "1",
    NO_PROXY: "127.0.0.1",
    HTTPS_PROXY: "http://127.0.0.1:9",
    ...variables,
  };
  return {
    path,
    write: (file, content) => writeFileSync(path(file), content),
    read: (file) => readFileSync(path(file)),
    files: () => readdirSync(folder),
    run: async (...args) => await execute(args, folder, env),
  };
}

/** What keeps the client within a folder. */
export function sregistryEnvironment(folder: string): Record<string, string> {
  return {
    // In the password database's home by default, whatever HOME says (0.2.39, defaults.py).
    SREGISTRY_CLIENT_SECRETS: join(folder, ".sregistry"),
    SREGISTRY_TMPDIR: folder,
    // No database: a pull writes the file, and that is all.
    SREGISTRY_DISABLE: "1",
    SINGULARITY_DISABLE_CACHE: "1",
  };
}

/** Deletes all of them; for `afterAll`. */
export function removeSregistryClients(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

async function execute(args: string[], folder: string, env: Record<string, string>): Promise<SregistryResult> {
  const child = spawn(sregistryPath, args, { cwd: folder, env, timeout: COMMAND_MS, killSignal: "SIGKILL" });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (some: string) => {
      text += some;
    });
  }
  child.stdin.end();
  const status = await new Promise<number | null>((done, failed) => {
    child.once("error", failed);
    child.once("close", done);
  });
  return { status, text: stripVTControlCharacters(text) };
}

function findSregistry(): string | null {
  const given = process.env.SREGISTRY_CLI;
  const candidates = given
    ? [resolve(given)]
    : (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "sregistry"));
  return candidates.find((file) => existsSync(file) && isExecutable(file)) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
