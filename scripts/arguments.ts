import { parseArgs } from "node:util";

/** Prints a message the user can act on and ends the command. */
export function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

/** Options given as `--name value`, all of them texts; anything else ends the command with the usage. */
export function readOptions<Name extends string>(
  args: string[],
  names: readonly Name[],
  usage: string,
): Partial<Record<Name, string>> {
  try {
    const options = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
    return parseArgs({ args, options, strict: true }).values as Partial<Record<Name, string>>;
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  }
}
