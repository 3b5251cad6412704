import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Clone, makeClone, runCommand, startRegistry } from "../support/run-command.ts";

let clone: Clone;
let data: string;

beforeAll(() => {
  clone = makeClone();
  data = join(clone.home, "data");
});
afterAll(() => clone.remove());

const small = ["--collections", "20", "--images", "200"];
const seed = (...args: string[]) => runCommand(clone, "seed", ["--data", data, ...args]);

it("a new registry is seeded with what was asked for, and runs with it", async () => {
  const { status, stdout, stderr } = await seed(...small);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/\s20 {2}collections\n/);
  expect(stdout).toContain("there are no bytes to pull");
  const registry = await startRegistry(clone, { data });
  try {
    const answer = await fetch(`${registry.url}/api/collections/`);
    const { results } = (await answer.json()) as { results: { name: string }[] };
    expect(results.map(({ name }) => name)).toContain("user-1/alignment-1");
    const meanwhile = await seed("--force", ...small);
    expect([meanwhile.status, meanwhile.stderr]).toEqual([1, expect.stringContaining("runs on this data already")]);
  } finally {
    await registry.stop();
  }
});

it("one that has users is left alone, and one that was seeded cannot be seeded again", async () => {
  const refused = await seed(...small);
  expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining("has users already")]);
  const again = await seed("--force", ...small);
  expect([again.status, again.stderr]).toEqual([1, expect.stringContaining("was seeded already")]);
});

it("what cannot be done is said before anything is", async () => {
  for (const args of [
    ["--images", "many"],
    ["--collections", "0"],
    ["--seed", "-1"],
    ["--host", "registry.example"],
  ]) {
    const { status, stderr } = await seed(...args);
    expect([status, stderr], args.join(" ")).toEqual([1, expect.stringContaining("npm run seed --")]);
  }
  const { status, stdout } = await runCommand(clone, "seed", ["--help"]);
  expect([status, stdout]).toEqual([0, expect.stringContaining("--collections N")]);
});
