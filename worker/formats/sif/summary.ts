import { isEncryptedSystem, isInside, readDescriptors } from "./descriptors.ts";

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
  const objects = readDescriptors(table);
  const signatures = objects.filter((object) => object.type === "signature");
  const fingerprints = new Set(signatures.flatMap(({ fingerprint }) => fingerprint ?? []));
  return {
    hasPrimaryPartition: objects.some((it) => it.type === "partition" && it.partitionType === "primary-system"),
    signed: signatures.length > 0,
    encrypted: objects.some(isEncryptedSystem),
    fingerprints: [...fingerprints].slice(0, maxFingerprints),
    isOciSif: objects.some(({ type }) => type === "oci-root-index"),
    objectsInside: objects.every((object) => isInside(object, fileSizeBytes)),
  };
}
