import { expect, it } from "vitest";
import { runtimesOn } from "../../scripts/server/runtimes.ts";
import { startTestServer } from "../support/test-server.ts";

it.skipIf(process.platform !== "linux")("stopping one registry leaves another of the same process alone", async () => {
  const first = await startTestServer();
  const second = await startTestServer();
  try {
    const before = runtimesOn(second.data);
    expect(before).toHaveLength(1);
    await first.stop();
    expect(runtimesOn(second.data)).toEqual(before);
    expect((await fetch(`${second.url}/version`)).status).toBe(200);
  } finally {
    await second.stop();
  }
});
