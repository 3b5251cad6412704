import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { inspectSif, type SifFile, type SifInspection } from "../../worker/formats/sif/inspect.ts";
import { limits } from "../../worker/registry/limits.ts";
import { bytesAsked, watchedFile } from "../support/sif-file.ts";
import {
  definitionObject,
  labelsObject,
  metadataObject,
  type ObjectOptions,
  sifOf,
  systemObject,
} from "../support/sif-objects.ts";
import { headerText, inspectJson, listText } from "../support/sif-text.ts";

const fixture = (name: string) => readFileSync(resolve(import.meta.dirname, "../fixtures", name));

async function inspected(file: SifFile): Promise<SifInspection> {
  const inspection = await inspectSif(file, limits);
  if (inspection === "gone" || "problem" in inspection) throw new Error(JSON.stringify(inspection));
  return inspection;
}

describe.each(["plain", "labelled", "signed"])("%s.sif, made by apptainer 1.4.5,", (name) => {
  const file = watchedFile(fixture(`${name}.sif`));
  const said = (kind: string) => fixture(`${name}.${kind}`).toString();

  it("has the header that `apptainer sif header` prints", async () => {
    expect(headerText((await inspected(file)).header)).toBe(said("header.txt"));
  });

  it("has the objects that `apptainer sif list` prints", async () => {
    expect(listText((await inspected(file)).objects)).toBe(said("list.txt"));
  });

  it("says of itself what `apptainer inspect --json --all` prints", async () => {
    const { attributes, definition, leftOut } = await inspected(file);
    expect(inspectJson(attributes)).toEqual(JSON.parse(said("inspect.json")));
    expect(definition?.trim()).toBe(attributes.deffile?.trim());
    expect(leftOut).toEqual([]);
  });

  it("is read by two reads of 36 KiB together", async () => {
    const watched = watchedFile(fixture(`${name}.sif`));
    await inspected(watched);
    expect(watched.reads).toHaveLength(2);
    expect(bytesAsked(watched)).toBeLessThan(36 * 1024);
  });
});

const of = (...objects: ObjectOptions[]) => inspected(watchedFile(sifOf(objects)));

describe("an image", () => {
  it("has apps with texts of their own", async () => {
    const { attributes } = await of(
      metadataObject({ runscript: "run", apps: { foo: { labels: { A: "1" }, runscript: "foo" }, bar: { test: "t" } } }),
    );
    expect(attributes.runscript).toBe("run");
    expect(attributes.apps).toMatchObject({
      foo: { labels: { A: "1" }, runscript: "foo", test: null },
      bar: { labels: {}, runscript: null, test: "t" },
    });
  });

  it("has the labels of its metadata, or those that old builders wrote, or those of its definition", async () => {
    const definition = definitionObject("Bootstrap: scratch\n%labels\n  From definition\n");
    const labels = labelsObject('{"From": "labels", "Number": 1.5, "Flag": true, "None": null, "List": []}');
    const metadata = metadataObject({ labels: { From: "metadata" } });
    expect((await of(definition, labels, metadata)).attributes.labels).toEqual({ From: "metadata" });
    const old = await of(definition, labels, metadataObject({ runscript: "run" }));
    expect(old.attributes.labels).toEqual({ From: "labels", Number: "1.5", Flag: "true" });
    expect((await of(definition)).attributes.labels).toEqual({ From: "definition" });
    expect((await of(systemObject())).attributes.labels).toEqual({});
  });

  it("has the definition file it carries, or the one its metadata repeats", async () => {
    const metadata = metadataObject({ deffile: "Bootstrap: docker\nFrom: debian" });
    const carried = definitionObject("Bootstrap: docker\nFrom: ubuntu");
    expect((await of(metadata, carried, definitionObject("Bootstrap: arch"))).definition).toContain("ubuntu");
    const { definition, definitionFile } = await of(metadata);
    expect(definition).toContain("debian");
    expect(definitionFile.stages).toEqual([{ header: { bootstrap: "docker", from: "debian" }, sections: [] }]);
    expect(await of(systemObject())).toMatchObject({ definition: null, definitionFile: { stages: [] } });
  });

  it.each([
    [5, "encrypted-squashfs", true],
    [6, "gocryptfs-squashfs", true],
    [1, "squashfs", false],
  ])("whose file system has the code %i is %s", async (code, fileSystem, isEncrypted) => {
    const inspection = await of(systemObject(code), { type: 0x4008, link: 1, extra: [2, 0x200] });
    expect(inspection).toMatchObject({ isEncrypted, arch: "amd64" });
    expect(inspection.objects).toMatchObject([
      { type: "partition", fileSystem, partitionType: "primary-system", arch: "amd64" },
      { type: "cryptographic-message", link: { kind: "object", id: 1 }, format: "pem", message: "rsa-oaep" },
    ]);
  });

  it("names who signed what, once for each signature, and no key for one that names none", async () => {
    const key = new Uint8Array(20).fill(0xab);
    const { signatures } = await of(
      systemObject(),
      { type: 0x4005, group: 0, link: 0xf000_0001, extra: [1, key] },
      { type: 0x4005, group: 0, link: 1, extra: [2, new Uint8Array(20)] },
    );
    expect(signatures).toEqual([
      { objectId: 2, link: { kind: "group", id: 1 }, fingerprint: "AB".repeat(20), hash: "sha256" },
      { objectId: 3, link: { kind: "object", id: 1 }, fingerprint: null, hash: "sha384" },
    ]);
  });

  it("that is an OCI-SIF has its blobs by digest, and no texts", async () => {
    const digest = `sha256:${"0f".repeat(32)}`;
    const { objects, attributes } = await of({ type: 0x400b, extra: [digest] }, { type: 0x400a, extra: ["nothing"] });
    expect(objects).toMatchObject([
      { type: "oci-blob", digest },
      { type: "oci-root-index", digest: null },
    ]);
    expect(inspectJson(attributes)).toEqual({ data: { attributes: {} }, type: "container" });
  });

  it("may carry a bill of materials, and objects of a type yet to be invented", async () => {
    const { objects } = await of({ type: 0x4009, extra: [4] }, { type: 0x5000 }, { type: 0x4007, name: "notes" });
    expect(objects).toMatchObject([
      { type: "sbom", format: "spdx-json" },
      { type: "unknown", code: 0x5000 },
      { type: "generic", name: "notes" },
    ]);
  });

  it("that was built to be reproducible has no times and no id", async () => {
    const file = sifOf([systemObject()]);
    const view = new DataView(file.buffer);
    for (const at of [64, 72]) view.setBigInt64(at, -62_135_596_800n, true);
    const { header } = await inspected(watchedFile(file));
    expect(header).toMatchObject({ createdAt: null, modifiedAt: null, id: null });
  });

  it("may have its descriptor table anywhere, which costs one more read", async () => {
    const metadata = metadataObject({ runscript: "run" });
    const file = watchedFile(sifOf([metadata], { tableOffset: 200_000 }));
    expect((await inspected(file)).attributes.runscript).toBe("run");
    expect(file.reads).toHaveLength(3);
  });

  it("is read as sparely where it is 5 GiB as where it is small", async () => {
    const small = watchedFile(sifOf([definitionObject("Bootstrap: scratch"), metadataObject({ test: "t" })]));
    const large = { ...small, sizeBytes: 5 * 1024 ** 3 };
    expect(await inspected(large)).toEqual(await inspected(small));
    expect(bytesAsked(small)).toBeLessThan(2 * 36 * 1024);
  });
});
