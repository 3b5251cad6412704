import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll } from "vitest";

await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
await applyD1Migrations(env.SEARCH_DB, env.TEST_SEARCH_MIGRATIONS);

/**
 * What a test leaves to Durable Objects goes on after it. A file whose workerd is ended in the middle of that does
 * not let the next one begin (vitest-plugin 1.4.10).
 */
afterAll(async () => {
  const busy = env.DB.prepare(
    "SELECT (SELECT count(*) FROM jobs WHERE error IS NULL) + (SELECT count(*) FROM search_outbox) AS n",
  );
  for (let round = 0; round < 100 && (await busy.first<number>("n")) !== 0; round++) await scheduler.wait(20);
});
