import type { D1Migration } from "@cloudflare/vitest-plugin";
import type { Env } from "../../worker/env.ts";

declare global {
  namespace Cloudflare {
    interface Env extends RegistryEnv {
      TEST_MIGRATIONS: D1Migration[];
      TEST_SEARCH_MIGRATIONS: D1Migration[];
      ADMIN_SECRET: string;
      FUZZ_SEED: string;
      FUZZ_RUNS: string;
      SEEDED_IMAGES: string;
    }
  }
}

type RegistryEnv = Env;
