import { describe, expect, it } from "vitest";
import { inspectSif, type SifInspection } from "../../worker/formats/sif/inspect.ts";
import { limits } from "../../worker/registry/limits.ts";
import { bytesAsked, type WatchedFile, watchedFile } from "../support/sif-file.ts";
import {
  DESCRIPTOR_BYTES,
  definitionObject,
  jsonObject,
  labelsObject,
  metadataObject,
  type ObjectOptions,
  sifOf,
  systemObject,
} from "../support/sif-objects.ts";

const GIB = 1024 ** 3;

async function inspected(file: WatchedFile): Promise<SifInspection> {
  const inspection = await inspectSif(file, limits);
  if (inspection === "gone" || "problem" in inspection) throw new Error(JSON.stringify(inspection));
  expect(bytesAsked(file)).toBeLessThanOrEqual(limits.sifReadBytes);
  expect(Buffer.byteLength(JSON.stringify(inspection))).toBeLessThanOrEqual(limits.sifInspectionBytes);
  return inspection;
}

const of = (...objects: ObjectOptions[]) => inspected(watchedFile(sifOf(objects)));
const metadata = metadataObject({ runscript: "run", labels: { a: "b" } });
const definition = definitionObject("Bootstrap: docker\nFrom: ubuntu");

describe("a file that says it has more than it has", () => {
  it("is refused at four billion descriptors, after one read", async () => {
    const file = watchedFile(sifOf([metadata], { descriptorsSaid: 2n ** 32n }), 4 * 1024 * GIB);
    expect(await inspectSif(file, limits)).toEqual({ problem: "it has too many objects" });
    expect(file.reads).toEqual([limits.sifFirstReadBytes]);
  });

  it("is refused where its table reaches past its end, or ends before what is said of its size", async () => {
    const whole = sifOf([metadata], { tableOffset: 100_000 });
    const short = whole.subarray(0, 101_000);
    const problem = { problem: "its descriptor table lies outside the file" };
    expect(await inspectSif(watchedFile(short), limits)).toEqual(problem);
    expect(await inspectSif(watchedFile(short, whole.length), limits)).toEqual(problem);
  });

  it("is refused wherever it was cut short before its first object", async () => {
    const whole = sifOf([metadata]);
    for (let length = 0; length < 4096 + 48 * DESCRIPTOR_BYTES; length += 97) {
      expect(await inspectSif(watchedFile(whole.subarray(0, length)), limits)).toHaveProperty("problem");
    }
  });

  it("loses what lies past its end, and that is said", async () => {
    const whole = sifOf([definition, metadata]);
    const { definition: text, attributes, leftOut } = await inspected(watchedFile(whole.subarray(0, -1)));
    expect(text).toContain("ubuntu");
    expect(attributes.runscript).toBeNull();
    expect(leftOut).toEqual(["inspect-metadata.json: it lies outside the file"]);
    // The same where its size is not what was said.
    const shorter = await inspected(watchedFile(whole.subarray(0, -1), whole.length));
    expect(shorter.leftOut).toEqual(leftOut);
  });

  it.each([
    ["after its end", 2n ** 40n, 10n],
    ["at an offset that no number holds", 2n ** 62n, 10n],
    ["before its beginning", -1n, 10n],
    ["far before its beginning", -(2n ** 62n), 2n ** 62n],
    ["with less than no bytes", 40_000n, -1n],
    ["with more bytes than a number holds", 0n, 2n ** 63n - 1n],
  ])("has no metadata where it lies %s", async (_, offset, sizeBytes) => {
    const { leftOut, objects } = await of({ ...metadata, offset, sizeBytes }, definition);
    expect(leftOut).toEqual(["inspect-metadata.json: it lies outside the file"]);
    expect(objects).toHaveLength(2);
  });
});

describe("a file that is gone", () => {
  it.each([1, 2, 3])("when it is read for the %i. time is gone, not wrong", async (time) => {
    const file = watchedFile(sifOf([metadata], { tableOffset: 100_000 }));
    const read = async (range: { offset: number; length: number }) =>
      file.reads.length + 1 < time ? await file.read(range) : null;
    expect(await inspectSif({ ...file, read }, limits)).toBe("gone");
  });
});

describe("huge objects", () => {
  it("are not read, and what fits beside them is", async () => {
    const file = watchedFile(sifOf([{ ...metadata, sizeBytes: 2n ** 31n }, definition]), 5 * GIB);
    const inspection = await inspected(file);
    expect(inspection).toMatchObject({ leftOut: ["inspect-metadata.json: too large"], attributes: { labels: {} } });
    expect(inspection.definition).toContain("ubuntu");
  });

  it("are read as far as the budget goes, with the largest table there may be", async () => {
    const objects = Array.from({ length: limits.sifDescriptors - 2 }, () => systemObject());
    const scripts = Object.fromEntries([1, 2, 3].map((index) => [`${index}.sh`, "x".repeat(100_000)]));
    const large = metadataObject({ environment: scripts });
    const file = watchedFile(sifOf([...objects, large, definitionObject("x".repeat(200_000))]));
    const { attributes, leftOut } = await inspected(file);
    expect(attributes.environment).toEqual(scripts);
    expect(leftOut).toEqual(["definition file: too large"]);
  });

  it("that overlap are read once", async () => {
    const text = JSON.stringify({ data: { attributes: { runscript: "x".repeat(200_000) } } });
    const file = sifOf([jsonObject(text)]);
    const [offset, sizeBytes] = [BigInt(file.length - text.length), BigInt(text.length)];
    const overlapping = watchedFile(sifOf([jsonObject(text), { type: 0x4001, offset, sizeBytes }]));
    const { definition, attributes } = await inspected(overlapping);
    expect(attributes.runscript).toHaveLength(200_000);
    expect(definition).toBe(text);
    expect(bytesAsked(overlapping)).toBe(limits.sifFirstReadBytes + text.length);
    // One inside the other, too.
    const inside = { type: 0x4001, offset: offset + 9n, sizeBytes: 4n };
    const nested = await inspected(watchedFile(sifOf([jsonObject(text), inside])));
    expect(nested.definition).toBe(text.slice(9, 13));
    expect(nested.attributes.runscript).toHaveLength(200_000);
  });

  it("of bytes that are no text, which are three times as long as text, leave out the largest", async () => {
    const scripts = Array.from({ length: 10 }, (_, index) => `"${index}.sh":"${"\xff".repeat(90_000 + index)}"`);
    const json = `{"data":{"attributes":{"environment":{${scripts.join(",")}},"runscript":"run"}}}`;
    const { attributes, leftOut } = await of(jsonObject(Buffer.from(json, "latin1")));
    expect(attributes.runscript).toBe("run");
    expect(Object.keys(attributes.environment)).toEqual(["0.sh", "1.sh", "2.sh"]);
    expect(leftOut).toContain("environment 3.sh: too large");
    expect(leftOut).toHaveLength(7);
  });

  it("of control characters, which are six times as long in JSON, are left out", async () => {
    const { definition, definitionFile, attributes, leftOut } = await of(
      metadata,
      definitionObject("\u0001".repeat(200_000)),
    );
    expect({ definition, definitionFile }).toEqual({ definition: null, definitionFile: { stages: [] } });
    expect(attributes.runscript).toBe("run");
    expect(leftOut).toEqual(["definition file: too large"]);
  });

  it("of descriptors, every name as long as it can be, leave room for what matters", async () => {
    const names = [new Uint8Array(128).fill(0xff), '"'.repeat(128), "\u0001".repeat(128)];
    const objects = Array.from({ length: limits.sifDescriptors - 1 }, (_, index) => ({
      type: 0x4005,
      name: names[index % 3] ?? "",
      group: 0x0fff_ffff,
      link: 0x0fff_ffff,
      extra: [3, new Uint8Array(20).fill(index % 255)],
      offset: 2n ** 62n,
      sizeBytes: 2n ** 62n,
    }));
    const { objects: found, signatures, attributes, leftOut } = await of(metadata, ...objects);
    expect(found).toHaveLength(limits.sifDescriptors);
    expect(signatures).toHaveLength(limits.sifFingerprints);
    expect(attributes.runscript).toBe("run");
    expect(leftOut).toEqual(["signatures: too many"]);
  });
});

describe("metadata", () => {
  it.each([
    ["no JSON", "{"],
    ["empty", ""],
    ["nested half a million deep", "[".repeat(500_000)],
    ["bytes", new Uint8Array(1000).map((_, index) => index)],
  ])("that is %s is left out, and that is said", async (_, content) => {
    const { attributes, leftOut } = await of(jsonObject(content), definition);
    expect(attributes).toMatchObject({ runscript: null, environment: {}, apps: {} });
    expect(leftOut).toEqual(["inspect-metadata.json: it is not JSON"]);
  });

  it.each([
    ["null", "null"],
    ["a list", "[]"],
    ["nested and well-formed", `${"[".repeat(200_000)}${"]".repeat(200_000)}`],
    ["without data", "{}"],
    ["with a text for data", '{"data":"attributes"}'],
    ["with a list of attributes", '{"data":{"attributes":[1,2]}}'],
  ])("that is %s says nothing", async (_, content) => {
    const { attributes, leftOut } = await of(jsonObject(content));
    expect(attributes).toMatchObject({ runscript: null, environment: {}, labels: {}, apps: {} });
    expect(leftOut).toEqual([]);
  });

  it("of wrong types keeps what is right", async () => {
    const { attributes } = await of(
      metadataObject({
        runscript: ["a"],
        startscript: { a: 1 },
        test: null,
        helpfile: "help",
        labels: { a: 1, b: true, c: null, d: {}, e: "text" },
        environment: ["x"],
        apps: { foo: "bar", baz: { runscript: 5, labels: "none" } },
      }),
    );
    expect(attributes).toMatchObject({
      runscript: null,
      startscript: null,
      test: null,
      helpfile: "help",
      labels: { a: "1", b: "true", e: "text" },
      environment: {},
    });
    expect(attributes.apps).toMatchObject({ baz: { runscript: "5", labels: {} } });
  });

  it("may have keys that mean something to JavaScript, and changes nothing by them", async () => {
    const keys = '{"__proto__":"a","constructor":"b","toString":"c"}';
    const apps = `{"__proto__":{"runscript":"x"}}`;
    const { attributes } = await of(jsonObject(`{"data":{"attributes":{"labels":${keys},"apps":${apps}}}}`));
    expect(Object.entries(attributes.labels)).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
      ["toString", "c"],
    ]);
    expect(Object.keys(attributes.apps)).toEqual(["__proto__"]);
    expect({}).not.toHaveProperty("runscript");
  });

  it("that is no Unicode becomes text that a database holds", async () => {
    const invalid = new Uint8Array([
      ...Buffer.from('{"data":{"attributes":{"runscript":"a'),
      0xff,
      ...Buffer.from('b"}}}'),
    ]);
    expect((await of(jsonObject(invalid))).attributes.runscript).toBe("a\ufffdb");
    const escaped = '{"data":{"attributes":{"labels":{"a\\u0000b":"c\\u0000d","e":"\\ud800f"}}}}';
    expect((await of(jsonObject(escaped))).attributes.labels).toEqual({ ab: "cd", e: "\ufffdf" });
    const text = await of(definitionObject(new Uint8Array([0x41, 0, 0xc3, 0x42])));
    expect(text.definition).toBe("A\ufffdB");
    const { objects } = await of({ type: 0x4007, name: new Uint8Array([0x41, 0xff, 7, 0x42]) });
    expect(objects[0]?.name).toBe("A\ufffd\ufffdB");
  });

  it("of too many or too long names and texts is cut down, and what is missing is named", async () => {
    const many = Object.fromEntries(Array.from({ length: limits.sifKeys + 3 }, (_, index) => [`k${index}`, ""]));
    const { attributes, leftOut } = await of(
      metadataObject({
        labels: { ["n".repeat(limits.sifKeyLength + 1)]: "x", long: "x".repeat(limits.sifLabelLength + 1), fine: "x" },
        environment: many,
        runscript: "x".repeat(limits.sifTextLength + 1),
        apps: { ["a".repeat(limits.sifKeyLength + 1)]: { test: "t" } },
      }),
    );
    expect(attributes).toMatchObject({ labels: { fine: "x" }, runscript: null, apps: {} });
    expect(Object.keys(attributes.environment)).toHaveLength(limits.sifKeys);
    expect(leftOut.sort()).toEqual([
      `app ${"a".repeat(60)}…: its name is too long`,
      "environment: 3 of them, too many",
      "label long: too long",
      `label ${"n".repeat(60)}…: too long`,
      "runscript: too long",
    ]);
  });

  it("that leaves out very much names so much of it and counts the rest", async () => {
    const labels = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`\n${"é".repeat(300)}${index}`, ""]));
    const { leftOut } = await of(metadataObject({ labels }));
    expect(leftOut).toHaveLength(limits.sifLeftOut + 1);
    expect(leftOut.at(-1)).toBe("and 100 more");
  });

  it("of old labels that are no JSON is left out", async () => {
    expect(await of(labelsObject("a=b"))).toMatchObject({ leftOut: ["labels: they are not JSON"] });
  });

  it("may have apps without number, each with next to nothing", async () => {
    const apps = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`app${index}`, { test: "t" }]));
    const { attributes, leftOut } = await of(metadataObject({ apps }));
    expect(Object.keys(attributes.apps)).toHaveLength(limits.sifKeys);
    expect(leftOut).toEqual([`${20_000 - limits.sifKeys} apps: too many`]);
  });
});
