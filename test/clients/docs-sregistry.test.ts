import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Client, fixture, hasApptainer, newClient, removeClients } from "../support/apptainer.ts";
import { type ForwardProxy, startForwardProxy } from "../support/forward-proxy.ts";
import { pushOverHttp } from "../support/http-client.ts";
import { hasSregistry, sregistryEnvironment, sregistryPath } from "../support/sregistry-cli.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

const document = readFileSync(join(import.meta.dirname, "../../docs/coming-from-sregistry.md"), "utf8");
const boxes = [...document.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) =>
  (match[1] ?? "").trimEnd().split("\n"),
);

const ORIGIN = "https://registry.example.org";
const HOST = new URL(ORIGIN).host;

describe.skipIf(!hasApptainer || !hasSregistry)("docs/coming-from-sregistry.md", () => {
  let server: TestServer;
  let proxy: ForwardProxy;
  let alice: Client;

  beforeAll(async () => {
    server = await startTestServer();
    proxy = await startForwardProxy(server.url, { renames: true });
    const { token } = await server.addUser("alice");
    await pushOverHttp(server.url, token, "alice/tools/image:v2", new Uint8Array(fixture("labelled.sif")));
    alice = newClient();
    alice.write("image.sif", fixture("plain.sif"));
    alice.write("key.txt", `${((await server.admin("add-key", { username: "alice" })) as { key: string }).key}\n`);
  });

  afterAll(async () => {
    await server?.stop();
    proxy?.stop();
    removeClients();
  });

  it("has lines that work as they stand, all in one shell", async () => {
    const [setUp = [], work = [], shub = [], ...others] = boxes;
    expect(others).toEqual([]);
    const environment = Object.entries(sregistryEnvironment(alice.folder)).map(
      ([name, value]) => `export ${name}='${value}'`,
    );
    const { stdout, stderr } = await alice.paste([
      `export PATH='${dirname(sregistryPath)}':"$PATH"`,
      ...environment,
      // The address of the registry that runs here.
      ...setUp.map((line) => line.replaceAll(ORIGIN, server.url)),
      ...work,
      // Plain http to a port, which a URI of shub cannot name: by a proxy.
      `export HTTP_PROXY=${proxy.url}`,
      ...shub.map((line) =>
        line.replace("apptainer pull", "apptainer pull --no-https").replaceAll(ORIGIN, `http://${HOST}`),
      ),
    ]);
    const printed = stdout + stderr;
    expect(printed).toContain("Upload Complete");
    // All, the collection's, and the one.
    expect(printed.match(/tools\/image:v1/g)?.length).toBeGreaterThanOrEqual(3);
    expect(alice.read("tools-image:v1.sif")).toEqual(Buffer.from(fixture("plain.sif")));
    expect(alice.read("image_v2.sif")).toEqual(Buffer.from(fixture("labelled.sif")));
    expect((await fetch(`${server.url}/v1/images/alice/tools/image:v1?arch=amd64`)).status).toBe(404);
  });
});
