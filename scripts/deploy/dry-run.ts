import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeConfiguration } from "./configuration.ts";
import { commands, type Deployment, type Step } from "./steps.ts";
import { commandLine, WranglerFailure } from "./wrangler.ts";

/** Stands for the id that only Cloudflare gives out. */
const DATABASE_ID = "00000000-0000-0000-0000-000000000000";

/** Prints what a deployment runs; then builds, and has wrangler check what would be uploaded. Cloudflare is not asked. */
export async function dryRun(deployment: Deployment, steps: readonly Step[]): Promise<void> {
  const { root, configuration, variables, wrangler, build, say } = deployment;
  say("This is a dry run: Cloudflare is not asked and not changed. A deployment takes these steps, in this order:");
  for (const [index, { title, plan }] of steps.entries()) {
    say(`\n[${index + 1}/${steps.length}] ${title}`);
    for (const { args, when } of plan) say(`  ${commandLine(args)}${when === undefined ? "" : `   # ${when}`}`);
  }
  say("\nThe build, and wrangler's own dry run of the last step:");
  await build();
  // Not where a deployment keeps its copy: that has the real databases' ids.
  const folder = mkdtempSync(join(tmpdir(), "sregistry-dry-run-"));
  try {
    const file = join(folder, "wrangler.jsonc");
    const databaseIds = new Map(configuration.d1_databases.map(({ database_name }) => [database_name, DATABASE_ID]));
    writeConfiguration(root, file, configuration, { databaseIds, variables });
    const args = [...commands.deploy(file), "--dry-run"];
    say(`  ${commandLine(args)}`);
    const result = await wrangler(args);
    if (result.status !== 0) throw new WranglerFailure(args, result);
    say(`${result.stdout.trim()}\n\nThe dry run went well. To deploy, leave --dry-run away.`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
