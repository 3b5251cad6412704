/**
 * SIF: global header and descriptor table (sylabs/sif pkg/sif, format version
 * 01). Little-endian and packed. Pure: reads bytes that are there, never
 * throws on bytes that are wrong.
 */
export interface SifHeader {
  /** In Go's words; null for code 00: there is no primary system partition. */
  arch: string | null;
  descriptorsTotal: number;
  descriptorsOffset: number;
}

export type SifProblem = { problem: string };

const HEADER_BYTES = 128;
export const DESCRIPTOR_BYTES = 585;

const at = { magic: 32, version: 42, arch: 45, total: 88, tableOffset: 96 } as const;

// sif/pkg/sif/arch.go
const architectures: Record<string, string> = {
  "01": "386",
  "02": "amd64",
  "03": "arm",
  "04": "arm64",
  "05": "ppc64",
  "06": "ppc64le",
  "07": "mips",
  "08": "mipsle",
  "09": "mips64",
  "10": "mips64le",
  "11": "s390x",
  "12": "riscv64",
  "13": "loong64",
};

export const architectureNames: readonly string[] = Object.values(architectures);

export function readHeader(bytes: Uint8Array): SifHeader | SifProblem {
  if (bytes.length < HEADER_BYTES) return { problem: "it is shorter than a SIF header" };
  if (ascii(bytes, at.magic, 10) !== "SIF_MAGIC\0") return { problem: "it does not begin like one" };
  if (ascii(bytes, at.version, 3) !== "01\0") return { problem: "its format version is unknown" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const total = view.getBigInt64(at.total, true);
  const tableOffset = view.getBigInt64(at.tableOffset, true);
  if (total < 0n || total > BigInt(Number.MAX_SAFE_INTEGER)) return { problem: "its descriptor count is impossible" };
  if (tableOffset < BigInt(HEADER_BYTES) || tableOffset > BigInt(Number.MAX_SAFE_INTEGER)) {
    return { problem: "its descriptor table lies outside the file" };
  }
  const archCode = ascii(bytes, at.arch, 2);
  if (archCode !== "00" && architectures[archCode] === undefined) return { problem: "its architecture is unknown" };
  return {
    arch: architectures[archCode] ?? null,
    descriptorsTotal: Number(total),
    descriptorsOffset: Number(tableOffset),
  };
}

export function ascii(bytes: Uint8Array, offset: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + length));
}
