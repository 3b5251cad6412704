import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addRemote, download, login, pull, pullAnonymously, push } from "../../ui/client-lines.ts";
import { limits } from "../../worker/registry/limits.ts";
import { type Client, fixture, hasApptainer, newClient, newClientOf, removeClients } from "../support/apptainer.ts";
import { makeSif } from "../support/make-sif.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

const document = readFileSync(join(import.meta.dirname, "../../docs/clients.md"), "utf8");

/** The boxes with lines for a shell, in their order, each with the heading it stands under. */
const boxes = [...document.matchAll(/^#+ (?<heading>.+)$|^```sh\n(?<lines>[\s\S]*?)^```$/gm)].reduce<
  { heading: string; lines: string[] }[]
>((found, { groups }, index, all) => {
  if (groups?.lines === undefined) return found;
  const heading = all.slice(0, index).findLast((match) => match.groups?.heading)?.groups?.heading ?? "";
  found.push({ heading, lines: groups.lines.trimEnd().split("\n") });
  return found;
}, []);

const messages = [...document.matchAll(/^\| `(.+?)` \|/gm)].map((match) => match[1] ?? "");

/** What this registry takes at most: more than the document's images have. */
const maxImageBytes = 1_000_000;

/** What stands in the document in place of the address of one's own registry. */
const deployed = { origin: "https://registry.example.org", uri: "registry" };
const local = { origin: "http://127.0.0.1:8787", uri: "registry" };

/** What the packages of apptainer 1.4.5 have in `/etc/apptainer/remote.yaml`. */
const packagedRemotes = `Active: DefaultRemote
Remotes:
  DefaultRemote:
    URI: cloud.apptainer.org
    System: true
    Exclusive: false
`;

describe("the lines of docs/clients.md", () => {
  it("are those of the home page, where they are for the same thing", () => {
    const lines = boxes.flatMap((box) => box.lines).join("\n");
    for (const group of [
      addRemote(deployed),
      addRemote(local),
      login(deployed),
      push(deployed),
      pull(deployed),
      pullAnonymously(deployed),
      download(deployed),
    ]) {
      expect(lines).toContain(group.join("\n"));
    }
  });
});

describe.skipIf(!hasApptainer)("docs/clients.md", () => {
  let server: TestServer;
  let alice: Client;
  let somebody: Client;

  beforeAll(async () => {
    server = await startTestServer({ REGISTRY_URI: "registry", MAX_IMAGE_BYTES: String(maxImageBytes) });
    alice = newClient();
    alice.write("token.txt", `${(await server.addUser("alice")).token}\n`);
    alice.write("image.sif", fixture("plain.sif"));
    alice.write("image-arm64.sif", makeSif({ salt: "arm64", archCode: "04" }));
    const noPassphrase = ["--comment", "", "--password", "", "--bit-length", "2048", "--push=false"];
    await alice.run("key", "newpair", "--name", "alice", "--email", "alice@example.org", ...noPassphrase);
    somebody = await newClientOf(server);
  });

  afterAll(async () => {
    await server?.stop();
    removeClients();
  });

  /** The only changes to what stands in the document: the address of the registry that runs here. */
  function here(line: string): string {
    const escaped = (origin: string) => new URL(origin).host.replaceAll(".", "\\.");
    return line
      .replaceAll(deployed.origin, server.url)
      .replaceAll(local.origin, server.url)
      .replaceAll(escaped(local.origin), escaped(server.url));
  }

  describe("has lines that work as they stand,", () => {
    for (const { heading, lines } of boxes) {
      it(`one box after the other: ${heading}: ${lines[0]}`, async () => {
        if (heading === "Connect") {
          // No request is made, so not even the address is changed; on a machine of its own.
          const client = newClient();
          await client.paste(lines);
          expect((await client.run("remote", "list")).stdout).toMatch(/^registry +registry\.example\.org +✓/m);
          return;
        }
        const client = heading === "Without logging in" ? somebody : alice;
        const printed = await client.paste(lines.map(here));
        if (heading === "Log in") expect(printed.stdout).toContain("Logged in as: alice");
        if (heading === "Search") expect(printed.stdout.match(/Found \d+ container images/g)).toHaveLength(3);
      });
    }

    it("and leave the files they speak of", () => {
      const digest = Buffer.from(fixture("plain.sha256")).toString().trim();
      for (const file of ["image_v1.sif", `image_sha256.${digest}.sif`, "short.sif", "private.sif"]) {
        expect(alice.read(file), file).toEqual(fixture("plain.sif"));
      }
      expect(alice.read("image-for-arm64.sif")).toEqual(alice.read("image-arm64.sif"));
      for (const file of ["image_v1.sif", "image.sif"]) expect(somebody.read(file)).toEqual(fixture("plain.sif"));
    });
  });

  describe("explains the messages that the client prints:", () => {
    const image = "library://bob/tools/image:v1";
    let bob: Client;

    beforeAll(async () => {
      bob = await newClientOf(server, (await server.addUser("bob")).token);
      bob.write("image.sif", fixture("plain.sif"));
      bob.write("other.sif", fixture("labelled.sif"));
      await bob.run("push", "-U", "image.sif", image);
      await bob.run("push", "-U", "image.sif", "library://bob/frozen/image:v1");
      await server.admin("freeze", { image: "bob/frozen/image:v1" });
      await bob.run("push", "-U", "image.sif", "library://bob/read-only/image:v1");
      await server.admin("set-read-only", { container: "bob/read-only/image", value: "true" });
    });

    const logInWith = async (token: string) => {
      const client = await newClientOf(server);
      client.write("token.txt", `${token}\n`);
      return await client.refusal("remote", "login", "--tokenfile", "token.txt", "registry");
    };
    const pushAs = (client: Client, file: string, reference: string) =>
      client.refusal("push", "-U", file, `library://${reference}`);

    const pushNew = async (reference: string) => {
      bob.write("new.sif", makeSif({ salt: reference }));
      await bob.run("push", "-U", "new.sif", `library://${reference}`);
    };
    /** Takes an image back to where a push leaves it that was completed and is not verified yet. */
    const asWhileVerifying = async (container: string) => {
      const database = await server.miniflare.getD1Database("DB");
      const it = `(SELECT images.id FROM images INNER JOIN containers ON containers.id = images.container_id
        WHERE containers.name = '${container}')`;
      await database.batch(
        [
          `INSERT INTO wanted_tags (image_id, name, created_at) SELECT image_id, name, 0 FROM tags WHERE image_id = ${it}`,
          `DELETE FROM tags WHERE image_id = ${it}`,
          `UPDATE images SET state = 'registered', blob_digest = NULL WHERE id = ${it}`,
          `UPDATE uploads SET state = 'verifying' WHERE image_id = ${it}`,
          `INSERT INTO jobs (id, kind, subject, total_bytes, attempts, created_at, updated_at)
            SELECT 'verify-upload:' || id, 'verify-upload', id, 3, 1, 0, 9e15 FROM uploads WHERE image_id = ${it}`,
        ].map((sql) => database.prepare(sql)),
      );
    };

    /** For each message of the document how one comes to see it. */
    const ways: Record<string, () => Promise<string>> = {
      "Invalid Credentials": () => logInWith("x".repeat(limits.tokenMinLength)),
      "token is too short to be valid": () => logInWith("x".repeat(limits.tokenMinLength - 1)),
      "The access token is not valid": async () => {
        const token = await server.addToken("bob");
        const client = await newClientOf(server, token.token);
        await server.admin("revoke-token", { username: "bob", id: token.id });
        return await client.refusal("pull", image);
      },
      "no authentication token": () => somebody.refusal("push", "-U", "image.sif", image),
      "Sign in first": () => somebody.refusal("delete", "--force", image),
      "remote has no library client": async () => {
        const client = newClient();
        client.write(".apptainer/remote.yaml", packagedRemotes);
        return await client.refusal("pull", image);
      },
      "no default remote with library client in use": async () => {
        const said = await newClient().refusal("pull", image);
        // Where the machine's apptainer came with its `remote.yaml`, it is as above.
        return said.replace("remote has no library client", "no default remote with library client in use");
      },
      "first path segment in URL cannot contain colon": async () => {
        const client = newClient();
        await client.paste(addRemote(server.site).filter((line) => !line.startsWith("sed")));
        return await client.refusal("remote", "status");
      },
      "image does not exist in the library": () => bob.refusal("pull", "--arch", "riscv64", image),
      "will not overwrite": () => bob.refusal("pull", "image.sif", image),
      "integrity: signature not found": async () => (await bob.run("pull", "unsigned.sif", image)).stderr,
      "failed to get key material": async () => {
        bob.write("signed.sif", fixture("signed.sif"));
        await bob.run("push", "-U", "signed.sif", "library://bob/tools/signed:v1");
        const client = await newClientOf(server);
        return (await client.run("pull", "library://bob/tools/signed:v1")).stderr;
      },
      "unable to verify signature": () => bob.refusal("push", "image.sif", image),
      "malformed image path": () => pushAs(bob, "image.sif", "tools/image:v1"),
      "is not a valid tag": () => pushAs(bob, "image.sif", "bob/tools/image:v@1"),
      "You cannot push to": () => pushAs(bob, "image.sif", "nobody/tools/image:v1"),
      "You are not allowed to do this": () => pushAs(bob, "image.sif", "alice/tools/image:v1"),
      "Only owners of the team": async () => {
        await server.admin("add-team", { name: "imaging", owner: "alice" });
        await server.admin("set-team-member", { team: "imaging", username: "bob", role: "member" });
        return await pushAs(bob, "image.sif", "imaging/fresh/image:v1");
      },
      "The access token does not allow this": async () => {
        const { token } = await server.addToken("bob", { scopes: "pull" });
        const client = await newClientOf(server, token);
        client.write("image.sif", fixture("plain.sif"));
        return await pushAs(client, "image.sif", "bob/tools/image:v2");
      },
      "This tag exists, and is frozen": () => pushAs(bob, "other.sif", "bob/frozen/image:v1"),
      "This is frozen and cannot be replaced or deleted": () =>
        bob.refusal("delete", "--force", "library://bob/frozen/image:v1"),
      "This container is read-only": () => pushAs(bob, "other.sif", "bob/read-only/image:v1"),
      "takes images of at most": async () => {
        bob.write("larger.sif", makeSif({ sizeBytes: maxImageBytes + 1 }));
        return await pushAs(bob, "larger.sif", "bob/tools/larger:v1");
      },
      "is being verified": async () => {
        await pushNew("bob/tools/waiting:v1");
        await asWhileVerifying("waiting");
        return await bob.refusal("pull", "library://bob/tools/waiting:v1");
      },
      "are damaged": async () => {
        await pushNew("bob/tools/damaged:v1");
        const database = await server.miniflare.getD1Database("DB");
        await database.prepare("UPDATE blobs SET state = 'corrupt' WHERE rowid = (SELECT max(rowid) FROM blobs)").run();
        return await bob.refusal("pull", "library://bob/tools/damaged:v1");
      },
      "The file is not a SIF image": async () => {
        bob.write("cut.sif", fixture("plain.sif").subarray(0, 38_000));
        return await pushAs(bob, "cut.sif", "bob/tools/cut:v1");
      },
      "This is an OCI-SIF image": async () => {
        bob.write("oci.sif", makeSif({ isOciSif: true }));
        return await pushAs(bob, "oci.sif", "bob/tools/oci:v1");
      },
      "couldn't delete requested image: not found": () => bob.refusal("delete", "--force", `${image}00`),
      "You must search for at least 3 characters": () => bob.refusal("search", "ab"),
    };

    it("no more and no fewer than there is a test for", () => {
      expect(messages).toEqual(Object.keys(ways));
    });
    for (const [message, way] of Object.entries(ways)) {
      it(message, async () => expect(await way()).toContain(message));
    }
  });
});
