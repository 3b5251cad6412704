import { join } from "node:path";
import * as z from "zod";
import { newSecret } from "../server/local-data.ts";
import { type Configuration, writeConfiguration } from "./configuration.ts";
import { keep, readKept, type SecretName, type Secrets, withSecretsFile } from "./kept.ts";
import { commandLine, type Wrangler, WranglerFailure, type WranglerOptions, type WranglerResult } from "./wrangler.ts";

/** Where a deployment keeps its files, from the project's folder. Both folders are ignored by git. */
export const CONFIGURATION_FILE = join(".wrangler", "deployment", "wrangler.jsonc");
export const KEPT_FILE = join(".secrets", "deployment.json");

export interface Deployment {
  /** The project's folder. */
  root: string;
  configuration: Configuration;
  /** Settings to set, by name. */
  variables: Readonly<Record<string, string>>;
  /** Whether a token speaks for wrangler, so that it need not be logged in. */
  hasToken: boolean;
  wrangler: Wrangler;
  build: () => Promise<void>;
  say: (line: string) => void;
}

/** A command a step may run, as a dry run shows it. */
export interface PlannedCommand {
  args: readonly string[];
  /** When it is run, if not always. */
  when?: string;
}

export interface Step {
  title: string;
  plan: readonly PlannedCommand[];
  run: () => Promise<void>;
}

/** What later steps need to know of earlier ones, and the user of them all. */
export interface Progress {
  /** By name. */
  databaseIds?: ReadonlyMap<string, string>;
  missingSecrets: Secrets;
  /** Where Cloudflare serves the Worker, if wrangler said so. */
  address?: string;
}

/** Every command of a deployment, so that what a dry run prints is what is run. */
export const commands = {
  whoAmI: () => ["whoami", "--json"],
  listDatabases: () => ["d1", "list", "--json"],
  createDatabase: (name: string) => ["d1", "create", name],
  findBucket: (name: string) => ["r2", "bucket", "info", name, "--json"],
  createBucket: (name: string) => ["r2", "bucket", "create", name],
  migrate: (binding: string, file: string) => ["d1", "migrations", "apply", binding, "--remote", "-c", file],
  listSecrets: (file: string) => ["secret", "list", "--format", "json", "-c", file],
  // Without --keep-vars wrangler deletes every variable that the configuration does not name.
  deploy: (file: string) => ["deploy", "-c", file, "--keep-vars"],
  withSecrets: (deploy: readonly string[], file: string) => [...deploy, "--secrets-file", file],
};

/** All that a deployment takes, in order. Each step finds what an earlier run has done, so all can be run again. */
export function stepsOf(deployment: Deployment, progress: Progress): Step[] {
  return [
    logIn(deployment),
    findDatabases(deployment, progress),
    findBucket(deployment),
    configure(deployment, progress),
    migrate(deployment),
    findSecrets(deployment, progress),
    buildAndDeploy(deployment, progress),
  ];
}

function logIn(deployment: Deployment): Step {
  return {
    title: "Check that wrangler may act for you",
    plan: [{ args: commands.whoAmI(), when: "unless CLOUDFLARE_API_TOKEN is set" }],
    run: async () => {
      // A token need not be allowed to read who owns it, which is all that whoami asks.
      if (deployment.hasToken) return deployment.say("  CLOUDFLARE_API_TOKEN is set");
      const result = await attempt(deployment, commands.whoAmI());
      if (result.status === 0) return;
      const isLoggedOut = /"loggedIn":\s*false/.test(result.stdout);
      if (!isLoggedOut) throw new WranglerFailure(commands.whoAmI(), result);
      throw new Error(
        "wrangler is not logged in to Cloudflare. Log it in with `npx wrangler login`, or set CLOUDFLARE_API_TOKEN to an API token.",
      );
    },
  };
}

function findDatabases(deployment: Deployment, progress: Progress): Step {
  const names = deployment.configuration.d1_databases.map((database) => database.database_name);
  const find = async () => {
    const { stdout } = await run(deployment, commands.listDatabases());
    const all = parseJson(databasesSchema, stdout, commands.listDatabases());
    return new Map(all.map(({ name, uuid }) => [name, uuid]));
  };
  return {
    title: `Find the databases ${names.join(" and ")}, or create them`,
    plan: [
      { args: commands.listDatabases() },
      ...names.map((name) => ({ args: commands.createDatabase(name), when: "if it is not there" })),
      { args: commands.listDatabases(), when: "after that, for its id" },
    ],
    run: async () => {
      let ids = await find();
      const missing = names.filter((name) => !ids.has(name));
      for (const name of missing) await run(deployment, commands.createDatabase(name));
      if (missing.length > 0) ids = await find();
      const unlisted = names.find((name) => !ids.has(name));
      if (unlisted !== undefined) {
        throw new Error(`The database ${unlisted} was created, but Cloudflare does not list it yet.`);
      }
      progress.databaseIds = ids;
    },
  };
}

function findBucket(deployment: Deployment): Step {
  const name = deployment.configuration.r2_buckets[0].bucket_name;
  return {
    title: `Find the bucket ${name}, or create it`,
    plan: [{ args: commands.findBucket(name) }, { args: commands.createBucket(name), when: "if it is not there" }],
    run: async () => {
      const found = await attempt(deployment, commands.findBucket(name));
      if (found.status === 0) return;
      const created = await attempt(deployment, commands.createBucket(name));
      // `info` also fails for a bucket that is there when its metrics cannot be read. Then this one is refused as ours.
      if (created.status === 0 || /\[code: 10004\]/.test(created.stderr)) return;
      throw new WranglerFailure(commands.createBucket(name), created);
    },
  };
}

function configure(deployment: Deployment, progress: Progress): Step {
  return {
    title: `Write ${CONFIGURATION_FILE}: wrangler.toml with the databases' ids and the settings given`,
    plan: [],
    run: async () => {
      const { root, configuration, variables } = deployment;
      const { databaseIds } = progress;
      if (databaseIds === undefined) throw new Error("The databases' ids are not known.");
      writeConfiguration(root, join(root, CONFIGURATION_FILE), configuration, { databaseIds, variables });
      for (const [name, value] of Object.entries(variables)) deployment.say(`  ${name} = ${JSON.stringify(value)}`);
    },
  };
}

function migrate(deployment: Deployment): Step {
  const all = deployment.configuration.d1_databases.map(({ binding }) => commands.migrate(binding, CONFIGURATION_FILE));
  return {
    title: "Bring the databases' tables up to date",
    plan: all.map((args) => ({ args })),
    run: async () => {
      for (const args of all) deployment.say(indented((await run(deployment, args)).stdout));
    },
  };
}

function findSecrets(deployment: Deployment, progress: Progress): Step {
  const args = commands.listSecrets(CONFIGURATION_FILE);
  return {
    title: `See which secrets are set; keep those to be made in ${KEPT_FILE}`,
    plan: [{ args }],
    run: async () => {
      const there = await secretsThere(deployment, args);
      const file = join(deployment.root, KEPT_FILE);
      const kept = readKept(file);
      for (const name of ["SIGNING_SECRET", "SEALING_SECRET", "ADMIN_SECRET"] satisfies SecretName[]) {
        // One that is kept but not set is from a run that did not get as far as setting it.
        if (!there.includes(name)) progress.missingSecrets[name] = kept[name] ?? newSecret();
      }
      // Before they are set: a secret that is set but not kept would be lost.
      if (Object.keys(progress.missingSecrets).length > 0) keep(file, progress.missingSecrets);
      if (there.includes("ADMIN_SECRET") && kept.ADMIN_SECRET === undefined) deployment.say(adminSecretElsewhere);
    },
  };
}

const adminSecretElsewhere = `  The registry has an ADMIN_SECRET that this machine does not know; it stays as it is. npm run admin finds it
  in the environment, or in a copy of ${KEPT_FILE} from the machine that deployed first.
  To have a new one made: npx wrangler secret delete ADMIN_SECRET, then deploy again.`;

async function secretsThere(deployment: Deployment, args: readonly string[]): Promise<string[]> {
  const result = await attempt(deployment, args);
  if (result.status === 0) return parseJson(secretsSchema, result.stdout, args).map(({ name }) => name);
  // wrangler 4.155 fails for a Worker that was never deployed.
  if (/Worker ".+" not found/.test(result.stderr)) return [];
  throw new WranglerFailure(args, result);
}

/** The file's name in what a dry run prints. */
const SECRETS_FILE = "TEMPORARY_FILE";

function buildAndDeploy(deployment: Deployment, progress: Progress): Step {
  const args = commands.deploy(CONFIGURATION_FILE);
  return {
    title: "Build, and deploy with the secrets that are not set yet",
    plan: [
      { args: commands.withSecrets(args, SECRETS_FILE), when: "if a secret is missing" },
      { args, when: "if none is" },
    ],
    run: async () => {
      await deployment.build();
      const secrets = progress.missingSecrets;
      const names = Object.keys(secrets);
      if (names.length > 0) deployment.say(`  setting ${names.join(" and ")}`);
      const { stdout } =
        names.length === 0
          ? await run(deployment, args)
          : await withSecretsFile(secrets, (file) =>
              run(deployment, commands.withSecrets(args, file), { secrets: Object.values(secrets) }),
            );
      deployment.say(indented(stdout));
      const address = /https:\/\/[\w.-]+\.workers\.dev/.exec(stdout)?.[0];
      if (address !== undefined) progress.address = address;
      const origin = deployment.variables.PUBLIC_ORIGIN;
      if (origin !== undefined) keep(join(deployment.root, KEPT_FILE), { PUBLIC_ORIGIN: origin });
    },
  };
}

const databasesSchema = z.array(z.object({ name: z.string(), uuid: z.string() }));
const secretsSchema = z.array(z.object({ name: z.string() }));

function parseJson<Output>(schema: z.ZodType<Output>, text: string, args: readonly string[]): Output {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new Error(`\`${commandLine(args)}\` answered something else than expected:\n\n${text.trim()}`);
  }
}

/** Runs a command that has to succeed. */
async function run(
  deployment: Deployment,
  args: readonly string[],
  options?: WranglerOptions,
): Promise<WranglerResult> {
  const result = await attempt(deployment, args, options);
  if (result.status !== 0) throw new WranglerFailure(args, result);
  return result;
}

async function attempt({ wrangler, say }: Deployment, args: readonly string[], options?: WranglerOptions) {
  say(`  ${commandLine(args)}`);
  return await wrangler(args, options);
}

function indented(text: string): string {
  return text.trim().replaceAll(/^(?=.)/gm, "    ");
}
