import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { documents } from "./generate/documents.ts";

/** Writes every document that is made from code. A test fails while one of them is not up to date. */
const root = resolve(import.meta.dirname, "..");

for (const { path, render } of documents) {
  writeFileSync(resolve(root, path), await render());
  console.log(`Wrote ${path}`);
}
