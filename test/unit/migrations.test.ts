import { globSync, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { generateSQLiteDrizzleJson } from "drizzle-kit/api";
import { describe, expect, it } from "vitest";
import { unstable_splitSqlQuery as statementsOf } from "wrangler";
import * as z from "zod";

const root = resolve(import.meta.dirname, "../..");
const readJson = (path: string): unknown => JSON.parse(readFileSync(resolve(root, path), "utf8"));
const { entries } = z
  .looseObject({ entries: z.array(z.looseObject({ idx: z.int(), tag: z.string() })) })
  .parse(readJson("migrations/meta/_journal.json"));

describe("the migrations", () => {
  it("are the files that the journal names, in order", () => {
    const files = globSync("migrations/*.sql", { cwd: root }).map((path) => basename(path, ".sql"));
    expect(files.sort()).toEqual(entries.map(({ tag }) => tag));
    expect(entries.map(({ tag }) => Number(tag.slice(0, 4)))).toEqual(entries.map((_, index) => index));
  });

  it("have one statement between two breakpoints, as `npm start` runs them", () => {
    const files = globSync("migrations*/*.sql", { cwd: root });
    const parts = files.flatMap((file) => readFileSync(resolve(root, file), "utf8").split("--> statement-breakpoint"));
    expect(parts.length).toBeGreaterThan(200);
    expect(parts.filter((part) => statementsOf(part).length !== 1)).toEqual([]);
  });

  it("make the tables that the code expects; otherwise: npx drizzle-kit generate --name what-it-does", async () => {
    const paths = globSync("worker/storage/db/schema/*.ts", { cwd: root });
    const modules = await Promise.all(
      paths.map(async (path) => (await import(resolve(root, path))) as Record<string, unknown>),
    );
    const now = await generateSQLiteDrizzleJson(Object.assign({}, ...modules));
    const last = z
      .looseObject({ tables: z.record(z.string(), z.unknown()), views: z.unknown() })
      .parse(readJson(`migrations/meta/${String(entries.length - 1).padStart(4, "0")}_snapshot.json`));
    expect({ tables: now.tables, views: now.views }).toEqual({ tables: last.tables, views: last.views });
  });
});
