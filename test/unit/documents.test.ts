import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { documents } from "../../scripts/generate/documents.ts";
import { settingDefinitions } from "../../worker/registry/settings.ts";

const root = resolve(import.meta.dirname, "../..");

describe("documents made from code", () => {
  it.each(documents)("$path says what the code says; `npm run generate` makes it so", async ({ path, render }) => {
    const committed = existsSync(resolve(root, path)) ? readFileSync(resolve(root, path), "utf8") : "";
    expect(committed, `${path} is not up to date. Look at the difference below, then: npm run generate`).toBe(
      await render(),
    );
  });

  it("an administrator finds every setting in docs/configuration.md, once, with its default", () => {
    const text = readFileSync(resolve(root, "docs/configuration.md"), "utf8");
    for (const [name, { defaultText }] of Object.entries(settingDefinitions)) {
      const rows = text.split("\n").filter((line) => line.startsWith(`| \`${name}\` |`));
      expect(rows, name).toHaveLength(1);
      expect(rows[0], name).toContain(`| ${defaultText} |`);
    }
  });
});
