import { ascii, readInt64, readText, readTime, toHex } from "./fields.ts";
import { DESCRIPTOR_BYTES, readArchitecture } from "./header.ts";

// sylabs/sif pkg/sif/sif.go, as are all codes below.
const dataTypes = {
  16385: "definition",
  16386: "environment",
  16387: "labels",
  16388: "partition",
  16389: "signature",
  16390: "generic-json",
  16391: "generic",
  16392: "cryptographic-message",
  16393: "sbom",
  16394: "oci-root-index",
  16395: "oci-blob",
} as const;
// 5 is dm-crypt; 6 gocryptfs, which only apptainer writes.
const fileSystems = {
  1: "squashfs",
  2: "ext3",
  3: "archive",
  4: "raw",
  5: "encrypted-squashfs",
  6: "gocryptfs-squashfs",
} as const;
const partitionTypes = { 1: "system", 2: "primary-system", 3: "data", 4: "overlay" } as const;
const hashes = { 1: "sha256", 2: "sha384", 3: "sha512", 4: "blake2s", 5: "blake2b" } as const;
const messageFormats = { 1: "openpgp", 2: "pem" } as const;
const messages = { 256: "clear-signature", 512: "rsa-oaep" } as const;
const sbomFormats = {
  1: "cyclonedx-json",
  2: "cyclonedx-xml",
  3: "github-json",
  4: "spdx-json",
  5: "spdx-rdf",
  6: "spdx-tag-value",
  7: "spdx-yaml",
  8: "syft-json",
} as const;

type Word<Table> = Table[keyof Table];

/** What an object belongs to, or what it signs or decrypts: another object or a group of them, by their numbers. */
export interface SifLink {
  kind: "object" | "group";
  id: number;
}

/** What its descriptor says of an object. Null is a code that is not known, or nothing there. */
export type SifObject = {
  /** Numbers from 1; files that no client wrote may repeat them. */
  id: number;
  group: number | null;
  link: SifLink | null;
  /** Where its bytes lie. Nothing says that this is inside the file (`isInside`). */
  offset: number;
  sizeBytes: number;
  /** Unix seconds. */
  createdAt: number | null;
  modifiedAt: number | null;
  name: string;
} & SifObjectKind;

type SifObjectKind =
  | { type: "definition" | "environment" | "labels" | "generic-json" | "generic" }
  | {
      type: "partition";
      fileSystem: Word<typeof fileSystems> | null;
      partitionType: Word<typeof partitionTypes> | null;
      arch: string | null;
    }
  | {
      type: "signature";
      hash: Word<typeof hashes> | null;
      /** Upper-case hexadecimal PGP fingerprint, not verified; null for DSSE signatures, which name no key. */
      fingerprint: string | null;
    }
  | {
      type: "cryptographic-message";
      format: Word<typeof messageFormats> | null;
      message: Word<typeof messages> | null;
    }
  | { type: "sbom"; format: Word<typeof sbomFormats> | null }
  | { type: "oci-root-index" | "oci-blob"; digest: string | null }
  | { type: "unknown"; code: number };

const at = {
  type: 0,
  used: 4,
  id: 5,
  group: 9,
  link: 13,
  offset: 17,
  size: 25,
  created: 41,
  modified: 49,
  name: 73,
  extra: 201,
} as const;
const NAME_BYTES = at.extra - at.name;
const EXTRA_BYTES = DESCRIPTOR_BYTES - at.extra;
const FINGERPRINT_BYTES = 20;

/**
 * The objects that a descriptor table names, in its order, without its unused entries.
 * @param table its bytes, or the start of them; an entry that is cut short is none
 */
export function readDescriptors(table: Uint8Array): SifObject[] {
  const objects: SifObject[] = [];
  for (let start = 0; start + DESCRIPTOR_BYTES <= table.length; start += DESCRIPTOR_BYTES) {
    const entry = table.subarray(start, start + DESCRIPTOR_BYTES);
    if (entry[at.used] !== 0) objects.push(readDescriptor(entry));
  }
  return objects;
}

/** Whether an object lies inside a file of that size. */
export function isInside({ offset, sizeBytes }: SifObject, fileSizeBytes: number): boolean {
  return offset >= 0 && sizeBytes >= 0 && offset + sizeBytes <= fileSizeBytes;
}

/** Whether it is the file system that runs, in a form that only a key opens. */
export function isEncryptedSystem(object: SifObject): boolean {
  if (object.type !== "partition" || object.partitionType !== "primary-system") return false;
  return object.fileSystem === "encrypted-squashfs" || object.fileSystem === "gocryptfs-squashfs";
}

function readDescriptor(entry: Uint8Array): SifObject {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.byteLength);
  const group = view.getUint32(at.group, true) & 0x0fff_ffff;
  return {
    id: view.getUint32(at.id, true),
    group: group === 0 ? null : group,
    link: readLink(view.getUint32(at.link, true)),
    offset: readInt64(view, at.offset),
    sizeBytes: readInt64(view, at.size),
    createdAt: readTime(view, at.created),
    modifiedAt: readTime(view, at.modified),
    name: readText(entry, at.name, NAME_BYTES),
    ...readKind(entry, view),
  };
}

/** The highest four bits say whether the others name a group. */
function readLink(link: number): SifLink | null {
  const id = link & 0x0fff_ffff;
  if (id === 0) return null;
  return { kind: link >>> 28 === 0xf ? "group" : "object", id };
}

function readKind(entry: Uint8Array, view: DataView): SifObjectKind {
  const code = view.getInt32(at.type, true);
  const type = wordOf(dataTypes, code);
  const first = view.getInt32(at.extra, true);
  const second = view.getInt32(at.extra + 4, true);
  switch (type) {
    case "partition": {
      const arch = readArchitecture(entry, at.extra + 8);
      return { type, fileSystem: wordOf(fileSystems, first), partitionType: wordOf(partitionTypes, second), arch };
    }
    case "signature":
      return { type, hash: wordOf(hashes, first), fingerprint: readFingerprint(entry.subarray(at.extra + 4)) };
    case "cryptographic-message":
      return { type, format: wordOf(messageFormats, first), message: wordOf(messages, second) };
    case "sbom":
      return { type, format: wordOf(sbomFormats, first) };
    case "oci-root-index":
    case "oci-blob":
      return { type, digest: readDigest(entry) };
    case null:
      return { type: "unknown", code };
    default:
      return { type };
  }
}

function wordOf<Table extends Readonly<Record<number, string>>>(table: Table, code: number): Word<Table> | null {
  return Object.hasOwn(table, code) ? (table[code] as Word<Table>) : null;
}

/** DSSE signatures leave its place zero. */
function readFingerprint(bytes: Uint8Array): string | null {
  const fingerprint = bytes.subarray(0, FINGERPRINT_BYTES);
  return fingerprint.every((byte) => byte === 0) ? null : toHex(fingerprint).toUpperCase();
}

function readDigest(entry: Uint8Array): string | null {
  const [text = ""] = ascii(entry, at.extra, EXTRA_BYTES).split("\0", 1);
  return /^[a-z0-9]{1,16}:[0-9a-f]{32,128}$/.test(text) ? text : null;
}
