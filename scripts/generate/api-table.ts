import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { DocumentedOperation } from "./api-document.ts";
import { openApiDocument } from "./openapi.ts";

const START = "<!-- Made by `npm run generate`. -->";
const END = "<!-- The end of what is made. -->";

/** `docs/protocols/web.md`, which people write, with the table of every operation, which they do not. */
export function renderWebProtocol(): string {
  const text = readFileSync(resolve(import.meta.dirname, "../../docs/protocols/web.md"), "utf8");
  const [before, rest] = text.split(START);
  const [, after] = (rest ?? "").split(END);
  if (before === undefined || after === undefined) throw new Error(`docs/protocols/web.md needs ${START} and ${END}`);
  return [before, START, "\n\n", renderTable(), "\n", END, after].join("");
}

function renderTable(): string {
  const { paths, tags } = openApiDocument();
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ address: `${method.toUpperCase()} ${path}`, operation })),
  );
  const sections = tags.map(({ name, description }) => {
    const rows = operations
      .filter(({ operation }) => operation.tags.includes(String(name)))
      .map(({ address, operation }) => `| \`${address}\` | ${operation.summary} | ${whoOf(operation)} |\n`);
    return `### ${name}\n\n${description}\n\n| endpoint | what it does | for |\n|---|---|---|\n${rows.join("")}`;
  });
  return sections.join("\n");
}

/** Whose word an operation takes. */
function whoOf({ security }: DocumentedOperation): string {
  if (security.length === 0) return "anybody; no credential counts";
  if (security.some((scheme) => Object.keys(scheme).length === 0)) return "anybody";
  return security.some((scheme) => "token" in scheme) ? "session or token" : "session";
}
