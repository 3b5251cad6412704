import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

/** Lint, format and types of everything; warnings count. `--fix` mends what can be mended. */
const root = resolve(import.meta.dirname, "..");
const isFixing = process.argv.includes("--fix");
const projects = ["worker", "ui", "scripts", "test", "test/unit", "test/worker"];

const commands = [
  ["biome", "check", "--error-on-warnings", ...(isFixing ? ["--write"] : []), "."],
  ...projects.map((project) => ["tsc", "-p", project]),
];
const failed = commands.filter(([program = "", ...args]) => {
  const { status } = spawnSync(program, args, { cwd: root, stdio: "inherit" });
  return status !== 0;
});
for (const command of failed) console.error(`Failed: ${command.join(" ")}`);
if (failed.length > 0) process.exitCode = 1;
