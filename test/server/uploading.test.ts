import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import { makeSif } from "../support/make-sif.ts";
import { findingsOf, startTestServer, type TestServer } from "../support/test-server.ts";

const document = readFileSync(join(import.meta.dirname, "../../docs/uploading.md"), "utf8");
const [, script = ""] = /^```sh\n([\s\S]*?)^```$/m.exec(document) ?? [];

/** What stands in the document in place of the address of one's own registry. */
const deployed = "https://registry.example.org";
/** Two parts as large as they are, and a piece of a third. */
const image = makeSif({ salt: "uploaded by a script", sizeBytes: 2 * 16 * 1024 * 1024 + 100_000 });

describe("the script of docs/uploading.md", () => {
  let server: TestServer;
  let token: string;
  const folder = mkdtempSync(join(tmpdir(), "uploading-"));

  beforeAll(async () => {
    server = await startTestServer();
    token = (await server.addUser("alice")).token;
    writeFileSync(join(folder, "token.txt"), `${token}\n`);
    writeFileSync(join(folder, "image.sif"), image);
  });

  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The only change to what stands in the document: the address of the registry that runs here. */
  async function run(change: (lines: string) => string = (lines) => lines) {
    const lines = change(script.replaceAll(deployed, server.url));
    return await promisify(execFile)("bash", ["-c", lines], { cwd: folder, timeout: 60_000 });
  }

  it("goes on after it was interrupted, publishes the image, and finds it there the next time", async () => {
    const interrupted = run((lines) => lines.replace(/^( *echo "Part .*)$/m, "$1; exit 9"));
    await expect(interrupted).rejects.toMatchObject({ code: 9, stdout: "Part 1 of 3\n" });
    expect((await run()).stdout).toBe("Part 2 of 3\nPart 3 of 3\nThe image is published.\n");
    const pulled = await fetch(`${server.url}/v1/imagefile/alice/tools/image:v1`);
    expect(Buffer.compare(Buffer.from(await pulled.arrayBuffer()), image)).toBe(0);
    expect((await run()).stdout).toBe("It is there already.\n");
    expect(await findingsOf(server.admin)).toEqual([]);
  });

  it("prints what the registry says when there is no room", async () => {
    await server.admin("set-quota", { name: "alice", bytes: String(image.length) });
    const elsewhere = run((lines) => lines.replace('"tools"', '"more"'));
    await expect(elsewhere).rejects.toMatchObject({
      stdout: "",
      stderr: expect.stringContaining("alice has 0 bytes left of 32 MiB."),
      code: 1,
    });
  });

  it("stops and says why when the bytes are no image", async () => {
    await server.admin("set-quota", { name: "alice", bytes: "default" });
    writeFileSync(join(folder, "image.sif"), "no image");
    await expect(run()).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("not a SIF image") });
  });

  it("is told of the document's numbers as they are", () => {
    expect(document).toContain(`At most ${limits.openUploadsPerUser} may be open`);
    expect(document).toContain(`usually ${limits.browserPartBytes / 1024 ** 2} MiB`);
    expect(document).toContain(`after ${limits.verifyWaitSeconds} seconds`);
  });
});
