import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inspectSif, type SifFile } from "../../worker/formats/sif/inspect.ts";
import { limits } from "../../worker/registry/limits.ts";
import { bytesAsked, type WatchedFile, watchedFile } from "../support/sif-file.ts";
import {
  DESCRIPTOR_BYTES,
  definitionObject,
  jsonObject,
  labelsObject,
  metadataObject,
  sifOf,
  systemObject,
} from "../support/sif-objects.ts";

/*
 * Whatever the bytes are: no exception, no more bytes asked for and no more said than allowed. A failure prints its
 * seed and its smallest example; FUZZ_SEED in the environment repeats a run, FUZZ_RUNS says how many files there are.
 * 100,000 of them take a minute at most.
 */
const seed = Number(process.env.FUZZ_SEED) || Date.now() & 0x7fffffff;
const files = Number(process.env.FUZZ_RUNS) || 100_000;
console.info(`The fuzz tests of SIF files run with FUZZ_SEED=${seed}`);

const TABLE = 4096;
const fixture = (name: string) => readFileSync(resolve(import.meta.dirname, "../fixtures", name));
const originals = [
  ...["plain.sif", "labelled.sif", "signed.sif"].map(fixture),
  sifOf([
    definitionObject("Bootstrap: docker\nFrom: ubuntu\n%labels\n a b\n%apprun foo\n true\n"),
    metadataObject({ labels: { a: "b" }, apps: { foo: { runscript: "true", environment: { "90.sh": "x" } } } }),
    labelsObject('{"a":"b"}'),
    systemObject(5),
    { type: 0x4008, link: 4, extra: [2, 0x200] },
    { type: 0x4005, group: 0, link: 0xf000_0001, extra: [1, new Uint8Array(20).fill(7)] },
    { type: 0x4009, extra: [4] },
  ]),
  sifOf([
    { type: 0x400b, extra: [`sha256:${"0a".repeat(32)}`] },
    { type: 0x400a, extra: ["sha256:00"] },
  ]),
  sifOf([metadataObject({ test: "t" })], { tableOffset: 40_000, gapBytes: 20_000 }),
];

/** One time in six, and null otherwise. */
const rarely = <Value>(arbitrary: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

/** Reads it, and throws where a bound does not hold. @returns how it ended */
async function readWithinBounds(file: WatchedFile): Promise<string> {
  const result = await inspectSif(file, limits);
  const asked = bytesAsked(file);
  if (asked > limits.sifReadBytes) throw new Error(`${asked} bytes were asked for`);
  if (file.reads.length > 5) throw new Error(`${file.reads.length} reads`);
  if (result === "gone") throw new Error("it was there all the time");
  const json = JSON.stringify(result);
  if (json.length * 3 > limits.sifInspectionBytes && Buffer.byteLength(json) > limits.sifInspectionBytes) {
    throw new Error(`${Buffer.byteLength(json)} bytes of JSON`);
  }
  // What no database takes in a text. JSON writes the one so, and the halves of surrogate pairs.
  if (/\\u0000|\\ud[89a-f]/.test(json.replaceAll("\\\\", ""))) throw new Error("a text is no text");
  return "problem" in result ? result.problem : `${result.objects.length} objects`;
}

describe("any file", () => {
  const word = fc.oneof(
    fc.constantFrom(0n, 1n, -1n, 127n, 128n, 4096n, 32_768n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 62n, -(2n ** 63n)),
    fc.bigInt({ min: 0n, max: 50_000n }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  );
  const headerField = fc.constantFrom(0, 32, 42, 45, 48, 64, 72, 80, 88, 96, 104, 112, 120);
  const entryField = fc.constantFrom(0, 4, 5, 9, 13, 17, 25, 33, 41, 49, 57, 65, 73, 201, 205, 209);
  const entry = fc.nat(7);
  const place = fc.oneof(
    { weight: 1, arbitrary: headerField },
    {
      weight: 6,
      arbitrary: fc.tuple(entry, entryField).map(([index, field]) => TABLE + index * DESCRIPTOR_BYTES + field),
    },
    { weight: 3, arbitrary: fc.nat(60_000) },
  );
  const mutation = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant("field"), at: place, value: word, width: fc.constantFrom(1, 4, 8) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("copy"),
        from: entry,
        to: entry,
        bytes: fc.constantFrom(585, 200, 33, 17),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("swap"), from: entry, to: entry }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("noise"), at: place, bytes: fc.uint8Array({ maxLength: 40 }) }),
    },
  );
  type Mutation = typeof mutation extends fc.Arbitrary<infer Value> ? Value : never;

  function mutate(file: Uint8Array, it: Mutation): void {
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    if ("value" in it) {
      if (it.at + it.width > file.length) return;
      if (it.width === 1) view.setUint8(it.at, Number(BigInt.asUintN(8, it.value)));
      else if (it.width === 4) view.setInt32(it.at, Number(BigInt.asIntN(32, it.value)), true);
      else view.setBigInt64(it.at, it.value, true);
      return;
    }
    if ("at" in it) {
      if (it.at < file.length) file.set(it.bytes.subarray(0, file.length - it.at), it.at);
      return;
    }
    const entryAt = (index: number) => TABLE + index * DESCRIPTOR_BYTES;
    const [from, to] = [entryAt(it.from), entryAt(it.to)];
    const saved = file.slice(to, to + DESCRIPTOR_BYTES);
    file.copyWithin(to, from, from + ("bytes" in it ? it.bytes : DESCRIPTOR_BYTES));
    if (it.kind === "swap") file.set(saved, from);
  }

  it("however its fields, offsets and lengths are changed, is read within bounds or refused", {
    timeout: 45_000,
  }, async () => {
    const endings = new Map<string, number>();
    const length = rarely(fc.nat(60_000));
    const said = rarely(fc.constantFrom(0, 1, 2 ** 20, 2 ** 40, Number.MAX_SAFE_INTEGER));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(originals.length - 1),
        fc.array(mutation, { minLength: 1, maxLength: 6 }),
        length,
        said,
        async (index, mutations, cutAt, sizeBytes) => {
          const file = Uint8Array.from(originals[index] ?? []);
          for (const it of mutations) mutate(file, it);
          const cut = file.subarray(0, cutAt ?? file.length);
          const ending = await readWithinBounds(watchedFile(cut, sizeBytes ?? cut.length));
          endings.set(ending, (endings.get(ending) ?? 0) + 1);
        },
      ),
      { seed, numRuns: Math.ceil(files * 0.8) },
    );
    // Most are still read as images: it is not the first check alone that was tried.
    const readable = [...endings].filter(([ending]) => ending.endsWith("objects"));
    expect(readable.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThan(files * 0.3);
    expect(endings.size).toBeGreaterThan(6);
  });

  const key = fc.oneof(
    fc.constantFrom("data", "attributes", "apps", "environment", "labels", "runscript", "test", "deffile", "__proto__"),
    fc.string({ unit: "binary", maxLength: 12 }),
  );
  const { tree: anything } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "small" },
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.constantFrom(null, true, 0, -1.5, 1e300, "", "\u0000", "\ud800", "x".repeat(5000)),
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.array(fc.tuple(key, tie("tree")), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
    ),
  }));
  const scripts = fc.record(
    {
      environment: anything,
      labels: anything,
      runscript: anything,
      startscript: anything,
      test: anything,
      helpfile: anything,
    },
    { requiredKeys: [] },
  );
  const attributes = fc.oneof(
    anything,
    fc
      .tuple(scripts, fc.array(fc.tuple(key, fc.oneof(scripts, anything)), { maxLength: 3 }), anything)
      .map(([own, apps, deffile]) => ({ ...own, apps: Object.fromEntries(apps), deffile })),
  );

  it("whatever its metadata says, is read within bounds", { timeout: 60_000 }, async () => {
    const cut = fc.option(fc.tuple(fc.nat(400), fc.constantFrom('"', "}", "{", "\\", "\xff", "\0")), { freq: 2 });
    await fc.assert(
      fc.asyncProperty(attributes, fc.string({ unit: "binary", maxLength: 30 }), cut, async (given, text, change) => {
        const json = JSON.stringify({ data: { attributes: given } });
        const broken = change === null ? json : json.slice(0, change[0]) + change[1] + json.slice(change[0]);
        const file = sifOf([
          definitionObject(text),
          jsonObject(Buffer.from(broken, change?.[1] === "\xff" ? "latin1" : "utf8")),
        ]);
        await readWithinBounds(watchedFile(file));
      }),
      { seed, numRuns: Math.ceil(files * 0.2) },
    );
  });

  it("that repeats a byte or a few to its end is read within bounds", async () => {
    const units = [
      "[",
      '{"a":',
      "\0",
      "\xff",
      '"',
      "\\",
      "%\n",
      "bootstrap:\n",
      "a:\\\n",
      '{"data":{"attributes":{"labels":',
    ];
    for (const unit of units) {
      for (const before of ["", '{"data":{"attributes":{"labels":{"a":"', "%labels\n"]) {
        const content = Buffer.from(before + unit.repeat(500_000 / unit.length), "latin1");
        for (const object of [jsonObject(content), definitionObject(content)]) {
          await readWithinBounds(watchedFile(sifOf([object])));
        }
      }
    }
  });

  it("that a reader answers too much or nothing of is read within bounds", async () => {
    const whole = sifOf([metadataObject({ test: "t" }), definitionObject("Bootstrap: scratch")]);
    const readers: SifFile["read"][] = [
      async () => new Uint8Array(),
      async () => new Uint8Array(2 ** 20),
      async ({ offset }) => whole.slice(offset),
    ];
    for (const read of readers) {
      const reads: number[] = [];
      const watched = async (range: { offset: number; length: number }) => {
        reads.push(range.length);
        return await read(range);
      };
      await readWithinBounds({ sizeBytes: whole.length, reads, read: watched });
    }
  });
});
