import { resolve } from "node:path";
import { fail, readOptions } from "./arguments.ts";
import { seedDatabase } from "./seed/seed-database.ts";
import { build } from "./server/build.ts";
import { DEFAULT_DATA, loadSecrets } from "./server/local-data.ts";
import { type RegistryServer, startServer } from "./server/registry-server.ts";

const usage = `npm run seed -- [--collections N] [--images N] [--seed N] [--data DIR] [--force]

Fills a registry on this machine with made-up people, teams, collections and images, to see how it does with many.
The registry must not be running.

  --collections N   how many collections (5000)
  --images N        how many images (100000)
  --seed N          the same number makes the same registry (1)
  --data DIR        where its data is kept (.data)
  --force           even where the registry has users already`;

const options = readOptions(
  process.argv.slice(2),
  ["collections", "images", "seed", "data", "force"],
  ["force"],
  usage,
);
const size = {
  collections: numberOf("collections", 5000, 1),
  images: numberOf("images", 100_000, 1),
  seed: numberOf("seed", 1, 0),
  now: Date.now(),
};
const root = resolve(import.meta.dirname, "..");
const data = resolve(options.data ?? DEFAULT_DATA);

await run().catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)));

async function run(): Promise<void> {
  await build(root);
  // On a port that nobody knows, and without upkeep's news: it is here for its database alone.
  const server = await startServer({ root, data, host: "127.0.0.1", port: 0, secrets: loadSecrets(data) });
  try {
    await seed(server);
  } finally {
    await server.stop();
  }
}

async function seed({ miniflare }: RegistryServer): Promise<void> {
  const database = await miniflare.getD1Database("DB");
  const users = await database.prepare("SELECT count(*) AS count FROM users").first<number>("count");
  if (users !== 0 && options.force === undefined) {
    throw new Error(
      `The registry in ${data} has users already (${users}). Take another folder by --data, or add --force.`,
    );
  }
  if ((await database.prepare("SELECT 1 FROM users WHERE username = 'user-1'").first()) !== null) {
    throw new Error(`The registry in ${data} was seeded already.`);
  }
  const since = performance.now();
  const counts = await seedDatabase(database, size);
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  const rows = Object.entries(counts).map(([table, count]) => `  ${String(count).padStart(8)}  ${table}`);
  console.log(`Seeded the registry in ${data} in ${seconds} s:\n${rows.join("\n")}

Images are rows alone: there are no bytes to pull, and nothing was read of them. When the registry runs it begins to
index all that for its search, which takes it some minutes.

  npm run admin -- login-link --username user-1    signs in whom most belongs to`);
}

function numberOf(name: "collections" | "images" | "seed", usual: number, least: number): number {
  const number = Number(options[name] ?? usual);
  if (!Number.isInteger(number) || number < least || number > 10_000_000) {
    fail(`--${name} must be a whole number from ${least} on.\n\n${usage}`);
  }
  return number;
}
