import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Deployer, makeDeployer } from "../support/fake-account.ts";
import { type Account, ADDRESS, DATABASE_ID, SEARCH_DATABASE_ID } from "../support/fake-wrangler.ts";
import { type Clone, makeClone, type Result, runCommand } from "../support/run-command.ts";

/** What a first deployment asks of wrangler, in order. */
const everyStep = [
  "whoami",
  "d1 list",
  "d1 create sregistry-edge",
  "d1 create sregistry-edge-search",
  "d1 list",
  "r2 bucket info sregistry-edge",
  "r2 bucket create sregistry-edge",
  "d1 migrations apply DB",
  "d1 migrations apply SEARCH_DB",
  "secret list",
  "deploy",
];

let clone: Clone;

beforeAll(() => {
  clone = makeClone();
});

afterAll(() => clone?.remove());

describe("npm run deploy -- --dry-run", () => {
  it("needs no account and no network, shows each step, and changes nothing", async () => {
    const notes = join(clone.home, "notes");
    const offline = pathToFileURL(resolve(import.meta.dirname, "../support/offline.mjs"));
    const environment = { NODE_OPTIONS: `--import ${offline}`, OFFLINE_NOTES: notes };
    const args = ["--dry-run", "--var", "PUBLIC_ORIGIN=https://registry.example.org"];
    const { status, stdout, stderr } = await runCommand(clone, "deploy", args, environment);
    expect([status, stderr]).toEqual([0, expect.not.stringContaining("ERROR")]);
    expect(existsSync(notes) ? readFileSync(notes, "utf8") : "").toBe("");
    expect(stdout.match(/^\[\d\/7\]/gm)).toHaveLength(7);
    // What wrangler itself says of the Worker it would upload.
    expect(stdout).toMatch(/env\.DB \(sregistry-edge\)/);
    expect(stdout).toMatch(/env\.SEARCH_DB \(sregistry-edge-search\)/);
    expect(stdout).toMatch(/env\.PUBLIC_ORIGIN \("https:\/\/registry\.example\.org"\)/);
    expect(stdout).toContain("To deploy, leave --dry-run away.");
    expect(existsSync(join(clone.root, ".secrets"))).toBe(false);
    expect(existsSync(join(clone.root, ".wrangler", "deployment"))).toBe(false);
  });
});

describe("npm run deploy", () => {
  let deployer: Deployer;

  beforeAll(async () => {
    deployer = await makeDeployer(clone);
  });

  describe("on a new account", () => {
    const elsewhere = "a-secret-that-stands-in-the-environment";
    let result: Result;
    let account: Account;

    beforeAll(async () => {
      deployer.reset();
      result = await deployer.deploy([], { ADMIN_SECRET: elsewhere });
      account = deployer.account();
    });

    it("makes what is missing, in this order, and says what is next", () => {
      expect([result.status, result.stderr, deployer.calls()]).toEqual([0, "", everyStep]);
      const { databases, buckets, migrated, isDeployed } = account;
      expect([databases.length, buckets.length, migrated, isDeployed]).toEqual([
        3,
        2,
        [DATABASE_ID, SEARCH_DATABASE_ID],
        true,
      ]);
      expect(result.stdout).toContain(`npm run deploy -- --var PUBLIC_ORIGIN=${ADDRESS}`);
      for (const verb of ["add-superuser", "login-link"]) {
        expect(result.stdout).toContain(`npm run admin -- ${verb} --username NAME --url ${ADDRESS}`);
      }
    });

    it("makes random secrets, and keeps them in a file of its owner's alone", () => {
      expect(Object.keys(account.secrets).sort()).toEqual(["ADMIN_SECRET", "SEALING_SECRET", "SIGNING_SECRET"]);
      for (const secret of Object.values(account.secrets)) expect(Buffer.from(secret, "base64url")).toHaveLength(32);
      expect(deployer.kept()).toEqual(account.secrets);
      expect([modeOf(deployer.keptFile), modeOf(dirname(deployer.keptFile))]).toEqual(["600", "700"]);
    });

    it("shows a secret to nobody: not on the screen, as an argument, in the configuration or in a file left over", () => {
      const lent = account.calls.filter(({ secretsMode }) => secretsMode !== null);
      expect(lent.map(({ secretsMode }) => secretsMode)).toEqual(["600"]);
      const seen = account.calls.flatMap(({ args, configuration }) => [...args, configuration ?? ""]);
      for (const secret of [elsewhere, ...Object.values(account.secrets)]) {
        expect([...seen, result.stdout, result.stderr].join()).not.toContain(secret);
      }
      expect(readdirSync(deployer.temporary)).toEqual([]);
    });

    it("gives wrangler a copy of the configuration with the databases' ids, and leaves the original as it is", () => {
      const original = (root: string) => readFileSync(join(root, "wrangler.toml"), "utf8");
      expect(original(clone.root)).toBe(original(resolve(import.meta.dirname, "../..")));
      const text = account.calls.at(-1)?.configuration ?? "";
      expect(JSON.parse(text.replace(/^\/\/.*\n/, ""))).toMatchObject({
        name: "sregistry-edge",
        main: "../../worker/index.ts",
        assets: { directory: "../../dist/ui" },
        d1_databases: [
          { binding: "DB", database_id: DATABASE_ID, migrations_dir: "../../migrations" },
          { binding: "SEARCH_DB", database_id: SEARCH_DATABASE_ID, migrations_dir: "../../migrations-search" },
        ],
        triggers: { crons: [expect.any(String)] },
      });
    });

    it("runs only what its dry run shows", async () => {
      deployer.change({});
      const planned = commandsIn(await deployer.deploy(["--dry-run"]));
      expect(deployer.account().calls.map(({ args }) => args.at(-1))).toEqual(["--dry-run"]);
      expect(planned).toEqual(expect.arrayContaining(commandsIn(result)));
      expect(commandsIn(result)).toHaveLength(everyStep.length);
    });

    it("changes nothing when it is repeated: nothing is made twice, and no secret is replaced", async () => {
      const kept = deployer.kept();
      deployer.change({});
      expect(await deployer.deploy()).toMatchObject({ status: 0 });
      expect(deployer.calls()).toEqual([
        "whoami",
        "d1 list",
        "r2 bucket info sregistry-edge",
        "d1 migrations apply DB",
        "d1 migrations apply SEARCH_DB",
        "secret list",
        "deploy",
      ]);
      expect({ ...deployer.account(), calls: account.calls }).toEqual(account);
      expect(deployer.kept()).toEqual(kept);
    });
  });

  describe("whatever it is told, and whatever goes wrong", () => {
    beforeEach(() => deployer.reset());

    it("sets what it is told in options and environment, and keeps what was set before", async () => {
      const origin = "https://registry.example.org";
      await deployer.deploy(["--var", `PUBLIC_ORIGIN=${origin}`], { REGISTRY_NAME: 'The "Lab"' });
      expect(deployer.account().variables).toEqual({ PUBLIC_ORIGIN: origin, REGISTRY_NAME: 'The "Lab"' });
      const { stdout } = await deployer.deploy(["--var", "PRIVATE_ONLY=true", "--var", "REGISTRY_NAME="]);
      const { variables } = deployer.account();
      expect(variables).toEqual({ PUBLIC_ORIGIN: origin, REGISTRY_NAME: "", PRIVATE_ONLY: "true" });
      expect(stdout).toContain(`The registry is deployed at ${origin}.`);
      expect(stdout).not.toContain("--var PUBLIC_ORIGIN=");
    });

    it("says where and why it stopped, whichever step fails, and goes on from there when it is run again", async () => {
      const failures = ["d1 list", "d1 create", "r2 bucket create", "d1 migrations apply", "secret list", "deploy"];
      for (const failing of failures) {
        deployer.change({ failing });
        const { status, stdout, stderr } = await deployer.deploy();
        expect([status, stderr]).toEqual([1, expect.stringMatching(/Step \d\/7 did not succeed: .*bad day/s)]);
        expect(stderr).toContain("run this command again");
        expect(deployer.calls().at(-1)).toMatch(failing);
        for (const secret of Object.values(deployer.kept())) expect(stdout + stderr).not.toContain(secret);
        expect(readdirSync(deployer.temporary)).toEqual([]);
      }
      const kept = deployer.kept();
      expect(Object.keys(kept).sort()).toEqual(["ADMIN_SECRET", "SEALING_SECRET", "SIGNING_SECRET"]);
      deployer.change({ failing: null });
      expect(await deployer.deploy()).toMatchObject({ status: 0 });
      const { databases, buckets, secrets } = deployer.account();
      expect([databases.length, buckets.length, secrets]).toEqual([3, 2, kept]);
    });

    it("leaves no file with secrets behind when it is interrupted", async () => {
      deployer.change({ hanging: "deploy" });
      const running = deployer.startDeploy();
      await vi.waitFor(() => expect(deployer.calls().at(-1)).toBe("deploy"), { timeout: 60_000, interval: 50 });
      expect(readdirSync(deployer.temporary)).not.toEqual([]);
      process.kill(-(running.process.pid ?? 0), "SIGINT");
      expect(await running.ended).toBe(1);
      expect(readdirSync(deployer.temporary)).toEqual([]);
    });

    it("says how to log in when nobody is, and asks nothing further", async () => {
      deployer.change({ isLoggedIn: false });
      const { status, stderr } = await deployer.deploy();
      expect([status, stderr]).toEqual([
        1,
        expect.stringMatching(/not logged in to Cloudflare\..*npx wrangler login/s),
      ]);
      expect(deployer.calls()).toEqual(["whoami"]);
    });

    it("goes by an API token where there is one, which may not be allowed to say whose it is", async () => {
      deployer.change({ isLoggedIn: false });
      expect(await deployer.deploy([], { CLOUDFLARE_API_TOKEN: "a-token" })).toMatchObject({ status: 0 });
      expect(deployer.calls()).toEqual(everyStep.slice(1));
    });

    it("does not wait for a database that is not listed yet: it says so, and finds it the next time", async () => {
      deployer.change({ listsNewDatabases: false });
      const unlisted = { status: 1, stderr: expect.stringContaining("does not list it yet") };
      expect(await deployer.deploy()).toMatchObject(unlisted);
      deployer.change({ listsNewDatabases: true });
      expect(await deployer.deploy()).toMatchObject({ status: 0 });
      expect(deployer.account().databases).toHaveLength(3);
    });

    it("takes a bucket whose metrics cannot be read, and a secret that another machine set, as they are", async () => {
      const secrets = { ADMIN_SECRET: "set-from-another-machine-some-time-ago" };
      deployer.change({ isDeployed: true, secrets, buckets: ["sregistry-edge"], hasMetrics: false });
      const { status, stdout } = await deployer.deploy();
      expect([status, stdout]).toEqual([0, expect.stringContaining("an ADMIN_SECRET that this machine does not know")]);
      expect(deployer.account().buckets).toEqual(["sregistry-edge"]);
      const { SIGNING_SECRET, SEALING_SECRET } = deployer.kept();
      expect(deployer.account().secrets).toEqual({ ...secrets, SIGNING_SECRET, SEALING_SECRET });
    });

    it("takes no secret as a variable, does not repeat it, and runs nothing", async () => {
      const secret = "0123456789012345678901234567890123456789";
      const names = ["ADMIN_SECRET", "SIGNING_SECRET", "SIGNING_SECRET_PREVIOUS"];
      const results = await Promise.all(names.map((name) => deployer.deploy(["--var", `${name}=${secret}`])));
      for (const [index, { status, stdout, stderr }] of results.entries()) {
        expect([status, stderr]).toEqual([1, expect.stringContaining(`npx wrangler secret put ${names[index]}`)]);
        expect(stdout + stderr).not.toContain(secret);
      }
      expect(deployer.calls()).toEqual([]);
    });

    it("names a setting that there is not, or that is not right, and runs nothing", async () => {
      const wrong = {
        "no setting 'PUBLIC_ORIGN'": deployer.deploy(["--var", "PUBLIC_ORIGN=https://registry.example.org"]),
        "PUBLIC_ORIGIN must be": deployer.deploy(["--var", "PUBLIC_ORIGIN=registry.example.org"]),
        "PRIVATE_ONLY must be": deployer.deploy([], { PRIVATE_ONLY: "maybe" }),
        "--var NAME=VALUE": deployer.deploy(["--var", "PRIVATE_ONLY"]),
      };
      for (const [reason, deployment] of Object.entries(wrong)) {
        expect(await deployment).toMatchObject({ status: 1, stderr: expect.stringContaining(reason) });
      }
      expect(deployer.calls()).toEqual([]);
    });

    it("does not quote a damaged file of secrets", async () => {
      mkdirSync(dirname(deployer.keptFile));
      writeFileSync(deployer.keptFile, '{ "ADMIN_SECRET": "a-secret-that-lost-its-end');
      const { status, stdout, stderr } = await deployer.deploy();
      expect([status, stderr]).toEqual([1, expect.stringContaining("is not what npm run deploy writes")]);
      expect(stdout + stderr).not.toContain("a-secret");
      expect(deployer.calls()).not.toContain("deploy");
    });
  });
});

/** The commands that it says it runs, whatever the name of the file with secrets. */
function commandsIn({ stdout }: Result): string[] {
  const lines = [...stdout.matchAll(/^ {2}(wrangler .*?)(?: {3}#.*)?$/gm)];
  return lines.map(([, line = ""]) => line.replace(/--secrets-file .*/, "--secrets-file TEMPORARY_FILE"));
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}
