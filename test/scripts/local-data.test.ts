import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadSecrets } from "../../scripts/server/local-data.ts";

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "registry-data-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

it("a registry of an older version gets the secret it has not, and keeps all it has", () => {
  const file = join(data, "secrets.json");
  const old = { SIGNING_SECRET: "signing", ADMIN_SECRET: "admin", SIGNING_SECRET_PREVIOUS: "previous" };
  writeFileSync(file, JSON.stringify(old), { mode: 0o600 });
  const secrets = loadSecrets(data);
  expect(secrets).toEqual({ ...old, SEALING_SECRET: expect.stringMatching(/^[\w-]{43}$/) });
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(secrets);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(loadSecrets(data)).toEqual(secrets);
});
