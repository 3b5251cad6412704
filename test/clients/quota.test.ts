import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import { type Client, hasApptainer, newClientOf, removeClients } from "../support/apptainer.ts";
import { makeSif } from "../support/make-sif.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

const MIB = 1024 ** 2;

describe.skipIf(!hasApptainer)("apptainer push, at its end,", () => {
  let server: TestServer;
  let alice: Client;

  beforeAll(async () => {
    server = await startTestServer();
    alice = await newClientOf(server, (await server.addUser("alice")).token);
    alice.write("small.sif", makeSif({ salt: "small", sizeBytes: 3 * MIB }));
    alice.write("other.sif", makeSif({ salt: "other", sizeBytes: 3 * MIB }));
    alice.write("large.sif", makeSif({ salt: "large", sizeBytes: limits.singleUploadBytes + MIB }));
  });

  afterAll(async () => {
    await server?.stop();
    removeClients();
  });

  async function push(file: string, reference: string): Promise<string> {
    const { stdout, stderr } = await alice.run("push", "-U", file, `library://alice/${reference}`);
    return `${stdout}${stderr}`;
  }

  it("prints how much is taken where there is no limit, and where the container is", async () => {
    const printed = await push("small.sif", "tools/small:v1");
    expect(printed).toContain("Library storage: using 3.00 MiB out of unlimited quota");
    expect(printed).toContain(`Container URL: ${server.url}/alice/tools/small`);
  });

  it("prints how much is taken, and of how much, in one piece and in parts", async () => {
    await server.admin("set-quota", { name: "alice", bytes: String(100 * MIB) });
    expect(await push("other.sif", "tools/other:v1")).toContain(
      "Library storage: using 6.00 MiB out of 100.00 MiB quota (6.0% used)",
    );
    const printed = await push("large.sif", "tools/large:v1");
    expect(printed).toContain("Library storage: using 71.00 MiB out of 100.00 MiB quota (71.0% used)");
    expect(printed).toContain(`Container URL: ${server.url}/alice/tools/large`);
  });

  it("is refused before the first byte without room, and prints what is needed, what is left and of how much", async () => {
    const stored = await (await server.miniflare.getR2Bucket("BLOBS")).list();
    const sizes = [
      ["large.sif", { salt: "no room", sizeBytes: limits.singleUploadBytes + MIB }, "65 MiB"],
      ["small.sif", { salt: "no room", sizeBytes: 30 * MIB }, "30 MiB"],
    ] as const;
    for (const [file, sif, needed] of sizes) {
      alice.write(file, makeSif(sif));
      const printed = await alice.refusal("push", "-U", file, `library://alice/full/image:v1`);
      expect(printed, file).toContain(`This needs ${needed}; alice has 29 MiB left of 100 MiB.`);
    }
    const { objects } = await (await server.miniflare.getR2Bucket("BLOBS")).list();
    expect(objects.map(({ key }) => key)).toEqual(stored.objects.map(({ key }) => key));
  });
});
