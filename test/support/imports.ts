import { globSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { parseSync } from "vite";
import * as z from "zod";

/** One statement or expression by which a file takes something from another, or from a package. */
export interface Import {
  /** Where it leads: a path from the project's folder, or a package's name as it is written. */
  to: string;
  isPackage: boolean;
  /** Only types are taken, so that nothing is left of it when the program runs. */
  isType: boolean;
  /** What is taken is passed on. */
  isReExport: boolean;
}

export interface SourceFile {
  /** From the project's folder, with slashes. */
  path: string;
  imports: readonly Import[];
  /** Every name that stands in the code, of types too. */
  identifiers: ReadonlySet<string>;
}

/** Reads every TypeScript and JavaScript file below some folders of the project. */
export function readSources(root: string, folders: readonly string[]): SourceFile[] {
  const patterns = folders.map((folder) => `${folder}/**/*.{ts,tsx,mjs}`);
  const paths = globSync(patterns, { cwd: root }).map((path) => path.replaceAll("\\", "/"));
  return paths.sort().map((path) => readSource(path, readFileSync(posix.join(root, path), "utf8")));
}

/** Reads one file as the bundler does. */
export function readSource(path: string, text: string): SourceFile {
  const { program, module, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} cannot be read: ${errors[0]?.message}`);
  const imports: Import[] = [];
  const add = (name: string, isType: boolean, isReExport = false) =>
    imports.push(resolveImport(path, name, isType, isReExport));
  for (const { moduleRequest, entries } of module.staticImports) {
    add(moduleRequest.value, entries.length > 0 && entries.every(({ isType }) => isType));
  }
  for (const { moduleRequest, isType } of module.staticExports.flatMap(({ entries }) => entries)) {
    if (moduleRequest) add(moduleRequest.value, isType, true);
  }
  const identifiers = new Set<string>();
  for (const node of nodesOf(program)) {
    if (node.type === "Identifier" && node.name !== undefined) identifiers.add(node.name);
    if (node.type === "ImportExpression" || node.type === "TSImportType") {
      // What is not a plain text cannot be followed, and leads to nowhere that is allowed.
      add(node.source?.value ?? "an address that is computed", node.type === "TSImportType");
    }
  }
  return { path, imports, identifiers };
}

function resolveImport(path: string, name: string, isType: boolean, isReExport: boolean): Import {
  const isPackage = !name.startsWith(".");
  // Vite reads a `?` and what follows as how to load a file.
  const to = isPackage ? name : posix.join(posix.dirname(path), name.replace(/\?.*$/, ""));
  return { to, isPackage, isType, isReExport };
}

const nodeSchema = z.looseObject({
  type: z.string(),
  name: z.string().optional().catch(undefined),
  source: z.looseObject({ value: z.string() }).optional().catch(undefined),
});

function* nodesOf(value: unknown): Generator<z.output<typeof nodeSchema>> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) {
    const node = nodeSchema.safeParse(value);
    if (node.success) yield node.data;
  }
  for (const child of Object.values(value)) yield* nodesOf(child);
}
