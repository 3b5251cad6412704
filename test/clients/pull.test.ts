import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { download, pull, pullAnonymously } from "../../ui/client-lines.ts";
import { limits } from "../../worker/registry/limits.ts";
import { type Client, fixture, hasApptainer, newClientOf, removeClients } from "../support/apptainer.ts";
import { makeSif } from "../support/make-sif.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

const plain = fixture("plain.sif");
const digest = `sha256.${Buffer.from(fixture("plain.sha256")).toString().trim()}`;
const notThere = "image does not exist in the library";

describe.skipIf(!hasApptainer)("apptainer pull", () => {
  let server: TestServer;
  let alice: Client;

  beforeAll(async () => {
    server = await startTestServer();
    alice = await newClientOf(server, (await server.addUser("alice")).token);
    for (const name of ["plain.sif", "labelled.sif", "signed.sif"]) alice.write(name, fixture(name));
    await alice.run("push", "-U", "plain.sif", "library://alice/tools/image:v1,latest");
  });

  afterAll(async () => {
    await server?.stop();
    removeClients();
  });

  /** What a client gets for a reference, into a file that was not there. */
  async function pulled(client: Client, reference: string, ...options: string[]): Promise<Buffer> {
    const file = `${reference.replace(/[/:]/g, "-")}.sif`;
    await client.run("pull", "--force", ...options, file, `library://${reference}`);
    return client.read(file);
  }

  describe("gives the very bytes that were pushed", () => {
    it("by the line of the home page, into a file named after container and tag", async () => {
      const bob = await newClientOf(server, (await server.addUser("bob")).token);
      await bob.paste(pull(server.site));
      expect(bob.read("image_v1.sif")).toEqual(plain);
    });

    it("without the cache, and with it: the second time nothing is downloaded", async () => {
      const client = await newClientOf(server);
      const image = "library://alice/tools/image:v1";
      const direct = await client.run("pull", "--disable-cache", "direct.sif", image);
      expect(direct.stderr).toContain("Downloading library image");
      const first = await client.run("pull", "first.sif", image);
      expect(first.stderr).toContain("Downloading library image");
      const second = await client.run("pull", "second.sif", image);
      expect(second.stderr).toContain("Using cached image");
      for (const file of ["direct.sif", "first.sif", "second.sif"]) expect(client.read(file), file).toEqual(plain);
    });

    it("of 64 MiB, in several requests at once, without the cache and with it", async () => {
      const bytes = makeSif({ salt: "large", sizeBytes: limits.singleUploadBytes });
      // Every 5 MiB, which is one request of the client, something that stands nowhere else.
      for (let offset = 1_000_000; offset < bytes.length; offset += 5 * 1024 * 1024)
        bytes.fill(offset % 251, offset, offset + 4096);
      alice.write("large.sif", bytes);
      await alice.run("push", "-U", "large.sif", "library://alice/sizes/large:v1");
      const client = await newClientOf(server);
      expect((await pulled(client, "alice/sizes/large:v1", "--disable-cache")).equals(bytes)).toBe(true);
      expect((await pulled(client, "alice/sizes/large:v1")).equals(bytes)).toBe(true);
    });

    it("by tag, by no tag, and by digest", async () => {
      const client = await newClientOf(server);
      for (const tag of [":v1", "", `:${digest}`]) {
        expect(await pulled(client, `alice/tools/image${tag}`, "--disable-cache"), tag).toEqual(plain);
      }
    });

    it("by a name of two parts: the first collection called so has it", async () => {
      const client = await newClientOf(server);
      const carol = await newClientOf(server, (await server.addUser("carol")).token);
      carol.write("image.sif", fixture("labelled.sif"));
      await carol.run("push", "-U", "image.sif", "library://carol/tools/image:v1");
      expect(await pulled(client, "tools/image:v1", "--disable-cache")).toEqual(plain);
      expect(await pulled(client, `tools/image:${digest}`, "--disable-cache")).toEqual(plain);
      expect(await pulled(client, "carol/tools/image:v1", "--disable-cache")).toEqual(fixture("labelled.sif"));
    });

    it("by a name of one part, once an administrator gave it out", async () => {
      const client = await newClientOf(server);
      await alice.run("push", "-U", "plain.sif", "library://alice/for-all/short:v1");
      expect(await client.refusal("pull", "short.sif", "library://short:v1")).toContain(notThere);
      await server.admin("give-short-name", { collection: "alice/for-all", name: "library" });
      expect(await pulled(client, "short:v1", "--disable-cache")).toEqual(plain);
    });

    it("for the architecture that is asked for, and says which one there is not", async () => {
      const bytes = Buffer.from(makeSif({ salt: "arm", archCode: "04" }));
      alice.write("arm.sif", bytes);
      await alice.run("push", "-U", "arm.sif", "library://alice/arches/image:v1");
      await alice.run("push", "-U", "plain.sif", "library://alice/arches/image:v1");
      const client = await newClientOf(server);
      expect(await pulled(client, "alice/arches/image:v1", "--arch", "arm64")).toEqual(bytes);
      expect(await pulled(client, "alice/arches/image:v1", "--arch", "amd64")).toEqual(plain);
      expect(await client.refusal("pull", "--arch", "riscv64", "no.sif", "library://alice/arches/image:v1")).toContain(
        `${notThere}: alice/arches/image:v1 (riscv64)`,
      );
    });

    it("with its labels, and with its signature as good as it was", async () => {
      for (const name of ["labelled.sif", "signed.sif"]) {
        await alice.run("push", "-U", name, `library://alice/fixtures/${name.replace(".sif", "")}:v1`);
      }
      const client = await newClientOf(server);
      await pulled(client, "alice/fixtures/labelled:v1");
      const inspected = await client.run("inspect", "--json", "--all", "alice-fixtures-labelled-v1.sif");
      expect(JSON.parse(inspected.stdout)).toEqual(
        JSON.parse(Buffer.from(fixture("labelled.inspect.json")).toString()),
      );
      client.write("tester.asc", fixture("tester.asc"));
      await client.run("key", "import", "tester.asc");
      const { stderr } = await client.run("pull", "signed.sif", "library://alice/fixtures/signed:v1");
      expect(stderr).not.toContain("WARNING");
      expect((await client.run("verify", "--local", "signed.sif")).stderr).toContain("Verified signature(s)");
    });
  });

  describe("without logging in", () => {
    it("works by the lines of the home page, past the remote in use", async () => {
      const elsewhere = await startTestServer({ REGISTRY_URI: "elsewhere" });
      try {
        const client = await newClientOf(elsewhere);
        await client.paste(pullAnonymously(server.site));
        expect(client.read("image_v1.sif")).toEqual(plain);
      } finally {
        await elsewhere.stop();
      }
    });

    it("works with the registry's address in the reference", async () => {
      const client = await newClientOf(server);
      const { host } = new URL(server.url);
      await client.run("pull", "--no-https", "image.sif", `library://${host}/alice/tools/image:v1`);
      expect(client.read("image.sif")).toEqual(plain);
    });

    it("works with curl, by the line of the home page, also continuing a download that broke off", async () => {
      const client = await newClientOf(server);
      await client.paste(download(server.site));
      expect(client.read("image.sif")).toEqual(plain);
      client.write("image.sif", plain.subarray(0, 10_000));
      await client.paste(download(server.site).map((line) => line.replace("curl ", "curl -C - ")));
      expect(client.read("image.sif")).toEqual(plain);
    });
  });

  describe("of a private image", () => {
    const image = "library://alice/secret/image:v1";
    let bob: Client;
    let nobody: Client;

    beforeAll(async () => {
      await alice.run("push", "-U", "labelled.sif", image);
      await server.admin("set-visibility", { collection: "alice/secret", visibility: "private" });
      bob = await newClientOf(server, (await server.addUser("bobby")).token);
      nobody = await newClientOf(server);
    });

    it("works for its owner", async () => {
      expect(await pulled(alice, "alice/secret/image:v1", "--disable-cache")).toEqual(fixture("labelled.sif"));
    });

    it("is answered to everybody else as if it were not there, however they ask", async () => {
      for (const client of [bob, nobody]) {
        for (const reference of [
          image,
          image.replace(":v1", `:sha256.${Buffer.from(fixture("labelled.sha256")).toString().trim()}`),
          "library://secret/image:v1",
          "library://alice/absent/image:v1",
        ]) {
          expect(await client.refusal("pull", "no.sif", reference)).toContain(
            `${notThere}: ${reference.replace("library://", "")} (amd64)`,
          );
        }
        await expect(client.paste(download(server.site, "alice/secret/image:v1"))).rejects.toThrow("404");
      }
      // The client sends no token with --library, not even the owner's (1.4.5).
      await expect(alice.paste(pullAnonymously(server.site, "alice/secret/image:v1"))).rejects.toThrow(notThere);
    });

    it("works with curl and the token", async () => {
      const [line = ""] = download(server.site, "alice/secret/image:v1");
      const header = '-H "Authorization: Bearer $(apptainer remote get-login-password)"';
      await alice.paste([line.replace("curl ", `curl ${header} `)]);
      expect(alice.read("image.sif")).toEqual(fixture("labelled.sif"));
    });

    it("works for a reader of the collection, until that is taken away", async () => {
      const role = (name: string) =>
        server.admin("set-member", { collection: "alice/secret", username: "bobby", role: name });
      await role("reader");
      expect(await pulled(bob, "alice/secret/image:v1", "--disable-cache")).toEqual(fixture("labelled.sif"));
      await role("none");
      expect(await bob.refusal("pull", "again.sif", image)).toContain(notThere);
    });

    it("works for all who are logged in when its collection is internal, for all others when it is public", async () => {
      const visibility = (value: string) =>
        server.admin("set-visibility", { collection: "alice/secret", visibility: value });
      await visibility("internal");
      expect(await pulled(bob, "alice/secret/image:v1", "--disable-cache")).toEqual(fixture("labelled.sif"));
      expect(await nobody.refusal("pull", "no.sif", image)).toContain(notThere);
      await visibility("public");
      expect(await pulled(nobody, "alice/secret/image:v1", "--disable-cache")).toEqual(fixture("labelled.sif"));
    });
  });
});
