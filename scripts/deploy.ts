import { join, resolve } from "node:path";
import { fail } from "./arguments.ts";
import { readConfiguration } from "./deploy/configuration.ts";
import { dryRun } from "./deploy/dry-run.ts";
import { readKept } from "./deploy/kept.ts";
import { readDeployOptions } from "./deploy/options.ts";
import { type Deployment, KEPT_FILE, type Progress, type Step, stepsOf } from "./deploy/steps.ts";
import { wranglerIn } from "./deploy/wrangler.ts";
import { build } from "./server/build.ts";

const options = readDeployOptions(process.argv.slice(2), process.env);
const root = resolve(import.meta.dirname, "..");
const interruption = new AbortController();
// Instead of ending at once, so that what must be removed is removed.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interruption.abort());

try {
  const deployment: Deployment = {
    root,
    configuration: readConfiguration(root),
    variables: options.variables,
    hasToken: Boolean(process.env.CLOUDFLARE_API_TOKEN),
    wrangler: wranglerIn(root, interruption.signal),
    build: () => build(root),
    say: (line) => console.log(line),
  };
  const progress: Progress = { missingSecrets: {} };
  const steps = stepsOf(deployment, progress);
  if (options.dryRun) {
    await dryRun(deployment, steps);
  } else {
    await runAll(steps);
    sayWhatIsNext(progress);
  }
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}

async function runAll(steps: readonly Step[]): Promise<void> {
  for (const [index, { title, run }] of steps.entries()) {
    const number = `${index + 1}/${steps.length}`;
    console.log(`\n[${number}] ${title}`);
    await run().catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(
        `\nStep ${number} did not succeed: ${title}.\n${reason}\n\nWhat is done stays done: run this command again, and it continues from here.`,
      );
    });
  }
}

function sayWhatIsNext({ address }: Progress): void {
  const origin = readKept(join(root, KEPT_FILE)).PUBLIC_ORIGIN || undefined;
  const url = origin ?? address ?? "https://registry.example.org";
  const setOrigin = `Tell the registry its address, unless that is done already. Until then it answers nothing that holds it:
       npm run deploy -- --var PUBLIC_ORIGIN=${url}`;
  const addSuperuser = `Create the first superuser, and open the link that signs them in:
       npm run admin -- add-superuser --username NAME --url ${url}
       npm run admin -- login-link --username NAME --url ${url}`;
  const next = origin === undefined ? [setOrigin, addSuperuser] : [addSuperuser];
  console.log(`\nThe registry is deployed${origin === undefined ? "" : ` at ${origin}`}.

Next:
${next.map((text, index) => `  ${index + 1}. ${text}`).join("\n")}`);
}
