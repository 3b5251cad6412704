import { resolve } from "node:path";
import { startVitest } from "vitest/node";

/*
 * npm test -- [filter ...]: runs the tests and ends with how many passed and failed. With NO_SKIPS=1 in the
 * environment a test that is skipped counts as failed: then every client must be there.
 */
const filters = process.argv.slice(2);
const vitest = await startVitest("test", filters, { root: resolve(import.meta.dirname, ".."), watch: false });
const tests = vitest.state.getTestModules().flatMap((module) => [...module.children.allTests()]);
const count = (state: string) => tests.filter((test) => test.result().state === state).length;
const brokenModules = vitest.state.getTestModules().filter((module) => module.errors().length > 0).length;
const otherErrors = vitest.state.getUnhandledErrors().length;
const skipped = count("skipped");
const isSkippingAllowed = process.env.NO_SKIPS !== "1";
await vitest.close();

if (skipped > 0) {
  console.log(`${skipped} skipped, for the reasons printed above${isSkippingAllowed ? "" : "; none may be here"}.`);
}
const failed = count("failed") + brokenModules + otherErrors + (isSkippingAllowed ? 0 : skipped);
const passed = count("passed");
const nothingRan = passed + failed + skipped === 0;
console.log(`${passed} passed, ${nothingRan ? 1 : failed} failed`);
process.exit(failed > 0 || nothingRan ? 1 : 0);
