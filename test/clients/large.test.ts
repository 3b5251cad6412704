import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import { type Client, hasApptainer, newClientOf, removeClients } from "../support/apptainer.ts";
import { sha256Of, writeLargeSif } from "../support/large-sif.ts";
import type { SifOptions } from "../support/make-sif.ts";
import { startProxy, type TestProxy } from "../support/proxy.ts";
import { findingsOf, startTestServer, type TestServer } from "../support/test-server.ts";

const MIB = 1024 ** 2;
/** The smallest image that clients send in parts. */
const SMALLEST = limits.singleUploadBytes + 1;
/** `LARGE_IMAGE_MIB=1024` tries a gibibyte, which takes a minute where two cores are all there is; the bench, four. */
const LARGEST = (Number(process.env.LARGE_IMAGE_MIB) || 200) * MIB;
const LARGEST_MS = 300_000;

/** Pulls into a file that is written over, past the cache. @returns its SHA-256 */
async function pulled(client: Client, reference: string): Promise<string> {
  await client.run("pull", "--force", "--disable-cache", "pulled.sif", reference);
  return await sha256Of(client.path("pulled.sif"));
}

describe.skipIf(!hasApptainer)("a push and a pull give the very bytes, in parts", () => {
  afterAll(removeClients);

  describe.each([
    { way: "through the registry", isDirect: false, sizes: [SMALLEST, LARGEST] },
    { way: "past the registry, to and from the bucket itself", isDirect: true, sizes: [SMALLEST] },
  ])("$way", ({ isDirect, sizes }) => {
    let server: TestServer;
    let alice: Client;
    let bob: Client;

    beforeAll(async () => {
      server = await startTestServer(isDirect ? { DIRECT_DOWNLOADS: "1" } : {}, { localS3: isDirect });
      const { token } = await server.addUser("alice");
      alice = await newClientOf(server, token, LARGEST_MS);
      bob = await newClientOf(server, undefined, LARGEST_MS);
    });

    afterAll(async () => await server?.stop());

    it.each(sizes)("of %i bytes", { timeout: 2 * LARGEST_MS }, async (sizeBytes) => {
      const sha256 = await writeLargeSif(alice.path("image.sif"), sizeBytes);
      const path = `alice/sizes/of-${sizeBytes}:v1`;
      await alice.run("push", "-U", "image.sif", `library://${path}`);
      expect(await pulled(bob, `library://${path}`)).toBe(sha256);
      const { headers } = await fetch(`${server.url}/v1/imagefile/${path}?arch=amd64`, { redirect: "manual" });
      expect(headers.get("Location")?.startsWith(`${server.url}/blobs/`)).toBe(!isDirect);
      expect(await findingsOf(server.admin)).toEqual([]);
    });
  });
});

describe.skipIf(!hasApptainer)("an image of more than 64 MiB", () => {
  const maxBytes = SMALLEST + 4096;
  let proxy: TestProxy;
  let server: TestServer;
  let token: string;
  let alice: Client;
  let bob: Client;

  beforeAll(async () => {
    proxy = await startProxy();
    const sizes = { PART_BYTES: String(limits.partMinBytes), MAX_IMAGE_BYTES: String(maxBytes) };
    server = await startTestServer({ PUBLIC_ORIGIN: proxy.origin, ...sizes });
    proxy.passTo(server.url);
    ({ token } = await server.addUser("alice"));
    alice = await newClientOf(server, token);
    bob = await newClientOf(server);
  });

  afterAll(async () => {
    await server?.stop();
    await proxy?.stop();
    removeClients();
  });

  const newImage = async (sizeBytes = SMALLEST, options: SifOptions = {}) =>
    await writeLargeSif(alice.path("image.sif"), sizeBytes, options);
  const push = ["push", "-U", "image.sif"];
  const complete = { method: "PUT", path: /\/_multipart_complete$/ };

  /** Until what is returned is called, no verification begins: each attempt fails, and is made again. */
  async function holdVerification(): Promise<() => Promise<unknown>> {
    const database = await server.miniflare.getD1Database("DB");
    const refuse = "BEGIN SELECT RAISE(ABORT, 'held by a test'); END";
    await database.prepare(`CREATE TRIGGER held BEFORE UPDATE OF attempts ON jobs ${refuse}`).run();
    return async () => await database.prepare("DROP TRIGGER held").run();
  }

  it("is refused before a part is sent when the registry takes none so large, and the client says so", async () => {
    await newImage(maxBytes + 1);
    const before = proxy.seen.length;
    expect(await alice.refusal(...push, "library://alice/large/too-large:v1")).toContain(
      `The image has ${maxBytes + 1} bytes; this registry takes images of at most ${maxBytes}. (413`,
    );
    expect(proxy.seen.slice(before)).not.toContain("PUT /blobs/part");
    await newImage(maxBytes);
    await alice.run(...push, "library://alice/large/large-enough:v1");
  });

  it("that is no image one could run is refused, and the client says why", async () => {
    await newImage(SMALLEST, { hasPrimaryPartition: false });
    const reference = "library://alice/large/broken:v1";
    expect(await alice.refusal(...push, reference)).toContain(
      "The image has no primary system partition, so its architecture is unknown. (422",
    );
    expect(await bob.refusal("pull", "none.sif", reference)).toContain("image does not exist in the library");
  });

  it("is pulled wholly as it was when its tag is replaced meanwhile, and wholly new afterwards", async () => {
    const reference = "library://alice/large/replaced:v1";
    const old = await newImage();
    await alice.run(...push, reference);
    const young = await newImage();
    // The old image is half there when its third range has to wait until the tag is on the new one.
    const replaced = proxy.at({ method: "GET", path: /^\/blobs\//, nth: 3 }, async () => {
      await alice.run(...push, reference);
    });
    expect(await pulled(bob, reference)).toBe(old);
    await replaced;
    expect(await pulled(bob, reference)).toBe(young);
  });

  it("is published for both of two clients that push it at the same time, and kept once", async () => {
    const database = await server.miniflare.getD1Database("DB");
    const sha256 = await newImage();
    const other = await newClientOf(server, token);
    // The first that has sent all its parts waits until the second has, too.
    const both = proxy.at({ ...complete, nth: 2 }, () => undefined);
    const first = proxy.at(complete, () => both);
    const image = alice.path("image.sif");
    await Promise.all([
      alice.run("push", "-U", image, "library://alice/large/at-once:v1,one"),
      other.run("push", "-U", image, "library://alice/large/at-once:v1,two"),
      first,
    ]);
    for (const tag of ["v1", "one", "two"]) {
      expect(await pulled(bob, `library://alice/large/at-once:${tag}`), tag).toBe(sha256);
    }
    const blobs = database.prepare("SELECT count(*) AS n FROM blobs WHERE digest = ?").bind(`sha256.${sha256}`);
    expect(await blobs.first("n")).toBe(1);
    // The other object waits for upkeep, as its upload says.
    const uploads = database.prepare("SELECT count(*) AS n FROM uploads WHERE digest = ? AND state = 'published'");
    expect(await uploads.bind(`sha256.${sha256}`).first("n")).toBe(2);
  });

  it("is not served while it is being verified: a pull says so and how far it is", async () => {
    const sha256 = await newImage();
    const release = await holdVerification();
    const isTold = proxy.at(complete, () => undefined);
    const pushed = alice.run(...push, "library://alice/large/verifying:v1");
    await isTold;
    const pull = async () => {
      const reference = `library://alice/large/verifying:sha256.${sha256}`;
      return await bob.refusal("pull", "--force", "--disable-cache", "pulled.sif", reference);
    };
    await expect
      .poll(pull, { timeout: 10_000 })
      .toContain("This image has arrived and is being verified: 0 % are done. Try again in a moment. (503");
    await release();
    await pushed;
    expect(await pulled(bob, "library://alice/large/verifying:v1")).toBe(sha256);
  });

  it("can be pushed again after the client was killed in the middle", async () => {
    const sha256 = await newImage();
    const reference = "library://alice/large/killed:v1";
    const kill = new AbortController();
    const killed = proxy.at({ method: "PUT", path: /^\/blobs\/part$/, nth: 5, afterBytes: MIB }, () => kill.abort());
    expect((await alice.begin(kill.signal, ...push, reference)).status).toBeNull();
    await killed;
    expect(await bob.refusal("pull", "none.sif", reference)).toContain("image does not exist in the library");
    await alice.run(...push, reference);
    expect(await pulled(bob, reference)).toBe(sha256);
  });

  it("leaves database and bucket in agreement after all that, but for uploads that nobody completed", async () => {
    expect(await findingsOf(server.admin)).toEqual([]);
  });
});
