import { ascii, readInt64, readText, readTime, toHex } from "./fields.ts";

/**
 * SIF: global header and descriptor table (sylabs/sif pkg/sif, format version
 * 01). Little-endian and packed. Pure: reads bytes that are there, never
 * throws on bytes that are wrong.
 */
export interface SifHeader {
  /** The line that makes the file executable, with its line end. */
  launchScript: string;
  version: string;
  /** In Go's words; null for code 00: there is no primary system partition. */
  arch: string | null;
  /** A UUID; null where it is all zero: the image was built to be reproducible. */
  id: string | null;
  /** Unix seconds; null where there is none. */
  createdAt: number | null;
  modifiedAt: number | null;
  descriptorsFree: number;
  descriptorsTotal: number;
  descriptorsOffset: number;
  descriptorsSizeBytes: number;
  dataOffset: number;
  dataSizeBytes: number;
}

export type SifProblem = { problem: string };

const HEADER_BYTES = 128;
export const DESCRIPTOR_BYTES = 585;

const at = {
  launch: 0,
  magic: 32,
  version: 42,
  arch: 45,
  id: 48,
  created: 64,
  modified: 72,
  free: 80,
  total: 88,
  tableOffset: 96,
  tableSize: 104,
  dataOffset: 112,
  dataSize: 120,
} as const;

// sif/pkg/sif/arch.go
const architectures: ReadonlyMap<string, string> = new Map([
  ["01", "386"],
  ["02", "amd64"],
  ["03", "arm"],
  ["04", "arm64"],
  ["05", "ppc64"],
  ["06", "ppc64le"],
  ["07", "mips"],
  ["08", "mipsle"],
  ["09", "mips64"],
  ["10", "mips64le"],
  ["11", "s390x"],
  ["12", "riscv64"],
  ["13", "loong64"],
]);

export const architectureNames: readonly string[] = [...architectures.values()];

/** @param bytes the file's first bytes, 128 at least where it has them */
export function readHeader(bytes: Uint8Array): SifHeader | SifProblem {
  if (bytes.length < HEADER_BYTES) return { problem: "it is shorter than a SIF header" };
  if (ascii(bytes, at.magic, 10) !== "SIF_MAGIC\0") return { problem: "it does not begin like one" };
  if (ascii(bytes, at.version, 3) !== "01\0") return { problem: "its format version is unknown" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const descriptorsTotal = readInt64(view, at.total);
  const descriptorsOffset = readInt64(view, at.tableOffset);
  if (!isPossible(descriptorsTotal)) return { problem: "its descriptor count is impossible" };
  if (!isPossible(descriptorsOffset) || descriptorsOffset < HEADER_BYTES) {
    return { problem: "its descriptor table lies outside the file" };
  }
  const arch = readArchitecture(bytes, at.arch);
  if (arch === null && ascii(bytes, at.arch, 2) !== "00") return { problem: "its architecture is unknown" };
  return {
    launchScript: readText(bytes, at.launch, at.magic - at.launch),
    version: readText(bytes, at.version, 3),
    arch,
    id: readUuid(bytes),
    createdAt: readTime(view, at.created),
    modifiedAt: readTime(view, at.modified),
    descriptorsFree: readInt64(view, at.free),
    descriptorsTotal,
    descriptorsOffset,
    descriptorsSizeBytes: readInt64(view, at.tableSize),
    dataOffset: readInt64(view, at.dataOffset),
    dataSizeBytes: readInt64(view, at.dataSize),
  };
}

/** The architecture whose code stands there; null where it is none that is known. */
export function readArchitecture(bytes: Uint8Array, offset: number): string | null {
  return architectures.get(ascii(bytes, offset, 2)) ?? null;
}

/** The largest safe number stands for all that are larger. */
function isPossible(value: number): boolean {
  return value >= 0 && value < Number.MAX_SAFE_INTEGER;
}

function readUuid(bytes: Uint8Array): string | null {
  const hex = toHex(bytes.subarray(at.id, at.id + 16));
  if (/^0+$/.test(hex)) return null;
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
