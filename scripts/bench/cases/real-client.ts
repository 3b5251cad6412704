import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, createReadStream, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { type Bench, hasRoom, omit, report, withFolder, withRegistry } from "../bench.ts";
import type { Unit } from "../figures.ts";
import { BenchImage } from "../image.ts";
import { peakMemoryMib } from "../machine.ts";
import { secondsOf } from "../measure.ts";
import type { Registry } from "../registry.ts";
import { pathOf } from "../registry-push.ts";
import { sizeText } from "./transfer.ts";

const run = promisify(execFile);
/** A client that hangs is ended: a gigabyte takes far less. */
const TIMEOUT_MS = 15 * 60_000;

/** The real client pushes and pulls one image, once; what it pulled is held against what it pushed. */
export async function measureRealClient(bench: Bench): Promise<void> {
  const sizeBytes = bench.sizes.client;
  const what = `${sizeText(sizeBytes)} by apptainer`;
  const program = findApptainer();
  if (program === null) {
    omit(bench, what, "because apptainer is neither in PATH nor named by APPTAINER");
    return;
  }
  if (!hasRoom(bench, what, 3.1 * sizeBytes)) return;
  await withFolder(bench, "client", async (folder) => {
    const { stdout } = await run(program, ["--version"]);
    const version = stdout.trim();
    const image = new BenchImage(sizeBytes);
    const file = join(folder, "pushed.sif");
    await image.writeTo(file);
    await withRegistry(bench, folder, async (registry) => {
      const apptainer = await clientOf(program, folder, registry);
      const uri = `library://${pathOf(registry)}:v1`;
      const say = (name: string, unit: Unit, value: number) =>
        report(bench, { name: `${name}, ${version}`, unit, ours: [value], bare: [], goal: null });
      const pushSeconds = await secondsOf(() => apptainer("push", "-U", file, uri));
      say(`${sizeText(sizeBytes)} push (hashed by the client first)`, "s", pushSeconds);
      rmSync(file);
      const pulled = join(folder, "pulled.sif");
      say(`${sizeText(sizeBytes)} pull`, "s", await secondsOf(() => apptainer("pull", "--disable-cache", pulled, uri)));
      if ((await digestOf(pulled)) !== image.digest) throw new Error("What apptainer pulled is not what it pushed.");
      const peak = registry.pid === null ? null : peakMemoryMib(registry.pid);
      if (peak !== null) say(`Peak memory, ${sizeText(sizeBytes)} push and pull`, "MiB", peak);
    });
  });
}

/** The client, logged in to one registry, with folders of its own. */
async function clientOf(program: string, folder: string, { url, token }: Registry) {
  const home = join(folder, "home");
  mkdirSync(home, { mode: 0o700 });
  const remote = { URI: url, Token: token, System: false, Exclusive: false, Insecure: true };
  // JSON is YAML. `apptainer remote add` takes no address with a port.
  const remotes = JSON.stringify({ Active: "bench", Remotes: { bench: remote } });
  writeFileSync(join(home, "remote.yaml"), remotes, { mode: 0o600 });
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: home,
    APPTAINER_CONFIGDIR: home,
    APPTAINER_CACHEDIR: join(home, "cache"),
    APPTAINER_TMPDIR: home,
  };
  // Not waited for in place: this process also runs the registry's own services.
  return async (...args: string[]) => await run(program, args, { env, timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 ** 2 });
}

function findApptainer(): string | null {
  const { APPTAINER, PATH = "" } = process.env;
  const candidates = APPTAINER ? [APPTAINER] : PATH.split(delimiter).map((folder) => join(folder, "apptainer"));
  return candidates.find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 1024 ** 2 }), hash);
  return `sha256.${hash.digest("hex")}`;
}
