import { DESCRIPTOR_BYTES } from "./header.ts";

const dataType = { partition: 0x4004, signature: 0x4005, ociRootIndex: 0x400a } as const;
const partitionType = { primarySystem: 2 } as const;
// 5: dm-crypt squashfs; 6: gocryptfs squashfs (apptainer only).
const encryptedFileSystems: readonly number[] = [5, 6];

const at = { type: 0, used: 4, offset: 17, size: 25, extra: 201 } as const;
const extraAt = { fsType: at.extra, partType: at.extra + 4, fingerprint: at.extra + 4 } as const;
const FINGERPRINT_BYTES = 20;

/** What the descriptor table alone says of an image. */
export interface SifSummary {
  hasPrimaryPartition: boolean;
  /** It carries at least one signature. */
  signed: boolean;
  encrypted: boolean;
  /** Upper-case hexadecimal PGP fingerprints its signatures name; none of them verified. */
  fingerprints: string[];
  /** It is an OCI-SIF: an OCI image in SIF's clothes. */
  isOciSif: boolean;
  /** Whether every object lies inside the file. */
  objectsInside: boolean;
}

/**
 * @param table the descriptor table's bytes, or the start of them
 * @param fileSizeBytes size of the whole file
 */
export function summarizeDescriptors(table: Uint8Array, fileSizeBytes: number, maxFingerprints: number): SifSummary {
  const summary: SifSummary = {
    hasPrimaryPartition: false,
    signed: false,
    encrypted: false,
    fingerprints: [],
    isOciSif: false,
    objectsInside: true,
  };
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  for (let start = 0; start + DESCRIPTOR_BYTES <= table.length; start += DESCRIPTOR_BYTES) {
    if (view.getUint8(start + at.used) === 0) continue;
    const offset = view.getBigInt64(start + at.offset, true);
    const size = view.getBigInt64(start + at.size, true);
    if (offset < 0n || size < 0n || offset + size > BigInt(fileSizeBytes)) summary.objectsInside = false;
    const type = view.getInt32(start + at.type, true);
    if (type === dataType.ociRootIndex) summary.isOciSif = true;
    if (type === dataType.signature) {
      summary.signed = true;
      addFingerprint(summary, table.subarray(start + extraAt.fingerprint), maxFingerprints);
    }
    if (type === dataType.partition && view.getInt32(start + extraAt.partType, true) === partitionType.primarySystem) {
      summary.hasPrimaryPartition = true;
      summary.encrypted = encryptedFileSystems.includes(view.getInt32(start + extraAt.fsType, true));
    }
  }
  return summary;
}

/** DSSE signatures leave the place of the fingerprint zero. */
function addFingerprint(summary: SifSummary, bytes: Uint8Array, max: number): void {
  const fingerprint = bytes.subarray(0, FINGERPRINT_BYTES);
  if (fingerprint.every((byte) => byte === 0)) return;
  const text = Array.from(fingerprint, (byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .toUpperCase();
  if (summary.fingerprints.length < max && !summary.fingerprints.includes(text)) summary.fingerprints.push(text);
}
