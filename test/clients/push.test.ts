import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { push } from "../../ui/client-lines.ts";
import { limits } from "../../worker/registry/limits.ts";
import { type Client, fixture, hasApptainer, logIn, newClientOf, removeClients } from "../support/apptainer.ts";
import { makeSif, type SifOptions } from "../support/make-sif.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

describe.skipIf(!hasApptainer)("apptainer push", () => {
  let server: TestServer;
  let alice: Client;
  let bob: Client;

  beforeAll(async () => {
    server = await startTestServer();
    alice = await newClientOf(server, (await server.addUser("alice")).token);
    bob = await newClientOf(server, (await server.addUser("bob")).token);
    for (const name of ["plain.sif", "labelled.sif", "signed.sif"]) alice.write(name, fixture(name));
    bob.write("image.sif", fixture("plain.sif"));
  });

  afterAll(async () => {
    await server?.stop();
    removeClients();
  });

  let pulls = 0;

  /** What anybody gets for a reference: pulled by bob, past his cache. */
  async function pulled(reference: string): Promise<Buffer> {
    const file = `pulled-${pulls++}.sif`;
    await bob.run("pull", "--disable-cache", file, `library://${reference}`);
    return bob.read(file);
  }

  describe("publishes", () => {
    for (const name of ["plain.sif", "labelled.sif"]) {
      it(`an image that the client built, byte for byte: ${name}`, async () => {
        const reference = `alice/built/${name.replace(".sif", "")}:v1`;
        await alice.run("push", "-U", name, `library://${reference}`);
        expect(await pulled(reference)).toEqual(fixture(name));
      });
    }

    it("an image by the line of the home page", async () => {
      alice.write("image.sif", fixture("plain.sif"));
      await alice.paste(push(server.site));
      expect(await pulled("alice/tools/image:v1")).toEqual(fixture("plain.sif"));
    });

    it("a signed image without -U, where the key is in one's keyring, and its signature with it", async () => {
      const reference = "alice/signed/image:v1";
      expect(await alice.refusal("push", "signed.sif", `library://${reference}`)).toContain(
        "unable to verify signature",
      );
      alice.write("tester.asc", fixture("tester.asc"));
      await alice.run("key", "import", "tester.asc");
      await alice.run("push", "signed.sif", `library://${reference}`);
      bob.write("tester.asc", fixture("tester.asc"));
      await bob.run("key", "import", "tester.asc");
      await bob.run("pull", "signed.sif", `library://${reference}`);
      expect(bob.read("signed.sif")).toEqual(fixture("signed.sif"));
      expect((await bob.run("verify", "--local", "signed.sif")).stderr).toContain("Verified signature(s)");
    });

    it("an image of exactly 64 MiB, the largest that is sent in one piece", async () => {
      const image = makeSif({ salt: "large", sizeBytes: limits.singleUploadBytes });
      alice.write("large.sif", image);
      await alice.run("push", "-U", "large.sif", "library://alice/sizes/large:v1");
      expect((await pulled("alice/sizes/large:v1")).equals(image)).toBe(true);
    });

    it("one image under several tags at once, and under latest where there is none", async () => {
      await alice.run("push", "-U", "plain.sif", "library://alice/tags/app:v1,v1.2,stable");
      await alice.run("push", "-U", "labelled.sif", "library://alice/tags/app");
      for (const tag of ["v1", "v1.2", "stable"]) {
        expect(await pulled(`alice/tags/app:${tag}`), tag).toEqual(fixture("plain.sif"));
      }
      expect(await pulled("alice/tags/app:latest")).toEqual(fixture("labelled.sif"));
    });

    it("images of two architectures under one tag", async () => {
      const [amd, arm] = [makeSif({ salt: "two" }), makeSif({ salt: "two", archCode: "04" })];
      alice.write("amd.sif", amd);
      alice.write("arm.sif", arm);
      await alice.run("push", "-U", "amd.sif", "library://alice/arches/app:v1");
      await alice.run("push", "-U", "arm.sif", "library://alice/arches/app:v1");
      expect(await pulled("alice/arches/app:v1")).toEqual(Buffer.from(amd));
      await bob.run("pull", "--arch", "arm64", "arm.sif", "library://alice/arches/app:v1");
      expect(bob.read("arm.sif")).toEqual(Buffer.from(arm));
    });
  });

  describe("again", () => {
    it("replaces a tag, and the old image stays pullable by its digest", async () => {
      await alice.run("push", "-U", "plain.sif", "library://alice/replaced/app:v1");
      await alice.run("push", "-U", "labelled.sif", "library://alice/replaced/app:v1");
      expect(await pulled("alice/replaced/app:v1")).toEqual(fixture("labelled.sif"));
      expect(await pulled(`alice/replaced/app:${digestOf("plain")}`)).toEqual(fixture("plain.sif"));
    });

    it("with the same image changes nothing, and adds the tags that are new", async () => {
      await alice.run("push", "-U", "plain.sif", "library://alice/again/app:v1");
      await alice.run("push", "-U", "plain.sif", "library://alice/again/app:v1,v2");
      expect(await pulled("alice/again/app:v1")).toEqual(fixture("plain.sif"));
      expect(await pulled("alice/again/app:v2")).toEqual(fixture("plain.sif"));
    });

    it("from two machines at once publishes the new image for both", async () => {
      const { token } = await server.addToken("alice");
      const machines = [alice, await newClientOf(server, token)];
      for (const round of ["one", "two", "three"]) {
        const image = makeSif({ salt: `at once, ${round}` });
        for (const machine of machines) machine.write("new.sif", image);
        const reference = `alice/at-once-${round}/app`;
        await Promise.all(
          machines.map((machine, index) =>
            machine.run("push", "-U", "new.sif", `library://${reference}:both,machine-${index}`),
          ),
        );
        for (const tag of ["both", "machine-0", "machine-1"]) {
          expect(await pulled(`${reference}:${tag}`), tag).toEqual(Buffer.from(image));
        }
      }
    });
  });

  describe("is refused, and publishes nothing,", () => {
    const broken: Record<string, { file: SifOptions | Uint8Array; says: string; saidBy: string }> = {
      "no SIF image": { file: Buffer.from("hello\n"), says: "reading global header", saidBy: "the client" },
      "an image of no architecture": {
        file: { archCode: "00" },
        says: "unknown architecture in SIF file",
        saidBy: "the client",
      },
      "an image that was cut short": {
        file: fixture("plain.sif").subarray(0, 38_000),
        says: "The file is not a SIF image: some of its objects lie outside the file: it was cut short. (422",
        saidBy: "the registry",
      },
      "an image without a primary system partition": {
        file: { hasPrimaryPartition: false },
        says: "The image has no primary system partition, so its architecture is unknown. (422",
        saidBy: "the registry",
      },
      "an OCI-SIF image": {
        file: { isOciSif: true },
        says: "This is an OCI-SIF image. This registry takes only plain SIF images yet. (422",
        saidBy: "the registry",
      },
    };
    for (const [index, [what, { file, says, saidBy }]] of Object.entries(broken).entries()) {
      it(`when the file is ${what}: ${saidBy} says so`, async () => {
        alice.write("broken.sif", file instanceof Uint8Array ? file : makeSif({ salt: what, ...file }));
        const reference = `library://alice/broken/file-${index}:v1`;
        expect(await alice.refusal("push", "-U", "broken.sif", reference)).toContain(says);
        expect(await bob.refusal("pull", "broken.sif", reference)).toContain("image does not exist in the library");
      });
    }

    it("when the tag could not be one: the registry says what it may be", async () => {
      expect(await alice.refusal("push", "-U", "plain.sif", "library://alice/wrong/app:v@1")).toContain(
        "'v@1' is not a valid tag: use up to 128 letters, digits, dots, dashes and underscores",
      );
    });

    it("when the name has two parts or capitals: the client says so", async () => {
      for (const name of ["tools/app:v1", "Alice/tools/app:v1"]) {
        expect(await alice.refusal("push", "-U", "plain.sif", `library://${name}`)).toContain("malformed image path");
      }
    });

    it("under a name that is not one's own", async () => {
      const refusalFor = (name: string) => bob.refusal("push", "-U", "image.sif", `library://${name}/of-bob/image:v1`);
      expect(await refusalFor("nobody")).toContain("You cannot push to 'nobody'. Push to 'bob/…' instead. (403");
      expect(await refusalFor("alice")).toContain("You are not allowed to do this. (403");
    });

    it("into another user's collection, unless one is its contributor", async () => {
      await alice.run("push", "-U", "labelled.sif", "library://alice/shared/app:v1");
      const role = (name: string) =>
        server.admin("set-member", { collection: "alice/shared", username: "bob", role: name });
      const pushAsBob = ["push", "-U", "image.sif", "library://alice/shared/app:v1"];
      const why = "You are not allowed to do this. (403";
      expect(await bob.refusal(...pushAsBob)).toContain(why);
      await role("reader");
      expect(await bob.refusal(...pushAsBob)).toContain(why);
      expect(await pulled("alice/shared/app:v1")).toEqual(fixture("labelled.sif"));
      await role("contributor");
      await bob.run(...pushAsBob);
      expect(await pulled("alice/shared/app:v1")).toEqual(fixture("plain.sif"));
    });

    it("with a token that is for pulling only", async () => {
      await server.admin("add-user", { username: "carol" });
      const carol = await newClientOf(server, (await server.addToken("carol", { scopes: "pull" })).token);
      carol.write("image.sif", fixture("plain.sif"));
      const pushAsCarol = ["push", "-U", "image.sif", "library://carol/tools/image:v1"];
      expect(await carol.refusal(...pushAsCarol)).toContain("The access token does not allow this.");
      await logIn(carol, server, (await server.addToken("carol", { scopes: "pull,push" })).token);
      await carol.run(...pushAsCarol);
    });
  });

  it("leaves database and bucket in agreement after all that", async () => {
    const { findings } = (await server.admin("check-integrity")) as { findings: { kind: string }[] };
    // Uploads that were refused are open until upkeep forgets them; bytes that lost their image wait to be freed.
    expect(findings.filter(({ kind }) => kind !== "upload-open" && kind !== "blob-unreferenced")).toEqual([]);
  });

  function digestOf(name: string): string {
    return `sha256.${Buffer.from(fixture(`${name}.sha256`))
      .toString()
      .trim()}`;
  }
});
