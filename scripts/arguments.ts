import { parseArgs } from "node:util";

/** Prints a message the user can act on and ends the command. */
export function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

/** `--help` explains a command and ends it. */
export function explainIfAsked(args: string[], usage: string): void {
  if (!args.includes("--help")) return;
  console.log(usage);
  process.exit(0);
}

/**
 * Options given as `--name value`, all of them texts, and flags given as `--name`, which are "true"; anything
 * else ends the command with the usage.
 */
export function readOptions<Name extends string>(
  args: string[],
  names: readonly Name[],
  flags: readonly NoInfer<Name>[],
  usage: string,
): Partial<Record<Name, string>> {
  explainIfAsked(args, usage);
  try {
    const type = (name: Name) => (flags.includes(name) ? ("boolean" as const) : ("string" as const));
    const options = Object.fromEntries(names.map((name) => [name, { type: type(name) }]));
    const { values } = parseArgs({ args, options, strict: true });
    const given = Object.entries(values).map(([name, value]) => [name, String(value)]);
    return Object.fromEntries(given) as Partial<Record<Name, string>>;
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  }
}
