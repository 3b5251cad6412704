import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { checkIntegrity } from "../../worker/registry/upkeep/check-integrity.ts";
import { makeSif } from "../support/make-sif.ts";
import { multipartClient } from "../support/worker/multipart.ts";
import { ask, newPerson, type Person, type Pushed, push, testContext } from "../support/worker/registry.ts";

/*
 * Whatever is sent: no 5xx, no text of an exception, and nothing broken. A failure prints its seed and its
 * smallest example; FUZZ_SEED in the environment repeats a run.
 */
const seed = Number(env.FUZZ_SEED) || Date.now() & 0x7fffffff;
const runs = { seed, numRuns: Number(env.FUZZ_RUNS) || 300 };
console.info(`The fuzz tests run with FUZZ_SEED=${seed}`);

const adminSecret = "an-admin-secret-that-only-tests-know";
const bytes = makeSif({ salt: "fuzzed" });
let alice: Person;
let pushed: Pushed;
let path: string;
let blobUrl: string;
/** An upload in parts that was begun and goes no further. */
let uploadID: string;

beforeAll(async () => {
  alice = await newPerson("alice");
  path = `${alice.username}/fuzzed/app`;
  pushed = await push(alice.token, `${path}:v1`, bytes);
  uploadID = (await (await multipartClient(alice.token, path, makeSif({ salt: "open" }))).start()).uploadID;
  blobUrl = (await ask(`/v1/imagefile/${path}:v1`)).headers.get("Location") ?? "";
});

/** Texts as people and attackers type them: any Unicode, and much of what means something in a path. */
const segment = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(..."aZ0.-_/:,%@?#&=+ \\\u0000\n~*'\"<>é"), maxLength: 60 }),
  fc.constantFrom("..", ".", "app:v1", "sha256.", `sha256.${"a".repeat(64)}`, "sif.", "__proto__", "x".repeat(2000)),
);
const anyReference = fc
  .array(segment, { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join("/"))
  .chain((text) => fc.constantFrom(text, encodeURIComponent(text), encodeURI(text)));

async function expectReadable(response: Response): Promise<void> {
  const text = await response.text();
  expect(response.status, text).toBeLessThan(500);
  if (response.status >= 400) expect(text).not.toMatch(/SQLITE|D1_|[A-Z]\w*Error:|\bat \w+ \(|zod|drizzle/i);
}

async function expectNothingBroken(): Promise<void> {
  const { findings } = await checkIntegrity(testContext(), operator, null);
  expect(findings.filter(({ kind }) => kind !== "upload-open")).toEqual([]);
  const location = (await ask(`/v1/imagefile/${path}:v1`)).headers.get("Location") ?? "";
  expect(new Uint8Array(await (await ask(location)).arrayBuffer())).toEqual(bytes);
}

describe("any text in the place of a reference", () => {
  const routes = ["images", "imagefile", "containers", "entities", "collections", "search", "oci-redirect", ""];
  const methods = ["GET", "HEAD", "DELETE"];

  it("gets an answer that a client understands, and changes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...routes),
        fc.constantFrom(...methods),
        anyReference,
        segment,
        fc.boolean(),
        async (route, method, reference, arch, isSignedIn) => {
          const url = `/v1/${route}/${reference}?arch=${encodeURIComponent(arch)}&value=${encodeURIComponent(arch)}`;
          await expectReadable(await ask(url, { method, token: isSignedIn ? alice.token : null }));
        },
      ),
      runs,
    );
    await expectNothingBroken();
  });

  it("finds the image however its path is cased, and never another", async () => {
    const cased = fc.mixedCase(fc.constant(path));
    await fc.assert(
      fc.asyncProperty(cased, fc.constantFrom("v1", pushed.digest), async (text, selector) => {
        const response = await ask(`/v1/images/${text}:${selector}?arch=amd64`);
        const { data } = (await response.json()) as { data: { id: string } };
        expect(data.id).toBe(pushed.imageId);
      }),
      { ...runs, numRuns: 20 },
    );
  });
});

describe("any Range", () => {
  const number = fc.oneof(
    fc.nat({ max: bytes.length + 10 }),
    fc.bigInt({ min: 0n, max: 10n ** 30n }),
    fc.constant(""),
    fc.constantFrom(bytes.length, bytes.length - 1),
  );
  const wellFormed = fc.tuple(number, number).map(([first, last]) => `bytes=${first}-${last}`);
  const malformed = fc.oneof(
    fc.string({ unit: fc.constantFrom(..."bytes=-0123456789, "), maxLength: 30 }),
    fc.array(wellFormed, { minLength: 2, maxLength: 5 }).map((ranges) => ranges.join(", ")),
  );

  it("is answered with exactly those bytes, or not at all", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(wellFormed, malformed), async (range) => {
        const response = await ask(blobUrl, { headers: { Range: range } });
        const body = new Uint8Array(await response.arrayBuffer());
        if (response.status === 416) {
          expect(body).toHaveLength(0);
          expect(response.headers.get("Content-Range")).toBe(`bytes */${bytes.length}`);
          return;
        }
        expect(response.status).toBe(206);
        const [, first, last] = /^bytes (\d+)-(\d+)\/\d+$/.exec(response.headers.get("Content-Range") ?? "") ?? [];
        expect(body).toEqual(bytes.slice(Number(first), Number(last) + 1));
        const [, wantedFirst, wantedLast] = /^bytes=(\d*)-(\d*)$/.exec(range.trim()) ?? [];
        if (wantedFirst !== "") expect(first).toBe(String(BigInt(wantedFirst ?? -1)));
        else expect(body).toHaveLength(Math.min(Number(wantedLast), bytes.length));
      }),
      runs,
    );
  });
});

describe("any JSON", () => {
  const fields = ["name", "entity", "collection", "container", "hash", "description", "private", "filesize"];
  const multipartFields = ["uploadID", "partNumber", "completedParts", "token"];
  const moreFields = [
    ...multipartFields,
    "sha256sum",
    "md5sum",
    "Tag",
    "ImageID",
    "Arch",
    "verb",
    "args",
    "username",
    "id",
  ];
  const knownId = fc
    .constant(null)
    .map(() => ({ container: pushed.containerId, collection: pushed.collectionId, uploadID }));
  const value = fc.oneof(fc.jsonValue(), segment, fc.double(), fc.integer());
  const object = fc
    .tuple(fc.dictionary(fc.constantFrom(...fields, ...moreFields), value), fc.option(knownId))
    .map(([given, known]) => ({ ...given, ...known }));
  const body = fc.oneof(
    object.map((it) => JSON.stringify(it)),
    fc.json(),
    fc.string({ unit: "grapheme", maxLength: 200 }),
  );

  it("is taken or refused with a reason by every route that reads it", async () => {
    const routes: [string, string][] = [
      ["POST", "/v1/entities"],
      ["POST", "/v1/collections"],
      ["POST", "/v1/containers"],
      ["POST", "/v1/images"],
      ["POST", `/v2/imagefile/${pushed.imageId}`],
      ["PUT", `/v2/imagefile/${pushed.imageId}/_complete`],
      ["POST", `/v2/imagefile/${pushed.imageId}/_multipart`],
      ["PUT", `/v2/imagefile/${pushed.imageId}/_multipart`],
      ["PUT", `/v2/imagefile/${pushed.imageId}/_multipart_complete`],
      ["PUT", `/v2/imagefile/${pushed.imageId}/_multipart_abort`],
      ["POST", `/v1/tags/${pushed.containerId}`],
      ["POST", `/v2/tags/${pushed.containerId}`],
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...routes), body, async ([method, url], text) => {
        await expectReadable(await ask(url, { method, token: alice.token, body: text }));
      }),
      runs,
    );
    await expectNothingBroken();
  });

  it("is taken or refused with a reason by every command of administrators", async () => {
    const { verbs } = await import("../../worker/protocols/admin/verbs.ts");
    const harmless = Object.keys(verbs).filter((verb) => !/^(delete|disable|free)-/.test(verb));
    const args = fc.dictionary(
      fc.constantFrom(
        "digest",
        "username",
        "name",
        "collection",
        "image",
        "role",
        "visibility",
        "value",
        "days",
        "scopes",
        "id",
      ),
      value,
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...harmless), args, async (verb, given) => {
        const call = JSON.stringify({ verb, args: given });
        await expectReadable(await ask("/admin/rpc", { method: "POST", token: adminSecret, body: call }));
      }),
      runs,
    );
    await expectNothingBroken();
  });
});
