import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { version } from "../../worker/version.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(resolve(root, path), "utf8");
const { version: packageVersion, scripts } = z
  .looseObject({ version: z.string(), scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read("package.json")));

const texts = globSync(["*.md", "docs/**/*.md", "test/**/*.md"], { cwd: root }).sort();

describe("the version", () => {
  it("that clients show is the one of package.json", () => {
    expect(version).toBe(packageVersion);
  });
});

describe("docs/parity.md", () => {
  const rows = read("docs/parity.md")
    .split("\n")
    .filter((line) => line.startsWith("| F-"))
    .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | ?\|$/g, "").trim()));
  const isAnswered = (here: string | undefined) => here !== "not yet";

  it("has every feature of the original, F-001 to F-200, once and in order", () => {
    const expected = Array.from({ length: 200 }, (_, index) => `F-${String(index + 1).padStart(3, "0")}`);
    expect(rows.map(([number]) => number)).toEqual(expected);
  });

  it("claims nothing that no test shows", () => {
    const unproven = rows.filter(([, , here, tests]) => isAnswered(here) && !/\]\(\.\.\/test\/.+\)/.test(tests ?? ""));
    expect(unproven).toEqual([]);
  });

  it("names no test for what is not there yet", () => {
    expect(rows.filter(([, , here, tests]) => !isAnswered(here) && tests !== "")).toEqual([]);
  });

  it("counts what is answered", () => {
    const answered = rows.filter(([, , here]) => isAnswered(here)).length;
    expect(read("docs/parity.md").trim().split("\n").at(-1)).toBe(`${answered} of 200 are answered.`);
  });
});

describe.each(texts)("a reader of %s", (text) => {
  const content = read(text);

  it("finds a file behind every link", () => {
    const links = [...content.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
    const inside = links.filter((target) => !/^(?:[a-z]+:|#)/.test(target)).map((target) => target.replace(/#.*$/, ""));
    const dead = [...new Set(inside)].filter((target) => !existsSync(resolve(root, dirname(text), target)));
    expect(dead.map((target) => relative(root, resolve(root, dirname(text), target)))).toEqual([]);
  });

  it("finds every file it names", () => {
    const named = [...content.matchAll(/`((?:worker|ui|scripts|test|docs|migrations)\/[\w./-]+\.\w+)`/g)].map(
      ([, path = ""]) => path,
    );
    expect([...new Set(named)].filter((path) => !existsSync(resolve(root, path)))).toEqual([]);
  });

  it("can run every command it names", () => {
    const commands = [...content.matchAll(/\bnpm run (?:--silent )?([a-z][\w-]*)/g)].map(([, name = ""]) => name);
    expect([...new Set(commands)].filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });
});

describe("an npm command", () => {
  it.each(Object.entries(scripts))("%s is run by a file of scripts/", (name, command) => {
    // `exec`: npm signals the shell in between alone, which would leave a server behind.
    expect(command.replace(/^exec /, "")).toBe(`node scripts/run.mjs ${name}`);
    // `npm run dev` is `npm start`, begun again.
    expect(existsSync(resolve(root, "scripts", `${name === "dev" ? "start" : name}.ts`))).toBe(true);
  });

  it.each(Object.keys(scripts))("%s is named to people", (name) => {
    const told = texts.map(read).join("\n");
    expect(told).toMatch(new RegExp(`\`?npm (?:run )?(?:--silent )?${name}\\b`));
  });
});
