import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { architectureNames, DESCRIPTOR_BYTES, readHeader, type SifHeader } from "../../worker/formats/sif/header.ts";
import { summarizeDescriptors } from "../../worker/formats/sif/summary.ts";
import { limits } from "../../worker/registry/limits.ts";
import { makeSif, type SifOptions } from "../support/make-sif.ts";

const fixture = (name: string) => readFileSync(resolve(import.meta.dirname, "../fixtures", name));
const fixtureText = (name: string) => fixture(name).toString();

function headerOf(file: Uint8Array): SifHeader {
  const header = readHeader(file);
  if ("problem" in header) throw new Error(header.problem);
  return header;
}

function summaryOf(file: Uint8Array, maxFingerprints: number = limits.sifFingerprints) {
  const { descriptorsOffset: start, descriptorsTotal } = headerOf(file);
  const table = file.subarray(start, start + descriptorsTotal * DESCRIPTOR_BYTES);
  return summarizeDescriptors(table, file.length, maxFingerprints);
}

describe.each(["plain", "labelled", "signed"])("%s.sif, made by apptainer 1.4.5,", (name) => {
  const file = fixture(`${name}.sif`);
  const said = fixtureText(`${name}.header.txt`);
  const list = fixtureText(`${name}.list.txt`);
  const field = (label: string) => new RegExp(`^${label}: +(.+)$`, "m").exec(said)?.[1];

  it("is the file whose SHA-256 stands beside it", () => {
    expect(fixtureText(`${name}.sha256`)).toContain(createHash("sha256").update(file).digest("hex"));
  });

  it("has the architecture and descriptor table that `apptainer sif header` names", () => {
    expect(headerOf(file)).toMatchObject({
      arch: field("Primary Architecture"),
      descriptorsTotal: Number(field("Descriptors Total")),
      descriptorsOffset: Number(field("Descriptors Offset")),
    });
  });

  it("holds what `apptainer sif list` names", () => {
    expect(summaryOf(file)).toMatchObject({
      hasPrimaryPartition: /\*System\//.test(list),
      signed: /Signature/.test(list),
      encrypted: /Encrypted/.test(list),
      isOciSif: /OCI/.test(list),
      objectsInside: true,
    });
  });

  it("ends where the last object of that list ends", () => {
    const ends = [...list.matchAll(/\|\d+-(\d+) +\|/g)].map(([, end]) => Number(end));
    expect(file.length).toBe(Math.max(...ends));
    const shorter = file.subarray(0, file.length - 1);
    expect(summaryOf(shorter).objectsInside).toBe(false);
  });

  it("is understood from the first bytes that are read of it", () => {
    const { descriptorsOffset, descriptorsTotal } = headerOf(file);
    expect(descriptorsOffset + descriptorsTotal * DESCRIPTOR_BYTES).toBeLessThanOrEqual(limits.sifFirstReadBytes);
  });
});

describe("a signature", () => {
  it("names the key that `apptainer verify` names", () => {
    const verified = JSON.parse(fixtureText("signed.verify.json")) as {
      SignerKeys: { Signer: { Fingerprint: string } }[];
    };
    const fingerprints = verified.SignerKeys.map(({ Signer }) => Signer.Fingerprint.toUpperCase());
    // It names the key once for each object that was signed.
    expect(summaryOf(fixture("signed.sif")).fingerprints).toEqual([...new Set(fingerprints)]);
  });

  it("without a fingerprint (DSSE) counts, and names no key", () => {
    expect(summaryOf(makeSif({ signedBy: ["00".repeat(20)] }))).toMatchObject({ signed: true, fingerprints: [] });
  });

  it("of one key is named once, and only so many are kept", () => {
    const [first, second] = ["AB".repeat(20), "CD".repeat(20)];
    expect(summaryOf(makeSif({ signedBy: [first, second, first] })).fingerprints).toEqual([first, second]);
    expect(summaryOf(makeSif({ signedBy: [first, second] }), 1).fingerprints).toEqual([first]);
  });
});

describe("an image", () => {
  const kinds: [string, SifOptions, object][] = [
    ["without a system partition", { hasPrimaryPartition: false }, { hasPrimaryPartition: false, encrypted: false }],
    ["that is encrypted", { encrypted: true }, { hasPrimaryPartition: true, encrypted: true }],
    ["that is an OCI-SIF", { isOciSif: true }, { isOciSif: true }],
  ];

  it.each(kinds)("%s is seen as such", (_, options, expected) => {
    expect(summaryOf(makeSif(options))).toMatchObject(expected);
  });

  // sylabs/sif pkg/sif/arch.go
  const architectures = "386 amd64 arm arm64 ppc64 ppc64le mips mipsle mips64 mips64le s390x riscv64 loong64".split(
    " ",
  );

  it.each(architectures.map((arch, index) => [String(index + 1).padStart(2, "0"), arch]))(
    "with the architecture code %s is for %s",
    (archCode, arch) => {
      expect(headerOf(makeSif({ archCode })).arch).toBe(arch);
    },
  );

  it("may be for these architectures and no others", () => {
    expect([...architectureNames].sort()).toEqual([...architectures].sort());
  });

  it("without an architecture has none", () => {
    expect(headerOf(makeSif({ archCode: "00" })).arch).toBeNull();
  });
});

describe("a file that is no SIF image", () => {
  const changed = (offset: number, bytes: number[] | Uint8Array) => {
    const file = makeSif();
    file.set(bytes, offset);
    return file;
  };
  const bigInt = (value: bigint) => new Uint8Array(new BigInt64Array([value]).buffer);

  it.each([
    ["is empty", new Uint8Array(), "shorter"],
    ["ends in its header", makeSif().subarray(0, 127), "shorter"],
    ["is a text", new TextEncoder().encode("<html>".repeat(100)), "does not begin"],
    ["has another magic", changed(32, [0x58]), "does not begin"],
    ["is of another format version", changed(42, [0x30, 0x32]), "version"],
    ["is for an unknown architecture", makeSif({ archCode: "99" }), "architecture"],
    ["names an architecture of JavaScript's own", makeSif({ archCode: "__" }), "architecture"],
    ["has fewer descriptors than none", changed(88, bigInt(-1n)), "descriptor count"],
    ["has more descriptors than can be counted", changed(88, bigInt(2n ** 62n)), "descriptor count"],
    ["has its table in its header", changed(96, bigInt(0n)), "descriptor table"],
    ["has its table before it begins", changed(96, bigInt(-4096n)), "descriptor table"],
  ])("is refused where it %s", (_, file, problem) => {
    expect(readHeader(file)).toEqual({ problem: expect.stringContaining(problem) });
  });

  it("never makes reading fail, whatever its bytes are", () => {
    const start = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(start, fc.nat(220), (bytes, at) => {
        const file = makeSif();
        file.set(bytes, at);
        readHeader(file);
        readHeader(bytes);
      }),
    );
  });

  it("never makes reading its table fail either, and objects that reach outside are seen", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3 * DESCRIPTOR_BYTES }), fc.nat(2 ** 32), (table, sizeBytes) => {
        const summary = summarizeDescriptors(table, sizeBytes, 4);
        expect(summary.fingerprints.length).toBeLessThanOrEqual(4);
      }),
    );
    const file = makeSif();
    new DataView(file.buffer).setBigInt64(4096 + 25, 2n ** 62n, true);
    expect(summaryOf(file).objectsInside).toBe(false);
  });
});
