// Runs one of the project's commands on any machine with Node 20 or newer: installs what package-lock.json
// says when that is not what is installed, then hands over to the project's own Node, which reads
// TypeScript. Plain JavaScript without dependencies, because nothing may be there yet.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const modules = join(root, "node_modules");
const [command, ...rest] = process.argv.slice(2);

// `npm run dev` is `npm start`, begun again whenever a source changes.
const isDev = command === "dev";
const watched = isDev
  ? ["worker", "ui", "scripts", "migrations", "migrations-search"].map((path) => `--watch-path=${path}`)
  : [];

install();
run([...watched, join("scripts", `${isDev ? "start" : command}.ts`), ...rest]);

function install() {
  const stamp = join(modules, ".installed-lock");
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  console.error("Installing what the project needs (once, about half a minute) ...");
  // npm tells its scripts where it is; its install scripts are not needed.
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
  const args = [...npm.slice(1), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status } = spawnSync(npm[0], args, { cwd: root, stdio: ["ignore", 2, "inherit"] });
  if (status !== 0) fail("npm ci failed: its reasons stand above.");
  writeFileSync(stamp, wanted);
}

function run(args) {
  const own = join(modules, ".bin", "node");
  const node = existsSync(own) ? own : process.execPath;
  const env = {
    ...process.env,
    PATH: `${join(modules, ".bin")}${delimiter}${process.env.PATH ?? ""}`,
    WRANGLER_SEND_METRICS: "false",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
  };
  const child = spawn(node, [...typeScriptFlags(node), ...args], { cwd: root, stdio: "inherit", env });
  // Ctrl-C reaches the child by itself; it decides when it is done.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", (error) => fail(error.message));
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
}

/** Node reads TypeScript by itself from 22.18 on, and with a flag from 22.6 on. */
function typeScriptFlags(node) {
  const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
  const [major = 0, minor = 0] = version.slice(1).split(".").map(Number);
  if (major < 22 || (major === 22 && minor < 12)) {
    fail(
      `This machine has Node ${version}, and the project brings its own for Linux only: install Node 22.12 or newer.`,
    );
  }
  const needsFlag = major === 22 && minor < 18;
  return needsFlag ? ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"] : [];
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
