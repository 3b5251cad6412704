import { readFileSync, statSync, writeFileSync } from "node:fs";

/**
 * Stands for wrangler and for what a Cloudflare account holds, which is a file: no test asks Cloudflare. Answers as
 * wrangler 4.155 does, in words, colours and statuses, and notes each call.
 */
export interface Account {
  isLoggedIn: boolean;
  databases: { name: string; uuid: string }[];
  /** Whether `d1 list` shows a database just after it was made. */
  listsNewDatabases: boolean;
  buckets: string[];
  /** Whether the metrics that `r2 bucket info` shows can be read. */
  hasMetrics: boolean;
  isDeployed: boolean;
  secrets: Record<string, string>;
  variables: Record<string, unknown>;
  /** Databases whose migrations were applied. */
  migrated: string[];
  /** Commands that begin so do nothing and fail. */
  failing: string | null;
  /** Commands that begin so say what they were given, and never end. */
  hanging: string | null;
  calls: Call[];
}

export interface Call {
  args: string[];
  /** The configuration it was given. */
  configuration: string | null;
  /** Rights of the file with secrets it was given. */
  secretsMode: string | null;
}

export const newAccount: Account = {
  isLoggedIn: true,
  databases: [{ name: "something-else", uuid: "11111111-0000-0000-0000-000000000000" }],
  listsNewDatabases: true,
  buckets: ["something-else"],
  hasMetrics: true,
  isDeployed: false,
  secrets: {},
  variables: {},
  migrated: [],
  failing: null,
  hanging: null,
  calls: [],
};

export const DATABASE_ID = "22222222-3333-4444-5555-666666666666";
export const SEARCH_DATABASE_ID = "22222222-3333-4444-5555-777777777777";
export const ADDRESS = "https://sregistry-edge.example.workers.dev";

/** What a call ends with: words on stdout and status 0, or words on stderr and status 1. */
type Reply = { says: unknown } | { refuses: string };

const file = process.env.FAKE_WRANGLER;
if (file !== undefined) run(file, process.argv.slice(2));

function run(accountFile: string, args: string[]): void {
  const account = JSON.parse(readFileSync(accountFile, "utf8")) as Account;
  const save = () => writeFileSync(accountFile, JSON.stringify(account, null, 2));
  const [configuration, secrets] = [optionOf(args, "-c"), optionOf(args, "--secrets-file")];
  account.calls.push({
    args,
    configuration: configuration === null ? null : readFileSync(configuration, "utf8"),
    secretsMode: secrets === null ? null : (statSync(secrets).mode & 0o777).toString(8),
  });
  save();
  const line = args.join(" ");
  if (account.hanging !== null && line.startsWith(account.hanging)) {
    setInterval(() => undefined, 1000);
    return;
  }
  const isFailing = account.failing !== null && line.startsWith(account.failing);
  // As a wrangler would that quotes what it was given.
  const quoted = secrets === null ? "" : readFileSync(secrets, "utf8");
  print(isFailing ? { refuses: `Cloudflare has a bad day. ${quoted} [code: 10013]` } : answer(account, args, line));
  save();
}

function print(reply: Reply): void {
  if ("says" in reply) {
    console.log(typeof reply.says === "string" ? reply.says : JSON.stringify(reply.says, null, 2));
    return;
  }
  const red = "\u001b[31m✘ \u001b[41;31m[\u001b[41;97mERROR\u001b[41;31m]\u001b[0m";
  console.error(`${red} \u001b[1m${reply.refuses}\u001b[0m\n`);
  process.exitCode = 1;
}

function answer(account: Account, args: string[], line: string): Reply {
  const name = args.filter((arg) => arg !== "--json").at(-1) ?? "";
  if (line === "whoami --json") return whoAmI(account);
  if (!account.isLoggedIn && process.env.CLOUDFLARE_API_TOKEN === undefined) return { refuses: "Not logged in." };
  if (line === "d1 list --json") return listDatabases(account);
  if (line.startsWith("d1 create ")) return createDatabase(account, name);
  if (line.startsWith("r2 bucket info ")) return findBucket(account, name);
  if (line.startsWith("r2 bucket create ")) return createBucket(account, name);
  if (/^d1 migrations apply (?:SEARCH_)?DB --remote -c /.test(line)) return migrate(account, args);
  if (line.startsWith("secret list --format json -c ")) return listSecrets(account);
  if (line.startsWith("deploy -c ") && args.includes("--dry-run")) return { says: "--dry-run: exiting now." };
  if (line.startsWith("deploy -c ")) return deploy(account, args);
  return { refuses: `Unknown arguments: ${line}` };
}

function whoAmI({ isLoggedIn }: Account): Reply {
  if (!isLoggedIn) process.exitCode = 1;
  return { says: { loggedIn: isLoggedIn } };
}

function listDatabases({ databases, listsNewDatabases }: Account): Reply {
  return {
    says: databases.filter(({ uuid }) => listsNewDatabases || ![DATABASE_ID, SEARCH_DATABASE_ID].includes(uuid)),
  };
}

function createDatabase({ databases }: Account, name: string): Reply {
  if (databases.some((database) => database.name === name)) return { refuses: `${name} exists. [code: 7502]` };
  databases.push({ name, uuid: name.endsWith("-search") ? SEARCH_DATABASE_ID : DATABASE_ID });
  return { says: `✅ Successfully created DB '${name}' in region WEUR` };
}

function findBucket({ buckets, hasMetrics }: Account, name: string): Reply {
  if (!buckets.includes(name)) return { refuses: "The specified bucket does not exist. [code: 10006]" };
  return hasMetrics ? { says: { name, object_count: "0" } } : { refuses: "The metrics cannot be read." };
}

function createBucket({ buckets }: Account, name: string): Reply {
  if (buckets.includes(name)) {
    return { refuses: "The bucket you tried to create already exists, and you own it. [code: 10004]" };
  }
  buckets.push(name);
  return { says: `✅ Created bucket '${name}' with default storage class of Standard.` };
}

function migrate({ databases, migrated }: Account, args: string[]): Reply {
  const id = configurationOf(args).d1_databases.find(({ binding }) => binding === args[3])?.database_id ?? "";
  if (!databases.some(({ uuid }) => uuid === id)) return { refuses: "There is no such database." };
  if (migrated.includes(id)) return { says: "✅ No migrations to apply!" };
  migrated.push(id);
  return { says: "│ 0000_start.sql │ ✅ │" };
}

function listSecrets({ isDeployed, secrets }: Account): Reply {
  if (!isDeployed)
    return { refuses: 'Worker "sregistry-edge" not found.\n\nIf this is a new Worker, deploy it first.' };
  return { says: Object.keys(secrets).map((name) => ({ name, type: "secret_text" })) };
}

function deploy(account: Account, args: string[]): Reply {
  const secrets = optionOf(args, "--secrets-file");
  Object.assign(account.secrets, secrets === null ? {} : JSON.parse(readFileSync(secrets, "utf8")));
  if (!args.includes("--keep-vars")) account.variables = {};
  Object.assign(account.variables, configurationOf(args).vars);
  account.isDeployed = true;
  return { says: `Uploaded sregistry-edge (3.02 sec)\nDeployed sregistry-edge triggers (0.41 sec)\n  ${ADDRESS}` };
}

function configurationOf(args: string[]): { vars: object; d1_databases: { binding: string; database_id: string }[] } {
  const text = readFileSync(optionOf(args, "-c") ?? "", "utf8");
  return JSON.parse(text.replace(/^\/\/.*\n/, ""));
}

function optionOf(args: string[], option: string): string | null {
  const index = args.indexOf(option);
  return index === -1 ? null : (args[index + 1] ?? null);
}
