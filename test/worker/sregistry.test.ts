import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setFrozen, setReadOnly, setVisibility } from "../../worker/registry/catalog/manage.ts";
import { limits } from "../../worker/registry/limits.ts";
import { parseContainerPath, parseImageReference } from "../../worker/registry/names.ts";
import { checkIntegrity } from "../../worker/registry/upkeep/check-integrity.ts";
import { makeSif } from "../support/make-sif.ts";
import { namesOf, signed } from "../support/sregistry-client.ts";
import { observed } from "../support/worker/calls.ts";
import { ask, digestOf, environment, pull, push, testContext, uniqueName } from "../support/worker/registry.ts";
import {
  askToPush,
  cidOf,
  type Manifest,
  newSigner,
  type Sending,
  type SregistryUser,
  sendForm,
  sregistryDelete,
  sregistryPull,
  sregistryPush,
} from "../support/worker/sregistry.ts";

let alice: SregistryUser;
let bob: SregistryUser;
const HOUR_MS = 3_600_000;

beforeAll(async () => {
  [alice, bob] = [await newSigner("alice"), await newSigner("bob")];
});

const detailOf = async (answer: Response) => ((await answer.json()) as { detail: string }).detail;

/** Rows and objects that a refused push must not leave. */
async function leftovers(): Promise<unknown> {
  const tables = ["containers", "images", "tags", "blobs", "jobs"];
  const counts = tables.map((table) => env.DB.prepare(`SELECT count(*) AS n FROM ${table}`).first("n"));
  const open = env.DB.prepare("SELECT count(*) AS n FROM uploads WHERE state = 'open'").first("n");
  return [await Promise.all(counts), await open, (await env.BLOBS.list()).objects.length];
}

describe("a push by sregistry-cli", () => {
  it("can be pulled by every protocol", async () => {
    const bytes = makeSif({ salt: "pushed by sregistry" });
    const collection = uniqueName("demo");
    const answer = await sregistryPush(alice, `${collection}/tool:1.0`, bytes);
    expect([answer.status, await answer.json()]).toEqual([200, { message: "Upload Complete" }]);
    expect(await sregistryPull(`${collection}/tool:1.0`)).toEqual(bytes);
    expect(await pull(`${alice.username}/${collection}/tool:1.0`)).toEqual(bytes);
    const manifest = (await (await ask(`/api/container/${collection}/tool:1.0`)).json()) as Manifest;
    const digest = await digestOf(bytes);
    expect(manifest).toMatchObject({ name: "tool", tag: "1.0", collection, version: digest, frozen: false });
    expect(manifest.commit).toBe(digest.slice("sha256.".length));
    expect(Object.keys(manifest)).toEqual(
      "id name image tag add_date metrics version frozen metadata collection commit arch size".split(" "),
    );
  });

  it("makes its collection in its user's entity, and finds it the next time", async () => {
    const collection = uniqueName("made");
    await sregistryPush(alice, `${collection}/a:1`, makeSif({ salt: "a" }));
    await sregistryPush(alice, `${collection}/b:1`, makeSif({ salt: "b" }));
    const rows = env.DB.prepare(
      "SELECT entities.name AS entity FROM collections INNER JOIN entities ON entities.id = entity_id WHERE short_name = ?",
    ).bind(collection);
    expect((await rows.all()).results).toEqual([{ entity: alice.username }]);
  });

  it("of more than a part is stored in parts, with the right SHA-256", async () => {
    const bytes = makeSif({ salt: "parts", sizeBytes: 2 * limits.formPartBytes + 12_345 });
    const name = `${uniqueName("large")}/tool:1`;
    expect((await sregistryPush(alice, name, bytes)).status).toBe(200);
    const pulled = await sregistryPull(name);
    expect(typeof pulled !== "number" && Buffer.compare(pulled, bytes)).toBe(0);
  });

  it.each([-1, 0, 1])("of a part's size and %i bytes is stored as it is", async (more) => {
    const bytes = makeSif({ salt: `edge ${more}`, sizeBytes: limits.formPartBytes + more });
    const name = `${uniqueName("edge")}/tool:1`;
    expect((await sregistryPush(alice, name, bytes)).status).toBe(200);
    const pulled = await sregistryPull(name);
    expect(typeof pulled !== "number" && Buffer.compare(pulled, bytes)).toBe(0);
  });

  it("replaces a tag; the same bytes again change nothing and keep the file (F-124)", async () => {
    const name = `${uniqueName("again")}/tool:1`;
    const [old, fresh] = [makeSif({ salt: "old" }), makeSif({ salt: "fresh" })];
    for (const bytes of [old, fresh, fresh]) expect((await sregistryPush(alice, name, bytes)).status).toBe(200);
    expect(await sregistryPull(name)).toEqual(fresh);
    expect(await pull(`${alice.username}/${name.replace(/:.*/, "")}:${await digestOf(old)}`)).toEqual(old);
  });

  it("twice at once, of the same bytes or of others under one tag, ends with one of them", async () => {
    for (const salts of [
      ["same", "same"],
      ["one", "other"],
    ]) {
      const name = `${uniqueName("race")}/tool:1`;
      const files = salts.map((salt) => makeSif({ salt: name + salt }));
      await cidOf(await askToPush(alice, name));
      const answers = await Promise.all(files.map((bytes) => sregistryPush(alice, name, bytes)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(files).toContainEqual(await sregistryPull(name));
    }
    const { findings } = await checkIntegrity(testContext(), operator, null);
    expect(findings.filter(({ kind }) => !["upload-open", "object-discarded"].includes(kind))).toEqual([]);
  });

  it("is not refused because the hour turned while it was under way", async () => {
    const name = `${uniqueName("hour")}/tool:1`;
    const cid = await cidOf(await askToPush(alice, name));
    const authorization = signed("upload", alice, namesOf(name), Date.now() - HOUR_MS);
    expect((await sendForm(alice, name, makeSif({ salt: name }), { cid, authorization })).status).toBe(200);
    const older = signed("upload", alice, namesOf(name), Date.now() - 2 * HOUR_MS);
    expect((await sendForm(alice, name, makeSif({ salt: name }), { cid, authorization: older })).status).toBe(401);
  });

  it("goes on though its hour is long over when the file has come in", async () => {
    const name = `${uniqueName("slow")}/tool:1`;
    const bytes = makeSif({ salt: name });
    const cid = await cidOf(await askToPush(alice, name));
    const now = Date.now();
    const clock = vi.spyOn(Date, "now").mockReturnValue(now);
    const slow = observed(environment(), ({ kind }) => {
      // The first byte is stored long after the form began, the answer comes later still.
      if (kind === "r2") clock.mockReturnValue(now + 3 * HOUR_MS);
    });
    const answer = await sendForm(alice, name, bytes, { cid, env: slow });
    clock.mockRestore();
    expect(answer.status).toBe(200);
    expect(await sregistryPull(name)).toEqual(bytes);
  });

  it("may come with an access token, and name the collection itself, as curl would", async () => {
    const collection = uniqueName("curl");
    await push(alice.token, `${alice.username}/${collection}/tool:1`, makeSif({ salt: collection }));
    const withToken: Sending = { authorization: `Bearer ${alice.token}` };
    for (const cid of [collection, `${alice.username}/${collection}`]) {
      const answer = await sendForm(alice, `${collection}/tool:2`, makeSif({ salt: "curl" }), { ...withToken, cid });
      expect(answer.status).toBe(200);
    }
  });

  it("by a collection's id, or its name in the form, is signed with its name", async () => {
    const collection = uniqueName("byid");
    const { collectionId } = await push(
      alice.token,
      `${alice.username}/${collection}/x:1`,
      makeSif({ salt: collection }),
    );
    for (const cid of [collectionId, collection]) {
      expect((await sendForm(alice, `${collection}/tool:1`, makeSif({ salt: cid }), { cid })).status).toBe(200);
    }
  });

  it("names a collection with its owner where another one holds the short name", async () => {
    const collection = uniqueName("taken");
    await push(bob.token, `${bob.username}/${collection}/tool:1`, makeSif({ salt: "bob's" }));
    const taken = await askToPush(alice, `${collection}/tool:1`);
    expect([taken.status, await detailOf(taken)]).toEqual([403, "You are not allowed to do this."]);
    const name = `${alice.username}/${collection}/tool:1`;
    const bytes = makeSif({ salt: "alice's" });
    expect((await sregistryPush(alice, name, bytes)).status).toBe(200);
    expect(await sregistryPull(name)).toEqual(bytes);
  });

  it("is told the three-part form where its collection could not be found by its short name", async () => {
    const collection = uniqueName("hidden");
    await push(bob.token, `${bob.username}/${collection}/tool:1`, makeSif({ salt: "hidden" }), { private: true });
    const before = await env.DB.prepare("SELECT count(*) AS n FROM collections").first("n");
    const adminOnly = environment({ SHORT_NAMES_ADMIN_ONLY: "true" });
    for (const answer of [
      await askToPush(alice, `${collection}/tool:1`),
      await askToPush(alice, `${uniqueName("unclaimable")}/tool:1`, { env: adminOnly }),
      await askToPush(alice, "library/tool:1"),
    ]) {
      expect(answer.status).toBe(409);
      expect(await detailOf(answer)).toContain(`registry://HOST/${alice.username}/`);
    }
    expect(await env.DB.prepare("SELECT count(*) AS n FROM collections").first("n")).toBe(before);
  });
});

describe("before a byte is sent", () => {
  it("a push is refused by whatever is known to stand against it", async () => {
    const collection = uniqueName("refused");
    const path = `${alice.username}/${collection}`;
    await push(alice.token, `${path}/frozen:1`, makeSif({ salt: `${collection} frozen` }));
    await push(alice.token, `${path}/fixed:1`, makeSif({ salt: `${collection} fixed` }));
    const ctx = testContext();
    await setFrozen(ctx, operator, parseImageReference(`${path}/frozen:1`), null, true);
    const fixed = parseContainerPath(`${path}/fixed`);
    if (fixed !== null) await setReadOnly(ctx, operator, fixed, true);
    const cases: [string, Response, number][] = [
      ["no credential", await askToPush(alice, `${collection}/tool:1`, { authorization: null }), 403],
      ["a stranger", await askToPush(bob, `${collection}/tool:1`), 403],
      ["a frozen tag", await askToPush(alice, `${collection}/frozen:1`), 403],
      ["a read-only container", await askToPush(alice, `${collection}/fixed:2`), 403],
      ["a bad name", await askToPush(alice, `${collection}/-tool:1`), 400],
      ["a bad tag", await askToPush(alice, `${collection}/tool:-1`), 400],
      [
        "no pushing",
        await askToPush(alice, `${collection}/tool:1`, { env: environment({ DISABLE_BUILDING: "1" }) }),
        403,
      ],
      [
        "no new collections",
        await askToPush(alice, `${uniqueName("none")}/tool:1`, { env: environment({ USER_COLLECTIONS: "false" }) }),
        403,
      ],
    ];
    for (const [what, answer, status] of cases) {
      expect([what, answer.status]).toEqual([what, status]);
      expect(await detailOf(answer)).toMatch(/\S/);
    }
    const before = await leftovers();
    for (const name of [`${collection}/frozen:1`, `${collection}/fixed:2`]) {
      expect((await sendForm(alice, name, makeSif({ salt: "no" }))).status).toBe(403);
    }
    expect(await leftovers()).toEqual(before);
    expect((await sregistryPush(alice, `${collection}/frozen:2`, makeSif({ salt: "beside it" }))).status).toBe(200);
  });

  it("a form without a length, or too long, is refused, and told of apptainer", async () => {
    const bytes = makeSif({ salt: "too long" });
    const small = environment({ MAX_REQUEST_BYTES: "10000" });
    const tooLong = await sendForm(alice, "any/tool:1", bytes, { env: small });
    expect([tooLong.status, await detailOf(tooLong)]).toEqual([
      413,
      expect.stringContaining("apptainer push library://"),
    ]);
    const limited = environment({ MAX_IMAGE_BYTES: "1000" });
    const large = makeSif({ salt: "large", sizeBytes: 200_000 });
    expect((await sendForm(alice, "any/tool:1", large, { env: limited })).status).toBe(413);
    const headers = { "Content-Length": "none" };
    expect((await sendForm(alice, "any/tool:1", bytes, { headers })).status).toBe(411);
  });
});

describe("a form that is not what the client sends", () => {
  const cases: [string, Sending, number][] = [
    ["without a name", { parts: (parts) => parts.filter(({ name }) => name !== "name") }, 400],
    ["without a collection", { parts: (parts) => parts.filter(({ name }) => name !== "collection") }, 400],
    ["without a file", { parts: (parts) => parts.slice(0, -1) }, 400],
    ["with the file first", { parts: (parts) => [...parts.slice(-1), ...parts.slice(0, -1)] }, 400],
    ["with two files", { parts: (parts) => [...parts, ...parts.slice(-1)] }, 400],
    ["with a text behind the file", { parts: (parts) => [...parts, { name: "tag", value: "2" }] }, 400],
    ["with a name twice", { parts: (parts) => [{ name: "name", value: "x" }, ...parts] }, 400],
    ["with a field nobody knows", { parts: (parts) => [{ name: "file1.path", value: "/etc/passwd" }, ...parts] }, 400],
    ["with a huge field", { parts: (parts) => [{ name: "name", value: "x".repeat(20_000) }, ...parts.slice(2)] }, 400],
    ["cut short", { body: (body) => body.slice(0, -20) }, 400],
    ["without its last boundary", { body: (body) => body.slice(0, -38) }, 400],
    ["of another boundary", { headers: { "Content-Type": "multipart/form-data; boundary=other" } }, 400],
    ["of another type", { headers: { "Content-Type": "application/octet-stream" } }, 400],
    [
      "with another name than is signed",
      { parts: (parts) => parts.map((part) => (part.name === "name" ? { name: "name", value: "other" } : part)) },
      401,
    ],
    [
      "with another tag than is signed",
      { parts: (parts) => parts.map((part) => (part.name === "tag" ? { name: "tag", value: "9" } : part)) },
      401,
    ],
    ["with somebody else's answer", { cid: "bob" }, 403],
    ["with a forged answer", { cid: "eyJ..x.y.z" }, 403],
    ["that is none at all", { body: () => new Uint8Array() }, 400],
  ];

  it.each(cases)("%s stores nothing, and is told why", async (_, sending, status) => {
    const collection = uniqueName("forms");
    const cid = await cidOf(await askToPush(alice, `${collection}/tool:1`));
    await sregistryPush(alice, `${collection}/there:1`, makeSif({ salt: collection }));
    const bobs = await cidOf(await askToPush(bob, `${uniqueName("bobs")}/tool:1`));
    const before = await leftovers();
    const options = { ...sending, cid: sending.cid === "bob" ? bobs : (sending.cid ?? cid) };
    const answer = await sendForm(alice, `${collection}/tool:1`, makeSif({ salt: "form" }), options);
    expect([answer.status, await detailOf(answer)]).toEqual([status, expect.stringMatching(/\S/)]);
    expect(await leftovers()).toEqual(before);
  });

  it.each([0, 100, 40_000, limits.formPartBytes + 100])(
    "with %i bytes that are no image stores nothing",
    async (size) => {
      const name = `${uniqueName("noimage")}/tool:1`;
      const cid = await cidOf(await askToPush(alice, name));
      const before = await leftovers();
      const answer = await sendForm(alice, name, new Uint8Array(size), { cid });
      expect([answer.status, await detailOf(answer)]).toEqual([422, expect.stringContaining("not a SIF image")]);
      expect(await leftovers()).toEqual(before);
    },
  );

  it("with an image that was cut short before it was sent stores nothing", async () => {
    const name = `${uniqueName("cut")}/tool:1`;
    const cid = await cidOf(await askToPush(alice, name));
    const before = await leftovers();
    expect((await sendForm(alice, name, makeSif({ salt: "cut" }).slice(0, 36_000), { cid })).status).toBe(422);
    expect(await leftovers()).toEqual(before);
  });
});

describe("a pull", () => {
  it("of a private container is 403 unsigned, as is one of what is not there, and then works signed (F-113)", async () => {
    const collection = uniqueName("private");
    const bytes = makeSif({ salt: collection });
    await sregistryPush(alice, `${collection}/tool:1`, bytes);
    await setVisibility(testContext(), operator, { entity: alice.username, name: collection }, "private");
    expect(await sregistryPull(`${collection}/tool:1`)).toBe(403);
    expect(await sregistryPull("absent/tool:1")).toBe(403);
    expect(await sregistryPull(`${collection}/tool:1`, alice)).toEqual(bytes);
    for (const name of [`${collection}/tool:1`, `${collection}/none:1`, "absent/tool:1"]) {
      expect(await sregistryPull(name, bob), name).toBe(404);
    }
  });

  it("of a public collection's container or tag that is not there is 404", async () => {
    const collection = uniqueName("public");
    await sregistryPush(alice, `${collection}/tool:1`, makeSif({ salt: collection }));
    for (const name of ["none:1", "tool:2", "tool", `tool:1@${"0".repeat(40)}`]) {
      expect(await sregistryPull(`${collection}/${name}`), name).toBe(404);
    }
  });

  it("finds a tag that differs in nothing but case, unless there are two", async () => {
    const path = `${alice.username}/${uniqueName("case")}`;
    const [, collection = ""] = path.split("/");
    const bytes = makeSif({ salt: path });
    await push(alice.token, `${path}/tool:V1-Beta`, bytes);
    expect(await sregistryPull(`${collection}/tool:v1-beta`)).toEqual(bytes);
    expect(await sregistryPull(`${collection.toUpperCase()}/Tool:V1-BETA`)).toEqual(bytes);
    await push(alice.token, `${path}/tool:v1-BETA`, makeSif({ salt: `${path} second` }));
    expect(await sregistryPull(`${collection}/tool:v1-beta`)).toBe(404);
    expect(await sregistryPull(`${collection}/tool:V1-Beta`)).toEqual(bytes);
  });

  it("takes amd64 where a tag has several architectures, and another one that is asked for", async () => {
    const path = `${alice.username}/${uniqueName("arches")}`;
    const [, collection = ""] = path.split("/");
    const [amd64, arm64] = [makeSif({ salt: path }), makeSif({ salt: path, archCode: "04" })];
    await push(alice.token, `${path}/tool:1`, amd64);
    await push(alice.token, `${path}/tool:1`, arm64, { arch: "arm64" });
    expect(await sregistryPull(`${collection}/tool:1`)).toEqual(amd64);
    const manifest = (await (await ask(`/api/container/${collection}/tool:1?arch=arm64`)).json()) as Manifest;
    expect(manifest.version).toBe(await digestOf(arm64));
  });

  it("by version finds an image by its SHA-256 or the beginning of it, whatever its tag (F-115)", async () => {
    const collection = uniqueName("versions");
    const bytes = makeSif({ salt: `${collection} old` });
    await sregistryPush(alice, `${collection}/tool:1`, bytes);
    await sregistryPush(alice, `${collection}/tool:1`, makeSif({ salt: `${collection} new` }));
    const digest = await digestOf(bytes);
    const hex = digest.slice("sha256.".length);
    for (const version of [digest, hex, hex.slice(0, 40), hex.slice(0, 32), hex.toUpperCase()]) {
      expect(await sregistryPull(`${collection}/tool:1@${version}`), version).toEqual(bytes);
      expect(await sregistryPull(`${collection}/tool@${version}`), version).toEqual(bytes);
    }
    expect(await sregistryPull(`${collection}/tool:${digest}`)).toEqual(bytes);
    for (const version of [hex.slice(0, 31), `${hex.slice(0, 39)}g`, "latest"]) {
      expect(await sregistryPull(`${collection}/tool:1@${version}`), version).toBe(404);
    }
    await push(alice.token, `${alice.username}/${uniqueName("elsewhere")}/other:1`, makeSif({ salt: "elsewhere" }));
    expect(await sregistryPull(`${collection}/tool@${(await digestOf(makeSif({ salt: "elsewhere" }))).slice(7)}`)).toBe(
      404,
    );
  });

  it("by shub's address of three parts finds its owner's collection, though another holds the short name", async () => {
    const collection = uniqueName("three");
    await push(bob.token, `${bob.username}/${collection}/tool:1`, makeSif({ salt: `${collection} bob` }));
    const bytes = makeSif({ salt: `${collection} alice` });
    await push(alice.token, `${alice.username}/${collection}/tool:1`, bytes);
    const manifest = (await (await ask(`/${alice.username}/api/container/${collection}/tool:1`)).json()) as Manifest;
    expect(manifest.version).toBe(await digestOf(bytes));
    expect((await ask(`/${alice.username}/api/container/a/b/c:1`)).status).toBe(404);
    expect((await ask("/nobody/api/container/a/b:1")).status).toBe(403);
  });

  it("gives an image a URL of ours that answers HEAD and GET, more than once, also with DIRECT_DOWNLOADS", async () => {
    const name = `${uniqueName("head")}/tool:1`;
    const bytes = makeSif({ salt: name });
    await sregistryPush(alice, name, bytes);
    const direct = environment({
      DIRECT_DOWNLOADS: "1",
      S3_ENDPOINT: "https://r2.example.org",
      S3_ACCESS_KEY_ID: "id",
      S3_SECRET_ACCESS_KEY: "secret",
    });
    const { image } = (await (await ask(`/api/container/${name}`, { env: direct })).json()) as Manifest;
    expect(image).toMatch(/^http:\/\/127\.0\.0\.1:8787\/blobs\/tool_1\.sif\?t=/);
    for (const method of ["HEAD", "GET", "GET"]) {
      const answer = await ask(image, { method });
      expect([answer.status, answer.headers.get("Content-Length")]).toEqual([200, String(bytes.length)]);
      await answer.arrayBuffer();
    }
  });

  it("of anything needs a signature with API_REQUIRE_AUTH, and then works (F-131)", async () => {
    const alice = await newSigner("closed");
    const name = `${uniqueName("closed")}/tool:1`;
    await sregistryPush(alice, name, makeSif({ salt: name }));
    const env = environment({ API_REQUIRE_AUTH: "true" });
    expect((await ask(`/api/container/${name}`, { env })).status).toBe(403);
    const headers = { Authorization: signed("pull", alice, namesOf(name)) };
    expect((await ask(`/api/container/${name}`, { env, headers })).status).toBe(200);
  });

  it("that is refused has the status of what happened, where the original answered 200 with a number, or 500 (W-17)", async () => {
    const [alice, bob] = [await newSigner("honest"), await newSigner("honest")];
    const name = `${uniqueName("honest")}/tool:1`;
    await sregistryPush(alice, name, makeSif({ salt: name }));
    const wrong = { Authorization: signed("pull", { ...alice, key: bob.key }, namesOf(name)) };
    const answers = [
      await ask(`/api/container/${name}`, { headers: wrong }),
      await askToPush(bob, name),
      await sendForm(bob, name, makeSif({ salt: "honest" })),
      await sregistryDelete(name, bob),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 403, 403, 403]);
    for (const answer of answers) {
      const detail = expect.stringMatching(/^[A-Z].+\.$/);
      expect(await answer.json()).toEqual({ detail, message: detail });
    }
  });

  it("is answered the same with the client's Content-Type of an empty body", async () => {
    const name = `${uniqueName("typed")}/tool:1`;
    await sregistryPush(alice, name, makeSif({ salt: name }));
    const headers = { "Content-Type": "application/json" };
    expect((await ask(`/api/container/${name}`, { headers })).status).toBe(200);
  });
});

describe("what the original had and this has not", () => {
  it("is a door for completing uploads: its address is not found, and no path of a server's is taken (W-02, W-03, F-122, F-123)", async () => {
    const form = new URLSearchParams({ "file1.path": "/etc/passwd", "file1.name": "x", collection: "1", name: "x" });
    for (const path of ["/api/uploads/complete/", "/api/uploads/complete", "/upload/complete"]) {
      for (const token of [null, alice.token]) {
        expect((await ask(path, { method: "POST", body: form, token })).status, path).toBe(404);
      }
    }
  });

  it("is builds: a client that asks for one is told cleanly", async () => {
    const answer = await ask("/google_build/build/", { method: "POST", body: "x" });
    expect(answer.status).toBe(404);
    expect(await answer.text()).not.toContain("Error");
  });
});
