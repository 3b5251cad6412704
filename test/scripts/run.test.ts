import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Result, runCommand } from "../support/run-command.ts";

describe("every command", () => {
  let folder: string;

  /** A project with one command, and an npm that only notes that it was asked. */
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "registry-run-"));
    mkdirSync(join(folder, "scripts"));
    copyFileSync(resolve(import.meta.dirname, "../../scripts/run.mjs"), join(folder, "scripts", "run.mjs"));
    writeFileSync(
      join(folder, "scripts", "hello.ts"),
      "const words: string[] = process.argv.slice(2);\nconsole.log(words.join(','));\nprocess.exit(words.length);\n",
    );
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "package-lock.json"), "{}");
    writeNpm("fs.mkdirSync('node_modules/.bin', { recursive: true })");
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function writeNpm(does: string): void {
    const notes = `fs.appendFileSync("asked", process.argv.slice(2).join(" ") + "\\n");`;
    writeFileSync(join(folder, "npm.cjs"), `const fs = require("node:fs");\n${notes}\n${does};\n`);
  }

  async function hello(...words: string[]): Promise<Result> {
    const clone = { root: folder, home: folder, remove: () => undefined };
    return await runCommand(clone, "hello", words, { npm_execpath: join(folder, "npm.cjs") });
  }

  function asked(): string[] {
    const file = join(folder, "asked");
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  }

  it("installs what the lock says the first time, and again only when the lock has changed", async () => {
    expect(await hello()).toMatchObject({ status: 0, stderr: expect.stringContaining("Installing what the project") });
    expect(asked()).toEqual([expect.stringMatching(/^ci --ignore-scripts /)]);
    expect(await hello()).toMatchObject({ status: 0, stderr: "" });
    expect(asked()).toHaveLength(1);
    writeFileSync(join(folder, "package-lock.json"), '{ "changed": true }');
    await hello();
    expect(asked()).toHaveLength(2);
  });

  it("says so when installing fails, and tries again the next time", async () => {
    writeNpm("process.exit(7)");
    expect(await hello()).toMatchObject({ status: 1, stdout: "", stderr: expect.stringContaining("npm ci failed") });
    await hello();
    expect(asked()).toHaveLength(2);
  });

  it("hands its words and its status through", async () => {
    expect(await hello("--one", "two words")).toMatchObject({ status: 2, stdout: "--one,two words\n" });
  });

  it("runs on the Node that the project brings, whatever Node the machine has", async () => {
    writeNode("v24.1.0");
    expect(await hello("x")).toMatchObject({ status: 0, stdout: "own Node: scripts/hello.ts x\n" });
  });

  it("tells a Node that reads TypeScript only when asked to do so", async () => {
    writeNode("v22.12.0");
    expect((await hello()).stdout).toMatch(/^own Node: --experimental-strip-types \S+ scripts\/hello\.ts\n$/);
  });

  it("says which Node it needs where there is only an older one", async () => {
    writeNode("v20.19.0");
    const { status, stderr } = await hello();
    expect([status, stderr]).toEqual([1, expect.stringMatching(/Node v20\.19\.0.*install Node 22\.12 or newer/)]);
  });

  function writeNode(version: string): void {
    const file = join(folder, "own-node");
    writeFileSync(file, `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; else echo "own Node: $*"; fi\n`);
    chmodSync(file, 0o755);
    writeNpm(
      "fs.mkdirSync('node_modules/.bin', { recursive: true }); fs.renameSync('own-node', 'node_modules/.bin/node')",
    );
  }
});
