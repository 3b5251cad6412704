import { parseArgs } from "node:util";
import { isProviderSecret, providerVariableNames, providerVariablePattern } from "../../worker/registry/providers.ts";
import { type SettingName, settingDefinitions } from "../../worker/registry/settings.ts";
import { explainIfAsked, fail } from "../arguments.ts";

export interface DeployOptions {
  dryRun: boolean;
  /** Settings to set, by name; none of them is secret, and each has a value the registry takes. */
  variables: Record<string, string>;
}

const usage = `npm run deploy -- [--var NAME=VALUE ...] [--dry-run]

  --var NAME=VALUE   set a setting, such as PUBLIC_ORIGIN=https://registry.example.org; can be repeated.
                     What was set before and is not named stays as it is. NAME= goes back to the default.
  --dry-run          print what would be run, build, and let wrangler check the result; changes nothing

Settings also come from the environment; docs/configuration.md has them all, docs/deploying.md the rest.`;

const settings = Object.entries(settingDefinitions);
const names: readonly string[] = settings.filter(([, { group }]) => group !== "secrets").map(([name]) => name);

/** Reads the command line and the settings in the environment; ends the command when one of them is not right. */
export function readDeployOptions(args: string[], environment: NodeJS.ProcessEnv): DeployOptions {
  explainIfAsked(args, usage);
  const { values } = parse(args);
  const variables: Record<string, string> = {};
  for (const name of [...names, ...providerVariableNames(environment)]) {
    // GitHub Actions sets that for itself, to the address of whichever GitHub it belongs to.
    const isForeign = name === "GITHUB_API_URL" && environment.GITHUB_ACTIONS !== undefined;
    if (isProviderSecret(name) || isForeign) continue;
    const value = environment[name];
    if (value !== undefined && value !== "") variables[name] = checked(name, value);
  }
  for (const assignment of values.var ?? []) {
    const [, name = "", value = ""] = /^([^=]+)=(.*)$/s.exec(assignment) ?? fail(`--var takes NAME=VALUE.\n\n${usage}`);
    variables[name] = checked(name, value);
  }
  return { dryRun: values["dry-run"] ?? false, variables };
}

function parse(args: string[]) {
  try {
    const options = { var: { type: "string", multiple: true }, "dry-run": { type: "boolean" } } as const;
    return parseArgs({ args, options, strict: true });
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  }
}

/** A variable can be read on the dashboard, so a secret must not become one; what is refused is not repeated. */
function checked(name: string, value: string): string {
  if (isProviderSecret(name)) failForSecret(name);
  // What stands there only the whole of a provider's variables can say: the registry does, when it starts.
  if (providerVariablePattern.test(name)) return value;
  if (!names.includes(name)) {
    if (Object.hasOwn(settingDefinitions, name)) failForSecret(name);
    fail(`There is no setting '${name}'. There are:\n  ${names.join("\n  ")}`);
  }
  const { success, error } = settingDefinitions[name as SettingName].parse.safeParse(value);
  if (!success) fail(`${name} ${error.issues.map((issue) => issue.message).join(", ")}`);
  return value;
}

function failForSecret(name: string): never {
  return fail(`${name} is a secret, and a variable is none. Set it with: npx wrangler secret put ${name}`);
}
