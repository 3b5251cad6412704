import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import { type Client, hasApptainer, newClientOf, removeClients } from "../support/apptainer.ts";
import { type ForwardProxy, startForwardProxy } from "../support/forward-proxy.ts";
import { makeSif } from "../support/make-sif.ts";
import {
  hasSregistry,
  newSregistryClient,
  removeSregistryClients,
  type SregistryClient,
} from "../support/sregistry-cli.ts";
import { findingsOf, startTestServer, type TestServer } from "../support/test-server.ts";

/** A name for shub, whose URIs have no place for a port: an HTTP proxy knows where it is. */
const HOST = "registry.test";

const definition = "Bootstrap: docker\nFrom: alpine:3.20\n";
const attributes = { labels: { Maintainer: "matrix" }, runscript: "#!/bin/sh\necho matrix" };

/** Each is pushed by one way, and pulled by all. The bytes in parts are more than the client sends in one piece. */
const pushed = {
  library: makeSif({ salt: "by library", definition, attributes }),
  multipart: makeSif({ salt: "in parts", sizeBytes: limits.singleUploadBytes + 1, definition, attributes }),
  sregistry: makeSif({ salt: "by sregistry", sizeBytes: 20 * 1024 ** 2, definition, attributes }),
} as const;
const ways = Object.keys(pushed) as (keyof typeof pushed)[];

describe.skipIf(!hasApptainer || !hasSregistry)("an image", () => {
  let server: TestServer;
  let proxy: ForwardProxy;
  let apptainer: Client;
  let sregistry: SregistryClient;

  beforeAll(async () => {
    server = await startTestServer();
    proxy = await startForwardProxy(server.url, { renames: true });
    apptainer = await newClientOf(server, (await server.addUser("alice")).token);
    const { key } = (await server.admin("add-key", { username: "alice" })) as { key: string };
    sregistry = newSregistryClient(server.url, { username: "alice", key });
    for (const way of ways) {
      apptainer.write(`${way}.sif`, pushed[way]);
      sregistry.write(`${way}.sif`, pushed[way]);
    }
    for (const way of ["library", "multipart"]) {
      await apptainer.run("push", "-U", `${way}.sif`, `library://alice/matrix/${way}:v1`);
    }
    const { text } = await sregistry.run("push", "--name", "matrix/sregistry:v1", "sregistry.sif");
    expect(text).toContain("Upload Complete");
  });

  afterAll(async () => {
    await server?.stop();
    proxy?.stop();
    removeClients();
    removeSregistryClients();
  });

  /** The bytes that a client gets. */
  const pulls: Record<string, (way: string) => Promise<Buffer>> = {
    library: async (way) => {
      await apptainer.run("pull", "--force", "pulled.sif", `library://alice/matrix/${way}:v1`);
      return apptainer.read("pulled.sif");
    },
    shub: async (way) => {
      await apptainer.paste([
        `export HTTP_PROXY=${proxy.url}`,
        `apptainer pull --no-https --force shub.sif shub://${HOST}/matrix/${way}:v1`,
      ]);
      return apptainer.read("shub.sif");
    },
    sregistry: async (way) => {
      await sregistry.run("pull", "--no-cache", "--force", "--name", `${way}-pulled.sif`, `matrix/${way}:v1`);
      return sregistry.read(`${way}-pulled.sif`);
    },
    curl: async (way) => {
      await apptainer.paste([`curl -fsLo curl.sif ${server.url}/v1/imagefile/alice/matrix/${way}:v1`]);
      return apptainer.read("curl.sif");
    },
  };

  describe.each(ways)("pushed by %s", (way) => {
    it.each(Object.keys(pulls))("is pulled by %s, byte for byte", async (by) => {
      const bytes = await pulls[by]?.(way);
      expect(bytes?.equals(Buffer.from(pushed[way]))).toBe(true);
    });
  });

  it("is one stored object, and was read, whichever way it came in", async () => {
    for (const way of ways) {
      // The same content by another way: the second time there is nothing to store.
      const { text } = await sregistry.run("push", "--name", `again/${way}:v1`, `${way}.sif`);
      expect(text, way).toContain("Upload Complete");
      await apptainer.run("push", "-U", `${way}.sif`, `library://alice/third/${way}:v1`);
    }
    const database = await server.miniflare.getD1Database("DB");
    const blobs = await database.prepare("SELECT count(*) AS n FROM blobs").first<number>("n");
    expect(blobs).toBe(ways.length);
    await expect
      .poll(
        async () =>
          await database.prepare("SELECT count(*) AS n FROM labels WHERE value = 'matrix'").first<number>("n"),
        { timeout: 20_000 },
      )
      .toBe(3 * ways.length);
    const findings = await findingsOf(server.admin);
    expect(findings.filter(({ kind }) => kind !== "blob-unreferenced")).toEqual([]);
  });
});
