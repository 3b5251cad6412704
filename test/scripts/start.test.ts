import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { askAs, halfSend, isServing, pullOverHttp, pushOverHttp } from "../support/http-client.ts";
import { makeSif } from "../support/make-sif.ts";
import {
  type Clone,
  makeClone,
  processesOn,
  type Registry,
  runCommand,
  type StartOptions,
  startRegistry,
} from "../support/run-command.ts";

const hasProc = existsSync("/proc");
if (!hasProc) console.warn("Tests that count processes are skipped: this system has no /proc.");

describe("npm start", () => {
  let clone: Clone;
  let data: string;
  const started: Registry[] = [];
  const folders: string[] = [];

  beforeAll(() => {
    clone = makeClone();
  });

  afterAll(() => clone.remove());

  beforeEach(() => {
    data = newFolder();
  });

  afterEach(async () => {
    for (const registry of started.splice(0)) await registry.stop();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  function newFolder(): string {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "registry-data-")));
    folders.push(folder);
    return folder;
  }

  async function start(options: StartOptions = {}): Promise<Registry> {
    const registry = await startRegistry(clone, { data, ...options });
    started.push(registry);
    return registry;
  }

  const admin = (...args: string[]) => runCommand(clone, "admin", [...args, "--data", data]);
  const adminSecret = () => secretsIn(data).ADMIN_SECRET;

  /** A user with a token, made by the two commands that `npm start` prints. */
  async function newToken(): Promise<string> {
    expect(await admin("add-superuser", "--username", "alice")).toMatchObject({ status: 0 });
    return (await admin("add-token", "--username", "alice")).stdout.trim();
  }

  it("builds, makes its secrets and serves, and says the next three things to do, asking nothing", async () => {
    const registry = await startRegistry(clone);
    started.push(registry);
    expect(registry.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const page = await fetch(registry.url);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("<script")]);
    expect(registry.stdout()).toMatch(
      /1\. .*admin -- add-superuser .*admin -- login-link .*\/auth\/tokens.*admin -- add-token .*2\. Log .*3\. Push /s,
    );
    const folder = join(clone.root, ".data");
    expect([modeOf(folder), modeOf(join(folder, "secrets.json"))]).toEqual(["700", "600"]);
    const secrets = Object.values(secretsIn(folder));
    expect(new Set(secrets).size).toBe(3);
    for (const secret of secrets) expect(Buffer.from(secret, "base64url")).toHaveLength(32);
    for (const secret of secrets) expect(registry.stdout() + registry.stderr()).not.toContain(secret);
    const ignored = readFileSync(join(import.meta.dirname, "../../.gitignore"), "utf8").split("\n");
    expect(ignored).toEqual(expect.arrayContaining([".data/", ".secrets/", ".wrangler/", "dist/"]));
  });

  it("keeps secrets, tokens and images from one run to the next, also in a copy of its folder", async () => {
    const first = await start();
    const token = await newToken();
    const [image, secrets] = [makeSif({ salt: "kept" }), secretsIn(data)];
    await pushOverHttp(first.url, token, "alice/tools/kept:v1", image);
    expect(await first.stop()).toBe(0);
    const copy = newFolder();
    cpSync(data, copy, { recursive: true });
    const second = await start({ data: copy });
    expect(await pullOverHttp(second.url, "alice/tools/kept:v1")).toEqual(image);
    await pushOverHttp(second.url, token, "alice/tools/kept:v2", makeSif({ salt: "more" }));
    expect(secretsIn(copy)).toEqual(secrets);
  });

  it("takes its settings from the environment, and its address from the command line", async () => {
    const environment = { REGISTRY_NAME: "Test Registry", PUBLIC_ORIGIN: "https://registry.example.org" };
    const { url } = await start({ environment, args: ["--host", "localhost"] });
    expect(url).toMatch(/^http:\/\/localhost:/);
    const site = await (await fetch(`${url}/api/v1/site`)).json();
    expect(site).toMatchObject({ name: "Test Registry", origin: "https://registry.example.org" });
  });

  it("starts again on the same address with its data intact after it was killed", async () => {
    const first = await start();
    const token = await newToken();
    const image = makeSif({ salt: "survives" });
    await pushOverHttp(first.url, token, "alice/tools/survivor:v1", image);
    process.kill(first.serverPid, "SIGKILL");
    expect(await first.ended).toBe(1);
    const second = await start({ port: Number(new URL(first.url).port) });
    expect(second.url).toBe(first.url);
    expect(await pullOverHttp(second.url, "alice/tools/survivor:v1")).toEqual(image);
    expect(await admin("check-integrity")).toMatchObject({ status: 0 });
  });

  it.skipIf(!hasProc)("leaves no second writer on its data when it was killed and starts elsewhere", async () => {
    const first = await start();
    process.kill(first.serverPid, "SIGKILL");
    await first.ended;
    expect(processesOn(data)).toHaveLength(1);
    const second = await start();
    expect(second.url).not.toBe(first.url);
    await expect(fetch(`${first.url}/version`)).rejects.toThrow();
    await second.stop();
    expect(processesOn(data)).toEqual([]);
  });

  it("refuses data that another registry serves, and a port that is taken, and says what to do", async () => {
    const { url, serverPid } = await start();
    const [sameData, samePort] = await Promise.all([
      runCommand(clone, "start", ["--port", "0", "--data", data]),
      runCommand(clone, "start", ["--port", new URL(url).port, "--data", newFolder()]),
    ]);
    const at = `at ${url} (process ${serverPid})`;
    expect([sameData.status, sameData.stderr]).toEqual([1, `A registry runs on this data already, ${at}.\n`]);
    const port = expect.stringMatching(/^Port \d+ on 127\.0\.0\.1 .*npm start -- --port N\n$/);
    expect([samePort.status, samePort.stderr]).toEqual([1, port]);
    expect((await fetch(`${url}/version`)).status).toBe(200);
  });

  it("names every setting that is not right, and does not start", async () => {
    const wrong = { PRIVATE_ONLY: "maybe", PUBLIC_ORIGIN: "registry.example.org" };
    const { status, stderr } = await runCommand(clone, "start", ["--port", "0", "--data", data], wrong);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/PUBLIC_ORIGIN must be|PRIVATE_ONLY must be/)]);
    for (const name of Object.keys(wrong)) expect(stderr).toContain(`  ${name} must be`);
    expect(stderr).not.toContain("    at ");
  });

  it("says what is wrong with its options, and how they are written", async () => {
    const wrong = [["--port", "http"], ["--port", "65536"], ["--prot", "80"], ["serve"]];
    for (const { status, stderr } of await Promise.all(wrong.map((args) => runCommand(clone, "start", args)))) {
      expect([status, stderr]).toEqual([1, expect.stringContaining("npm start -- [--port N]")]);
    }
  });

  it("says in a sentence that it cannot keep data where a file lies", async () => {
    const file = join(data, "file");
    writeFileSync(file, "");
    const { status, stderr } = await runCommand(clone, "start", ["--port", "0", "--data", file]);
    expect([status, stderr]).toEqual([1, expect.stringContaining(file)]);
    expect(stderr).not.toContain("    at ");
  });

  it.skipIf(!hasProc)("finishes a request in flight when it is told to stop, and leaves nothing running", async () => {
    const registry = await start({ throughNpm: true });
    const request = await halfSend(registry.url, adminSecret());
    registry.process.kill("SIGTERM");
    await untilStopping(registry.url);
    expect(await request.finish()).toBe("HTTP/1.1 200 OK");
    expect(await registry.ended).toBe(0);
    expect(processesOn(data)).toEqual([]);
  });

  it.skipIf(!hasProc)("stops as well when each of its processes gets the signal, as service managers do", async () => {
    const registry = await start();
    const request = await halfSend(registry.url, adminSecret());
    process.kill(-(registry.process.pid ?? 0), "SIGTERM");
    await untilStopping(registry.url);
    expect(await request.finish()).toBe("HTTP/1.1 200 OK");
    expect(await registry.ended).toBe(0);
    expect(processesOn(data)).toEqual([]);
    expect(existsSync(join(data, "server.json"))).toBe(false);
  });

  it.skipIf(!hasProc)("stops on Ctrl-C, and leaves nothing running", async () => {
    const registry = await start();
    process.kill(-(registry.process.pid ?? 0), "SIGINT");
    expect(await registry.ended).toBe(0);
    expect(processesOn(data)).toEqual([]);
  });

  it.skipIf(!hasProc)("refuses its data to a second one while it finishes the last request", async () => {
    const registry = await start();
    const request = await halfSend(registry.url, adminSecret());
    registry.process.kill("SIGTERM");
    await untilStopping(registry.url);
    const { status, stderr } = await runCommand(clone, "start", ["--port", "0", "--data", data]);
    expect([status, stderr]).toEqual([1, expect.stringContaining("A registry runs on this data already")]);
    expect(await request.finish()).toBe("HTTP/1.1 200 OK");
  });

  it("shows nobody the raw data or its own controls, whatever Host a request names", async () => {
    const { url } = await start();
    const hosts = [new URL(url).host, "localhost", "127.0.0.1:8787", "registry.example.org", "sregistry-edge.local"];
    const paths = ["local/scheduled", "local/platform-proxy", "local/explorer", "local/r2/public/sregistry-edge/x"];
    paths.push("local/r2/s3/sregistry-edge/x", "handler/scheduled", "handler/email", "mf/reload", "mf/scheduled");
    for (const host of hosts) {
      for (const path of [...paths.map((path) => `/cdn-cgi/${path}`), "/cdn-cgi", "/__scheduled"]) {
        for (const method of ["GET", "POST"]) {
          const { status, headers } = await askAs(host, `${url}${path}`, method);
          // The header says that it was the Worker that answered.
          expect([status, headers["x-frame-options"]], `${method} ${path} as ${host}`).toEqual([404, "DENY"]);
        }
      }
    }
  });
});

function secretsIn(data: string): { ADMIN_SECRET: string; SIGNING_SECRET: string } {
  return JSON.parse(readFileSync(join(data, "secrets.json"), "utf8"));
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

/** Until it takes no new request, which is how a server that stops looks from outside. */
async function untilStopping(url: string): Promise<void> {
  await vi.waitFor(async () => expect(await isServing(url)).toBe(false), { timeout: 10_000, interval: 10 });
}
