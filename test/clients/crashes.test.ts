import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import { type Client, hasApptainer, newClientOf, removeClients } from "../support/apptainer.ts";
import { type CrashingRegistry, startCrashingRegistry } from "../support/crashing-registry.ts";
import { sha256Of, writeLargeSif } from "../support/large-sif.ts";
import type { Seen } from "../support/proxy.ts";
import { findingsOf, type Token } from "../support/test-server.ts";

const hasProc = existsSync("/proc");
if (!hasProc) console.warn("Tests that kill a registry and its workerd are skipped: this system has no /proc.");

/** How soon after a start an image is published whose verification was cut off. */
const SOON_MS = 10_000;

interface Image {
  reference: string;
  sha256: string;
}

const complete = { method: "PUT", path: /\/_multipart_complete$/ };

describe.skipIf(!hasApptainer || !hasProc)("a push whose registry is killed with -9", () => {
  let registry: CrashingRegistry;
  let alice: Client;
  let bob: Client;

  beforeAll(async () => {
    registry = await startCrashingRegistry({ PART_BYTES: String(limits.partMinBytes) });
    await registry.admin("add-user", { username: "alice" });
    const { token } = (await registry.admin("add-token", { username: "alice" })) as Token;
    alice = await newClientOf(registry, token);
    bob = await newClientOf(registry);
  });

  afterAll(async () => {
    await registry?.remove();
    removeClients();
  });

  /** An image that the client sends in 13 parts. */
  async function newImage(name: string): Promise<Image> {
    const sha256 = await writeLargeSif(alice.path("image.sif"), limits.singleUploadBytes + 1);
    return { sha256, reference: `library://alice/${name}/app:v1` };
  }

  /** What anybody gets for a reference, past their cache. */
  async function pulled(reference: string): Promise<string> {
    await bob.run("pull", "--force", "--disable-cache", "pulled.sif", reference);
    return await sha256Of(bob.path("pulled.sif"));
  }

  /** How far the upload of the last image is, past the server. */
  const uploadState = () =>
    registry.readDatabase(`SELECT uploads.state, jobs.attempts FROM uploads LEFT JOIN jobs ON jobs.subject = uploads.id
      ORDER BY uploads.created_at DESC`);

  /** Until something is so in the database or the bucket, looking as often as can be. */
  async function until(isSo: () => boolean): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!isSo()) {
      if (Date.now() > deadline) throw new Error("It did not come to that in 30 seconds.");
      await new Promise((done) => setImmediate(done));
    }
  }

  /** Pushes the image while something kills the registry. The client says that it failed. */
  async function pushInto(crash: Promise<void>, { reference }: Image): Promise<void> {
    const [said] = await Promise.all([alice.refusal("push", "-U", "image.sif", reference), crash]);
    expect(said).toContain("FATAL: ");
  }

  async function expectUnpublishedButRepeatable(image: Image): Promise<void> {
    expect(uploadState()).toMatchObject({ state: "open" });
    await registry.restart();
    expect(await bob.refusal("pull", "none.sif", image.reference)).toContain("image does not exist in the library");
    await expectRepeatable(image);
  }

  /** Pushed once more it is there, and nothing is left but uploads that upkeep will forget. */
  async function expectRepeatable({ reference, sha256 }: Image): Promise<void> {
    expect(await findingsOf(registry.admin)).toEqual([]);
    await alice.run("push", "-U", "image.sif", reference);
    expect(await pulled(reference)).toBe(sha256);
    expect(await findingsOf(registry.admin)).toEqual([]);
  }

  it("in the middle of a part fails, publishes nothing, and can be repeated", async () => {
    const image = await newImage("part");
    const fourth = { method: "PUT", path: /^\/blobs\/part$/, nth: 4, afterBytes: 1024 ** 2 };
    await pushInto(registry.proxy.at(fourth, registry.kill), image);
    await expectUnpublishedButRepeatable(image);
  });

  it("while it asks to be completed fails, publishes nothing, and can be repeated", async () => {
    const image = await newImage("completing");
    await pushInto(registry.proxy.at({ ...complete, afterBytes: 100 }, registry.kill), image);
    await expectUnpublishedButRepeatable(image);
  });

  it("when its parts have just become one object fails, publishes nothing, and can be repeated", async () => {
    const image = await newImage("completed");
    const objects = () => registry.readBucket("SELECT count(*) AS n FROM _mf_objects").n;
    const before = objects();
    // The bucket goes on, and the database does not come to know.
    const thaw = registry.freeze("uploads", "state");
    const crash = until(() => objects() !== before).then(registry.kill);
    await pushInto(crash, image).finally(thaw);
    await expectUnpublishedButRepeatable(image);
  });

  it.each([
    { moment: "before its verification began", name: "verified-later", attempts: 0 },
    { moment: "during its verification", name: "verified-again", attempts: 1 },
  ])(
    "$moment fails, is not served unverified, and is published by the next start with its tag",
    async ({ name, attempts }) => {
      const image = await newImage(name);
      // The client sets tags last. Another one may have done it before.
      const tagged = registry.proxy.at(complete, setTag);
      const crash = tagged.then(() => until(() => attemptsMade() >= attempts)).then(registry.kill);
      await pushInto(crash, image);
      expect(uploadState()).toMatchObject({ state: "verifying" });
      // No attempt can begin, and each is made again two seconds later.
      const thaw = registry.freeze("jobs", "attempts");
      try {
        await registry.restart();
        expect(await bob.refusal("pull", "none.sif", image.reference)).toContain("is being verified");
      } finally {
        thaw();
      }
      await expect.poll(uploadState, { timeout: SOON_MS }).toMatchObject({ state: "published" });
      expect(await pulled(image.reference)).toBe(image.sha256);
      await expectRepeatable(image);
    },
  );

  /** How many attempts at verifying the last upload were begun; less than none when there is no such job. */
  const attemptsMade = () => Number(uploadState().attempts ?? -1);

  /** Sets the tag v1 on the image that a request is about, as whoever sent it. */
  async function setTag({ path, authorization }: Seen): Promise<void> {
    const [, imageId = ""] = /imagefile\/([^/]+)/.exec(path) ?? [];
    const { container_id } = registry.readDatabase(`SELECT container_id FROM images WHERE id = '${imageId}'`);
    const body = JSON.stringify({ Arch: "amd64", Tag: "v1", ImageID: imageId });
    const headers = { Authorization: authorization };
    const { status } = await fetch(`${registry.site.origin}/v2/tags/${container_id}`, {
      method: "POST",
      headers,
      body,
    });
    expect(status).toBe(200);
  }
});
