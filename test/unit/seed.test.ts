import { expect, it } from "vitest";
import { seedRows } from "../../scripts/seed/seed-rows.ts";

const size = { collections: 40, images: 400, seed: 7, now: Date.UTC(2026, 10, 1) };
const rowsOf = (change: Partial<typeof size> = {}) => JSON.stringify([...seedRows({ ...size, ...change })]);

it("the same seed makes the same registry, and another one another", () => {
  expect(rowsOf()).toBe(rowsOf());
  expect(rowsOf({ seed: 8 })).not.toBe(rowsOf());
});

it("a seeded registry has as much as was asked for, in collections of every visibility", () => {
  const tables = Map.groupBy(seedRows(size), ({ table }) => table);
  const count = (table: string) => (tables.get(table) ?? []).reduce((sum, { rows }) => sum + rows.length, 0);
  expect(count("collections")).toBe(40);
  // Less those that a container had already.
  expect(count("images")).toBeGreaterThan(390);
  const at = tables.get("collections")?.[0]?.columns.indexOf("visibility") ?? 0;
  const visibilities = tables.get("collections")?.flatMap(({ rows }) => rows.map((row) => row[at]));
  expect(new Set(visibilities)).toEqual(new Set(["public", "internal", "private"]));
});
