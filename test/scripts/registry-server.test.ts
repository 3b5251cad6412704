import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { newSecrets } from "../../scripts/server/local-data.ts";
import { startServer } from "../../scripts/server/registry-server.ts";
import { runtimesOn } from "../../scripts/server/runtimes.ts";
import { askAs } from "../support/http-client.ts";
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

it("lets nobody in before its tables are there", async () => {
  // The port of a server that has just stopped is free.
  const before = await startTestServer();
  const port = Number(new URL(before.url).port);
  await before.stop();
  const data = mkdtempSync(join(tmpdir(), "registry-test-"));
  const secrets = newSecrets();
  const starting = startServer({ root: resolve(import.meta.dirname, "../.."), data, host: "127.0.0.1", port, secrets });
  try {
    let first: Response | null = null;
    while (first === null) {
      first = await fetch(`${before.url}/v1/collections`).catch(() => null);
      await sleep(1);
    }
    expect([first.status, await first.json()]).toEqual([200, { collections: [] }]);
  } finally {
    await (await starting).stop();
    rmSync(data, { recursive: true, force: true });
  }
});

it("answers a Host that cannot be one without a server error", async () => {
  const server = await startTestServer();
  try {
    for (const host of ["a b", "[::1", "registry.example.org:99999", "%", "localhost/x", ""]) {
      for (const path of ["/assets/config/config.prod.json", "/api/v1/site", "/", "/v1/collections", "/blobs/x?t=y"]) {
        const { status } = await askAs(host, `${server.url}${path}`, "GET");
        expect(status, `${path} as '${host}'`).toBeLessThan(500);
      }
    }
  } finally {
    await server.stop();
  }
});
