import { globSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const text = readFileSync(resolve(root, "ARCHITECTURE.md"), "utf8");
const rooms = /## The rooms\s+```\n([\s\S]*?)\n```/.exec(text)?.[1] ?? "";

describe("a reader of ARCHITECTURE.md", () => {
  it("finds every file it names, however short it calls it", () => {
    const files = globSync("{*,{worker,ui,scripts,migrations*,test,docs}/**/*}", { cwd: root });
    const named = [...text.matchAll(/[\w./-]+\.(?:tsx?|mjs|sql|toml|txt|md|json)\b/g)].map(([name]) => name);
    const isThere = (name: string) => files.some((file) => file === name || file.endsWith(`/${name}`));
    // An address, and how the files of a page are called.
    const others = ["/robots.txt", "Page.tsx", "Page.data.ts"];
    expect(named.length).toBeGreaterThan(50);
    expect([...new Set(named)].filter((name) => !isThere(name) && !others.includes(name))).toEqual([]);
  });

  it.each([".", "worker", "worker/registry", "worker/protocols", "ui", "scripts", "test"])(
    "is told of every folder in %s",
    (folder) => {
      const folders = readdirSync(resolve(root, folder), { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !/^(?:\..*|node_modules|dist)$/.test(entry.name))
        .map(({ name }) => `${name}/`);
      expect(folders.filter((name) => !isWordOf(name))).toEqual([]);
    },
  );

  it.each(["worker", "worker/registry"])("is told of every file that stands in %s itself", (folder) => {
    const files = globSync("*.ts", { cwd: resolve(root, folder) });
    expect(files.filter((name) => !isWordOf(name))).toEqual([]);
  });
});

/** Whether the rooms name it by itself, and not as the end of something else. */
function isWordOf(name: string): boolean {
  return rooms.split(/[\s,;()]+/).includes(name);
}
