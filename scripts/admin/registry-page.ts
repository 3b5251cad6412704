import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fail } from "../arguments.ts";

/** A registry's page on the list of Singularity registries, as a file with front matter for Jekyll. */
export interface RegistryPage {
  /** The file's name. */
  name: string;
  text: string;
  /** What to do with it. */
  instructions: string;
}

/** The list's site has so many pictures of robots, and shows one with each registry. */
const ROBOTS = 15_570;

/**
 * The fields are those that Singularity Registry Server's own `register` wrote. Texts are quoted as JSON, which YAML reads.
 * @param setting the value of a setting of the registry, empty where it has none
 * @param url where the registry was reached, for one without a PUBLIC_ORIGIN
 */
export function registryPage(setting: (name: string) => string, url: string, now: Date): RegistryPage {
  const [title, uri] = [setting("REGISTRY_NAME"), setting("REGISTRY_URI")];
  const base = setting("PUBLIC_ORIGIN") || url;
  const author = setting("ADMINS").split(",")[0]?.trim() ?? "";
  const robot = `robots/robot${1 + Math.floor(Math.random() * ROBOTS)}.png`;
  const lines = [
    "---",
    "layout: registry",
    `title: ${JSON.stringify(title)}`,
    `base: ${JSON.stringify(base)}`,
    `date: ${now.toISOString().slice(0, 19).replace("T", " ")}`,
    `author: ${JSON.stringify(author)}`,
    "categories:",
    "- registry",
    `img: ${robot}`,
    `thumb: ${robot}`,
    `tagged: ${JSON.stringify(uri)}`,
    `institution: ${JSON.stringify(setting("HELP_INSTITUTION_SITE"))}`,
    "---",
    "",
    `${title} serves Singularity and Apptainer images at <${base}>.`,
    "",
  ];
  const name = `${uri}-registry.md`;
  return { name, text: lines.join("\n"), instructions: instructionsFor(name, author) };
}

/**
 * Writes the page. One that is there may have been edited: it stays, unless somebody says otherwise.
 * @param to.folder from where npm was called: npm itself goes to the project's folder, and says where that was
 * @returns the file's path
 */
export function writePage({ name, text }: RegistryPage, to: { folder: string; replaces: boolean }): string {
  const path = resolve(process.env.INIT_CWD ?? "", to.folder, name);
  try {
    writeFileSync(path, text, { flag: to.replaces ? "w" : "wx" });
    return path;
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    return fail(code === "EEXIST" ? `${path} is there already. With --force it is written anew.` : message);
  }
}

function instructionsFor(name: string, author: string): string {
  const unknown = author === "" ? "\n   Put your GitHub name behind `author:` (or set ADMINS, and write it anew)." : "";
  return `To put the registry on the list of Singularity registries:
1. Read the file, and write below it what your registry is for.${unknown}
2. Fork https://github.com/singularityhub/containers on GitHub, and clone your fork.
3. Add ${name} to its folder _registries, commit and push it.
4. Open a pull request. When it is merged, your registry is on the list.`;
}
