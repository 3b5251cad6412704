import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Client, fixture, hasApptainer, newClientOf, removeClients } from "../support/apptainer.ts";
import { makeSif } from "../support/make-sif.ts";
import { indexedBy, startTestServer, type TestServer } from "../support/test-server.ts";

describe.skipIf(!hasApptainer)("managing images with apptainer", () => {
  let server: TestServer;
  let alice: Client;
  let bob: Client;
  let nobody: Client;

  beforeAll(async () => {
    server = await startTestServer();
    alice = await newClientOf(server, (await server.addUser("alice")).token);
    bob = await newClientOf(server, (await server.addUser("bob")).token);
    nobody = await newClientOf(server);
    for (const name of ["plain.sif", "labelled.sif", "signed.sif"]) alice.write(name, fixture(name));
    alice.write("arm.sif", makeSif({ salt: "arm", archCode: "04" }));
  });

  afterAll(async () => {
    await server?.stop();
    removeClients();
  });

  const push = (file: string, reference: string) => alice.run("push", "-U", file, `library://${reference}`);

  /** What anybody gets for a reference now: the name of the file that was pushed, or null. */
  async function found(reference: string): Promise<string | null> {
    const names = ["plain.sif", "labelled.sif", "signed.sif"];
    const pull = ["pull", "--force", "--disable-cache", "pulled.sif", `library://${reference}`];
    try {
      await nobody.run(...pull);
    } catch (thrown) {
      if (String(thrown).includes("image does not exist in the library")) return null;
      throw thrown;
    }
    return names.find((name) => nobody.read("pulled.sif").equals(fixture(name))) ?? "something else";
  }

  function digestOf(name: string): string {
    return `sha256.${Buffer.from(fixture(`${name}.sha256`))
      .toString()
      .trim()}`;
  }

  describe("apptainer search", () => {
    beforeAll(async () => {
      await push("plain.sif", "alice/fluids/solver:v1,v2");
      await alice.run("push", "-U", "-D", "Meshes of glaciers", "labelled.sif", "library://alice/fluids/mesher:v1");
      await push("signed.sif", "alice/fluids/signed-solver:v1");
      await push("arm.sif", "alice/fluids/arm-solver:v1");
      await push("plain.sif", "alice/hidden/secret-solver:v1");
      await server.admin("set-visibility", { collection: "alice/hidden", visibility: "private" });
      await indexedBy(server.admin);
    });

    const search = async (client: Client, ...args: string[]) => {
      const { stdout } = await client.run("search", ...args);
      return stdout.match(/library:\/\/\S+/g)?.sort() ?? [];
    };

    it("finds images by a part of their name, with their tags, and private ones for their owner only", async () => {
      const visible = ["library://alice/fluids/signed-solver:v1", "library://alice/fluids/solver:v1,v2"];
      expect(await search(nobody, "SOLVE")).toEqual(visible);
      expect(await search(bob, "solve")).toEqual(visible);
      expect(await search(alice, "solve")).toEqual([...visible, "library://alice/hidden/secret-solver:v1"].sort());
    });

    it("finds and shows descriptions", async () => {
      expect((await nobody.run("search", "glaciers")).stdout).toMatch(
        /library:\/\/alice\/fluids\/mesher:v1\s+Meshes of glaciers/,
      );
    });

    it("finds images of another architecture, and signed ones with who signed them", async () => {
      expect(await search(nobody, "--arch", "arm64", "solver")).toEqual(["library://alice/fluids/arm-solver:v1"]);
      expect((await nobody.run("search", "--signed", "solver")).stdout).toMatch(
        /Found 1 container images[\s\S]*signed-solver:v1\s+Signed by: 4584CE51059C7E533F72C3769AF03DF8C237D1BA/,
      );
    });

    it("says when there is nothing", async () => {
      expect((await nobody.run("search", "no-such-thing")).stdout).toContain("No container images found");
    });
  });

  describe("apptainer delete", () => {
    it("takes a tag away; the image goes with its last one", async () => {
      await push("plain.sif", "alice/deleted/app:v1,v2");
      await alice.run("delete", "--force", "library://alice/deleted/app:v1");
      expect(await found("alice/deleted/app:v1")).toBeNull();
      expect(await found("alice/deleted/app:v2")).toBe("plain.sif");
      await alice.run("delete", "--force", "library://alice/deleted/app:v2");
      expect(await found(`alice/deleted/app:${digestOf("plain")}`)).toBeNull();
      expect(await alice.refusal("delete", "--force", "library://alice/deleted/app:v2")).toContain("not found");
    });

    it("takes an image and all its tags away by its digest, and leaves the others", async () => {
      await push("plain.sif", "alice/by-digest/app:v1,v2");
      await push("labelled.sif", "alice/by-digest/app:v3");
      await alice.run("delete", "--force", `library://alice/by-digest/app:${digestOf("plain")}`);
      expect(await found("alice/by-digest/app:v1")).toBeNull();
      expect(await found("alice/by-digest/app:v2")).toBeNull();
      expect(await found("alice/by-digest/app:v3")).toBe("labelled.sif");
    });

    it("leaves the image of another architecture alone", async () => {
      await push("plain.sif", "alice/by-arch/app:v1");
      await push("arm.sif", "alice/by-arch/app:v1");
      await alice.run("delete", "--force", "--arch", "arm64", "library://alice/by-arch/app:v1");
      expect(await found("alice/by-arch/app:v1")).toBe("plain.sif");
      expect(await nobody.refusal("pull", "--arch", "arm64", "arm.sif", "library://alice/by-arch/app:v1")).toContain(
        "(arm64)",
      );
    });

    it("leaves the same image of other collections alone, and it can be pushed again", async () => {
      await push("plain.sif", "alice/first/app:v1");
      await push("plain.sif", "alice/second/app:v1");
      await alice.run("delete", "--force", "library://alice/first/app:v1");
      expect(await found("alice/second/app:v1")).toBe("plain.sif");
      await push("plain.sif", "alice/first/app:v1");
      expect(await found("alice/first/app:v1")).toBe("plain.sif");
    });

    it("asks first without --force, and takes no for an answer", async () => {
      await push("plain.sif", "alice/asked/app:v1");
      await alice.paste(["apptainer delete library://alice/asked/app:v1"], "n\n");
      expect(await found("alice/asked/app:v1")).toBe("plain.sif");
      await alice.paste(["apptainer delete library://alice/asked/app:v1"], "y\n");
      expect(await found("alice/asked/app:v1")).toBeNull();
    });

    it("is refused to everybody but whoever may change the collection", async () => {
      await push("plain.sif", "alice/kept/app:v1");
      const image = "library://alice/kept/app:v1";
      expect(await nobody.refusal("delete", "--force", image)).toContain(
        "Sign in first: this needs an access token. (401",
      );
      expect(await bob.refusal("delete", "--force", image)).toContain("You are not allowed to do this. (403");
      await server.admin("set-visibility", { collection: "alice/kept", visibility: "private" });
      expect(await bob.refusal("delete", "--force", image)).toContain("couldn't delete requested image: not found");
      await server.admin("set-visibility", { collection: "alice/kept", visibility: "public" });
      expect(await found("alice/kept/app:v1")).toBe("plain.sif");
    });
  });

  describe("a frozen tag", () => {
    beforeAll(async () => {
      await push("plain.sif", "alice/frozen/app:v1,v2");
      await server.admin("freeze", { image: "alice/frozen/app:v1" });
    });

    it("is not replaced, and the client says why", async () => {
      expect(await alice.refusal("push", "-U", "labelled.sif", "library://alice/frozen/app:v1")).toContain(
        "This tag exists, and is frozen. (400",
      );
      expect(await found("alice/frozen/app:v1")).toBe("plain.sif");
    });

    it("is not deleted, neither alone nor with its image", async () => {
      for (const selector of ["v1", digestOf("plain")]) {
        expect(await alice.refusal("delete", "--force", `library://alice/frozen/app:${selector}`)).toContain(
          "This is frozen and cannot be replaced or deleted. (400",
        );
      }
      expect(await found("alice/frozen/app:v1")).toBe("plain.sif");
    });

    it("may be pushed again as it is, and other tags still move", async () => {
      await push("plain.sif", "alice/frozen/app:v1");
      await push("labelled.sif", "alice/frozen/app:v2");
      expect(await found("alice/frozen/app:v2")).toBe("labelled.sif");
    });

    it("moves again once it is thawed", async () => {
      await server.admin("thaw", { image: "alice/frozen/app:v1" });
      await push("labelled.sif", "alice/frozen/app:v1");
      expect(await found("alice/frozen/app:v1")).toBe("labelled.sif");
    });
  });

  describe("a frozen image", () => {
    it("keeps all its tags", async () => {
      await push("plain.sif", "alice/frozen-image/app:v1,v2");
      await server.admin("freeze", { image: `alice/frozen-image/app:${digestOf("plain")}` });
      for (const tag of ["v1", "v2"]) {
        const reference = `library://alice/frozen-image/app:${tag}`;
        expect(await alice.refusal("push", "-U", "labelled.sif", reference)).toContain("is frozen");
        expect(await alice.refusal("delete", "--force", reference)).toContain("is frozen");
        expect(await found(`alice/frozen-image/app:${tag}`)).toBe("plain.sif");
      }
    });
  });

  describe("a read-only container", () => {
    const why = "This container is read-only. (409";
    const readOnly = (value: string) => server.admin("set-read-only", { container: "alice/read-only/app", value });

    beforeAll(async () => {
      await push("plain.sif", "alice/read-only/app:v1");
      await readOnly("true");
    });

    it("takes no new image and no new tag, and the client says why", async () => {
      expect(await alice.refusal("push", "-U", "labelled.sif", "library://alice/read-only/app:v2")).toContain(why);
      expect(await alice.refusal("push", "-U", "plain.sif", "library://alice/read-only/app:v2")).toContain(why);
      expect(await found("alice/read-only/app:v2")).toBeNull();
    });

    it("lets nothing be replaced or deleted, and all be pulled", async () => {
      expect(await alice.refusal("push", "-U", "labelled.sif", "library://alice/read-only/app:v1")).toContain(why);
      expect(await alice.refusal("delete", "--force", "library://alice/read-only/app:v1")).toContain(why);
      expect(await found("alice/read-only/app:v1")).toBe("plain.sif");
    });

    it("changes again once it is not read-only any more", async () => {
      await readOnly("false");
      await push("labelled.sif", "alice/read-only/app:v1");
      expect(await found("alice/read-only/app:v1")).toBe("labelled.sif");
    });
  });
});
