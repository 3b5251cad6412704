import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixture } from "../support/apptainer.ts";
import { pullOverHttp } from "../support/http-client.ts";
import { makeSif } from "../support/make-sif.ts";
import {
  hasSregistry,
  newSregistryClient,
  removeSregistryClients,
  type SregistryClient,
} from "../support/sregistry-cli.ts";
import { findingsOf, startTestServer, type TestServer } from "../support/test-server.ts";

describe.skipIf(!hasSregistry)("sregistry-cli 0.2.39", () => {
  let server: TestServer;
  let host: string;
  let alice: SregistryClient;
  let bob: SregistryClient;
  let nobody: SregistryClient;

  const signerOf = async (username: string) => {
    await server.admin("add-user", { username });
    const { key } = (await server.admin("add-key", { username })) as { key: string };
    return { username, key };
  };

  beforeAll(async () => {
    server = await startTestServer();
    host = new URL(server.url).host;
    const signer = await signerOf("alice");
    alice = newSregistryClient(server.url, signer);
    bob = newSregistryClient(`${server.url}/api/`, await signerOf("bob"));
    nobody = newSregistryClient(server.url, null);
    for (const client of [alice, bob]) {
      client.write("plain.sif", fixture("plain.sif"));
      client.write("labelled.sif", fixture("labelled.sif"));
      client.write("text.txt", "no image");
    }
  });

  afterAll(async () => {
    await server?.stop();
    removeSregistryClients();
  });

  const pushed = "[Return status 200 Upload Complete]";
  const isFixture = (client: SregistryClient, file: string, name: string) =>
    client.read(file).equals(Buffer.from(fixture(name)));

  describe("push", () => {
    it("makes the collection and stores the image, which everybody can pull, apptainer too", async () => {
      const { status, text } = await alice.run("push", "--name", "demo/tool:1.0", "plain.sif");
      expect([status, text]).toEqual([0, expect.stringContaining("[1. Collection return status 200 OK]")]);
      expect(text).toContain(pushed);
      const { status: pulled } = await nobody.run("pull", "--no-cache", "demo/tool:1.0");
      expect([pulled, nobody.files()]).toEqual([0, expect.arrayContaining(["demo-tool:1.0.sif"])]);
      expect(isFixture(nobody, "demo-tool:1.0.sif", "plain.sif")).toBe(true);
      const pulledByLibrary = await pullOverHttp(server.url, "alice/demo/tool:1.0");
      expect(Buffer.compare(pulledByLibrary, fixture("plain.sif"))).toBe(0);
    });

    it("replaces a tag, and takes one of its own option, and upper case as lower", async () => {
      expect((await alice.run("push", "--name", "Demo/Tool", "--tag", "Again", "plain.sif")).text).toContain(pushed);
      expect((await alice.run("push", "--name", "demo/tool:again", "labelled.sif")).text).toContain(pushed);
      await nobody.run("pull", "--no-cache", "--name", "again.sif", "demo/tool:again");
      expect(isFixture(nobody, "again.sif", "labelled.sif")).toBe(true);
    });

    it("of some tens of megabytes goes through in parts", async () => {
      const image = makeSif({ salt: "large", sizeBytes: 40 * 1024 ** 2 });
      alice.write("large.sif", image);
      expect((await alice.run("push", "--name", "demo/large:1", "large.sif")).text).toContain(pushed);
      await nobody.run("pull", "--no-cache", "--name", "large.sif", "demo/large:1");
      expect(nobody.read("large.sif").equals(image)).toBe(true);
    });

    it("names an owner's collection where the URI names the registry too", async () => {
      await bob.run("push", "--name", "bobs/tool:1", "plain.sif");
      const uri = `registry://${host}/alice/bobs/tool:1`;
      expect((await alice.run("push", "--name", uri, "labelled.sif")).text).toContain(pushed);
      await nobody.run("pull", "--no-cache", "--name", "three.sif", uri);
      expect(isFixture(nobody, "three.sif", "labelled.sif")).toBe(true);
      await nobody.run("pull", "--no-cache", "--name", "two.sif", "bobs/tool:1");
      expect(isFixture(nobody, "two.sif", "plain.sif")).toBe(true);
      expect((await alice.run("delete", "--force", uri)).text).toContain("Response 204");
    });

    it("says why it is refused, before it sends anything", async () => {
      const strange = newSregistryClient(server.url, { username: "alice", key: "not-her-key" });
      strange.write("plain.sif", fixture("plain.sif"));
      const cases: [SregistryClient, string, string][] = [
        [
          strange,
          "demo/tool:1",
          "[1. Collection return status 401 The signature is not valid: the username or the key",
        ],
        [bob, "demo/tool:1", "[1. Collection return status 403 You are not allowed to do this.]"],
        [alice, "library/tool:1", "registry://HOST/alice/library/NAME:TAG"],
        [alice, "demo/-tool:1", "[1. Collection return status 400 '-tool' is not a valid name"],
      ];
      for (const [client, name, said] of cases) {
        const { status, text } = await client.run("push", "--name", name, "plain.sif");
        expect([status, text], name).toEqual([1, expect.stringContaining(said)]);
      }
    });

    it("of what is no image ends in words, though with status 0, small or large", async () => {
      alice.write("large.txt", new Uint8Array(12 * 1024 ** 2));
      for (const file of ["text.txt", "large.txt"]) {
        const { status, text } = await alice.run("push", "--name", "demo/text:1", file);
        expect([status, text], file).toEqual([0, expect.stringContaining("Upload failed: 422 Client Error")]);
      }
      expect((await nobody.run("pull", "--no-cache", "demo/text:1")).status).toBe(1);
    });
  });

  it("is told with its form's status that the image is too large for one request", async () => {
    const small = await startTestServer({ MAX_REQUEST_BYTES: String(4 * 1024 ** 2) });
    try {
      await small.admin("add-user", { username: "carol" });
      const { key } = (await small.admin("add-key", { username: "carol" })) as { key: string };
      const carol = newSregistryClient(small.url, { username: "carol", key });
      for (const mib of [6, 40]) {
        carol.write("large.sif", makeSif({ salt: "too large", sizeBytes: mib * 1024 ** 2 }));
        const { status, text } = await carol.run("push", "--name", "demo/tool:1", "large.sif");
        expect([status, text], `${mib} MiB`).toEqual([0, expect.stringContaining("Upload failed: 413 Client Error")]);
      }
    } finally {
      await small.stop();
    }
  });

  describe("pull", () => {
    beforeAll(async () => {
      await alice.run("push", "--name", "secret/tool:1", "plain.sif");
      await server.admin("set-visibility", { collection: "alice/secret", visibility: "private" });
    });

    it("of a private container signs after a 403, for whoever may read it", async () => {
      expect((await alice.run("pull", "--no-cache", "--name", "mine.sif", "secret/tool:1")).status).toBe(0);
      expect(isFixture(alice, "mine.sif", "plain.sif")).toBe(true);
    });

    it("of what is hidden and of what is absent ends alike, with words and without a file", async () => {
      for (const [client, said] of [
        [bob, "Not Found: 404"],
        [nobody, "please set SREGISTRY_REGISTRY_USERNAME"],
      ] as const) {
        for (const name of ["secret/tool:1", "absent/tool:1"]) {
          const { status, text } = await client.run("pull", "--no-cache", "--name", "none.sif", name);
          expect([status, text], name).toEqual([1, expect.stringContaining(said)]);
        }
        expect(client.files()).not.toContain("none.sif");
      }
      const { status, text } = await nobody.run("pull", "--no-cache", "demo/absent:1");
      expect([status, text]).toEqual([1, expect.stringContaining("Not Found: 404")]);
    });
  });

  describe("delete", () => {
    it("takes a tag away, by its owner alone, and says what keeps it", async () => {
      await alice.run("push", "--name", "gone/tool:1", "plain.sif");
      expect((await bob.run("delete", "--force", "gone/tool:1")).text).toContain("Response 403, You are not allowed");
      await server.admin("freeze", { image: "alice/gone/tool:1" });
      const frozen = await alice.run("delete", "--force", "gone/tool:1");
      expect(frozen.text).toContain("Response 403, gone/tool:1 is frozen, delete not allowed.");
      await server.admin("thaw", { image: "alice/gone/tool:1" });
      const { status, text } = await alice.run("delete", "--force", "gone/tool:1");
      expect([status, text]).toEqual([0, expect.stringContaining("Response 204, No Content")]);
      expect((await nobody.run("pull", "--no-cache", "gone/tool:1")).status).toBe(1);
      expect((await alice.run("delete", "--force", "gone/tool:1")).text).toContain("404");
    });

    it("after the same was pushed again works only in the next hour, because one request must not work twice", async () => {
      await alice.run("push", "--name", "gone/twice:1", "plain.sif");
      expect((await alice.run("delete", "--force", "gone/twice:1")).text).toContain("Response 204");
      await alice.run("push", "--name", "gone/twice:1", "plain.sif");
      const again = await alice.run("delete", "--force", "gone/twice:1");
      expect([again.status, again.text]).toEqual([1, expect.stringContaining("credentials are expired")]);
    });
  });

  it("is told cleanly that nothing is built here", async () => {
    alice.write("Singularity", "Bootstrap: docker\nFrom: busybox\n");
    const { text } = await alice.run(
      "build",
      "--name",
      "registry://demo/built:1",
      "Singularity",
      "--builder",
      "google_build",
    );
    expect(text).toMatch(/404/);
  });

  it("leaves nothing that does not belong together", async () => {
    const isOurs = ({ kind }: { kind: string }) =>
      !["blob-unreferenced", "object-discarded", "job-failing"].includes(kind);
    expect((await findingsOf(server.admin)).filter(isOurs)).toEqual([]);
  });
});
