import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WORKER_OPTIONS } from "../../scripts/server/build.ts";
import { newSecrets } from "../../scripts/server/local-data.ts";
import { type RegistryServer, startServer } from "../../scripts/server/registry-server.ts";

const project = resolve(import.meta.dirname, "../..");

describe("a registry started with npm start", () => {
  let root: string;
  let server: RegistryServer;

  /** The built Worker, with a Cron that is due every second instead of every quarter of an hour. */
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "registry-crons-"));
    for (const folder of ["migrations", "migrations-search"]) symlinkSync(join(project, folder), join(root, folder));
    cpSync(join(project, "dist"), join(root, "dist"), { recursive: true });
    const options = JSON.parse(readFileSync(join(root, WORKER_OPTIONS), "utf8")) as object;
    writeFileSync(join(root, WORKER_OPTIONS), JSON.stringify({ ...options, cronTriggers: ["* * * * * *"] }));
    server = await startServer({
      root,
      data: root,
      host: "127.0.0.1",
      port: 0,
      secrets: newSecrets(),
    });
  });

  afterEach(async () => {
    await server?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  it("does its upkeep by itself: an upload that nobody completed is freed when its time is over", async () => {
    const database = await server.miniflare.getD1Database("DB");
    const bucket = await server.miniflare.getR2Bucket("BLOBS");
    await bucket.put("o/forgotten", "bytes");
    const insert = `INSERT INTO uploads (id, object_key, digest, size_bytes, state, created_at, expires_at)
      VALUES ('forgotten', 'o/forgotten', 'sha256.${"0".repeat(64)}', 5, 'open', 0, 0)`;
    await database.prepare(insert).run();
    const rows = async () => (await database.prepare("SELECT id FROM uploads").all()).results;
    await vi.waitFor(async () => expect(await rows()).toEqual([]), { timeout: 20_000, interval: 100 });
    expect(await bucket.head("o/forgotten")).toBeNull();
  });
});
