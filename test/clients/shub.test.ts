import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Client, fixture, hasApptainer, newClient, removeClients } from "../support/apptainer.ts";
import { type ForwardProxy, startForwardProxy } from "../support/forward-proxy.ts";
import { pushOverHttp } from "../support/http-client.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

/*
 * A shub URI has no place for a port, and with `--no-https` the client asks port 80. So it finds the registry by
 * its name, through an HTTP proxy that knows where that is.
 */
const HOST = "registry.test";

describe.skipIf(!hasApptainer)("apptainer pull shub://", () => {
  let server: TestServer;
  let proxy: ForwardProxy;
  let client: Client;
  const file = (name: string) => new Uint8Array(fixture(name));

  beforeAll(async () => {
    server = await startTestServer({ PUBLIC_ORIGIN: `http://${HOST}` });
    proxy = await startForwardProxy(server.url);
    client = newClient();
    const [alice, bob] = [await server.addUser("alice"), await server.addUser("bob")];
    await pushOverHttp(server.url, alice.token, "alice/demo/tool:v1", file("plain.sif"));
    await pushOverHttp(server.url, alice.token, "alice/demo/tool:latest", file("labelled.sif"));
    await pushOverHttp(server.url, bob.token, "bob/demo/tool:v1", file("signed.sif"));
    await pushOverHttp(server.url, alice.token, "alice/hidden/tool:v1", file("plain.sif"));
    await server.admin("set-visibility", { collection: "alice/hidden", visibility: "private" });
  });

  afterAll(async () => {
    await server?.stop();
    proxy?.stop();
    removeClients();
  });

  /** Pulls and answers which file that was. */
  async function pulled(uri: string): Promise<string | undefined> {
    await client.paste([
      `export HTTP_PROXY=${proxy.url}`,
      `apptainer pull --no-https --force pulled.sif shub://${uri}`,
    ]);
    const names = ["plain.sif", "labelled.sif", "signed.sif"];
    return names.find((name) => client.read("pulled.sif").equals(fixture(name)));
  }

  async function refusal(uri: string): Promise<string> {
    return await pulled(uri).then(
      () => "pulled",
      (thrown: unknown) => String(thrown),
    );
  }

  it("finds a container by two names behind the registry's, with and without a tag", async () => {
    expect(await pulled(`${HOST}/demo/tool:v1`)).toBe("plain.sif");
    expect(await pulled(`${HOST}/demo/tool`)).toBe("labelled.sif");
    expect(proxy.seen).toContain("GET /api/container/demo/tool:latest");
  });

  it("finds another's of the same short name by three, at the address the client makes of it", async () => {
    expect(await pulled(`${HOST}/bob/demo/tool:v1`)).toBe("signed.sif");
    expect(proxy.seen).toContain("GET /bob/api/container/demo/tool:v1");
  });

  it("finds a version by the first 40 digits of its SHA-256", async () => {
    const sha256 = Buffer.from(fixture("plain.sha256")).toString().trim();
    expect(await pulled(`${HOST}/demo/tool@${sha256.slice(0, 40)}`)).toBe("plain.sif");
    expect(await pulled(`${HOST}/demo/tool:latest@${sha256.slice(0, 32)}`)).toBe("plain.sif");
  });

  it("takes what it has from its cache only when it is the same image", async () => {
    const downloads = () => proxy.seen.filter((line) => line.startsWith("GET /blobs/")).length;
    await pulled(`${HOST}/demo/tool:v1`);
    const before = downloads();
    expect(await pulled(`${HOST}/demo/tool:v1`)).toBe("plain.sif");
    expect(downloads()).toBe(before);
    expect(await pulled(`${HOST}/demo/tool:latest`)).toBe("labelled.sif");
  });

  it("is told of what is not there, and as much of what is hidden as of what is absent", async () => {
    expect(await refusal(`${HOST}/demo/none:v1`)).toContain("manifest was not found");
    const [hidden, absent] = [await refusal(`${HOST}/hidden/tool:v1`), await refusal(`${HOST}/absent/tool:v1`)];
    expect(hidden).toContain("403 Forbidden");
    expect(hidden.replaceAll("hidden", "absent")).toBe(absent);
  });
});
