import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** What the Worker and its tests import. */
const libraries = [
  ...["aws4fetch", "fast-check", "jose", "multipasta", "oauth4webapi", "zod"],
  ...["drizzle-orm", "drizzle-orm/batch", "drizzle-orm/d1", "drizzle-orm/sqlite-core"],
  ...["hono", "hono/cookie", "hono/factory", "hono/secure-headers"],
];

export default defineConfig({
  test: {
    // Many tests wait for processes to start and alarms to come: four of them keep two cores busy.
    maxWorkers: 4,
    // The Worker's own log, which tests read where it matters to them, and what oidc-provider says to who deploys it.
    onConsoleLog: (text) => !text.startsWith('{"event":') && !text.includes("oidc-provider "),
    projects: [
      // Pure functions and files of the repository, in Node.
      { test: { name: "unit", isolate: false, testTimeout: 60_000, include: ["test/unit/**/*.test.ts"] } },
      // The Worker inside workerd, with its bindings. Storage is one for each file.
      {
        plugins: [
          cloudflareTest(async () => ({
            main: "./worker/index.ts",
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              cf: false,
              bindings: {
                TEST_MIGRATIONS: await readD1Migrations("./migrations"),
                TEST_SEARCH_MIGRATIONS: await readD1Migrations("./migrations-search"),
                SIGNING_SECRET: "a-signing-secret-that-only-tests-know",
                SEALING_SECRET: "a-sealing-secret-that-only-tests-know",
                FUZZ_SEED: process.env.FUZZ_SEED ?? "",
                FUZZ_RUNS: process.env.FUZZ_RUNS ?? "",
                SEEDED_IMAGES: process.env.SEEDED_IMAGES ?? "",
                ADMIN_SECRET: "an-admin-secret-that-only-tests-know",
              },
            },
          })),
        ],
        test: {
          name: "worker",
          // Every file's workerd is sent all modules anew: in a few pieces that is half a second sooner.
          deps: { optimizer: { ssr: { enabled: true, include: libraries } } },
          // A guarantee holds on a busy machine too.
          testTimeout: 60_000,
          include: ["test/worker/**/*.test.ts"],
          setupFiles: ["test/worker/setup.ts"],
          // The pages it serves are built ones.
          globalSetup: ["test/support/build-once.ts"],
        },
      },
      // The built registry on a real socket: commands, real clients, a browser.
      {
        test: {
          name: "server",
          include: ["scripts", "server", "clients", "browser"].map((folder) => `test/${folder}/**/*.test.ts`),
          globalSetup: ["test/support/migrated-data.ts"],
          // What starts a registry (wrangler, Miniflare) takes a second to load: once a process is enough.
          isolate: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
