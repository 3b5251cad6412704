import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "../../scripts/server/build.ts";
import { type Account, newAccount } from "./fake-wrangler.ts";
import { type Clone, type Environment, type Result, type Running, runCommand, startCommand } from "./run-command.ts";

/** A copy of the project whose wrangler is the fake one, and the account that this one works on. */
export interface Deployer {
  account: () => Account;
  /** Changes the account, and forgets the calls so far. */
  change: (changes: Partial<Account>) => void;
  /** What wrangler was asked so far: each command with its names, without options. */
  calls: () => string[];
  deploy: (args?: string[], environment?: Environment) => Promise<Result>;
  startDeploy: () => Running;
  /** The file with what is kept of a deployment. */
  keptFile: string;
  kept: () => Record<string, string>;
  /** Where commands put their temporary files. */
  temporary: string;
  /** A new account, and nothing kept. */
  reset: () => void;
}

export async function makeDeployer(clone: Clone): Promise<Deployer> {
  // With the real wrangler; afterwards nothing is left to build.
  await build(clone.root);
  putFakeWrangler(clone);
  const accountFile = join(clone.home, "account.json");
  const keptFile = join(clone.root, ".secrets", "deployment.json");
  const temporary = join(clone.home, "tmp");
  const account = () => JSON.parse(readFileSync(accountFile, "utf8")) as Account;
  const environment = { FAKE_WRANGLER: accountFile, TMPDIR: temporary };
  const write = (content: Account) => writeFileSync(accountFile, JSON.stringify(content));
  return {
    account,
    change: (changes) => write({ ...account(), calls: [], ...changes }),
    calls: () => account().calls.map(({ args }) => wordsOf(args)),
    deploy: (args = [], more = {}) => runCommand(clone, "deploy", args, { ...environment, ...more }),
    startDeploy: () => startCommand(clone, "deploy", [], environment),
    keptFile,
    kept: () => (existsSync(keptFile) ? JSON.parse(readFileSync(keptFile, "utf8")) : {}),
    temporary,
    reset: () => {
      for (const folder of [join(clone.root, ".secrets"), join(clone.root, ".wrangler"), temporary]) {
        rmSync(folder, { recursive: true, force: true });
      }
      mkdirSync(temporary);
      write(newAccount);
    },
  };
}

/** Where `npm run` finds its programs first. */
function putFakeWrangler(clone: Clone): void {
  const program = join(clone.root, "node_modules", ".bin", "wrangler");
  const node = `"${process.execPath}" --experimental-strip-types --no-warnings`;
  rmSync(program);
  writeFileSync(program, `#!/bin/sh\nexec ${node} "${join(import.meta.dirname, "fake-wrangler.ts")}" "$@"\n`);
  chmodSync(program, 0o755);
}

function wordsOf(args: readonly string[]): string {
  const options = args.findIndex((arg) => arg.startsWith("-"));
  return args.slice(0, options === -1 ? undefined : options).join(" ");
}
