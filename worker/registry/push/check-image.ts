import { DESCRIPTOR_BYTES, readHeader } from "../../formats/sif/header.ts";
import { type SifSummary, summarizeDescriptors } from "../../formats/sif/summary.ts";
import { type ObjectStart, readObjectRange } from "../../storage/blobs.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";

/** What publishing must know of a file, read from its header and descriptor table. */
export interface SifFacts extends Pick<SifSummary, "signed" | "encrypted" | "fingerprints"> {
  arch: string;
}

/**
 * Reads a stored file as a SIF image. The start holds all of it for images as clients write them; a
 * table that lies elsewhere costs one more read.
 * @throws `sif-invalid`, `sif-unsupported`, with the reason in words a user can act on
 */
export async function checkImage(bucket: R2Bucket, objectKey: string, start: ObjectStart): Promise<SifFacts> {
  const header = readHeader(start.bytes);
  if ("problem" in header) throw invalid(header.problem);
  if (header.descriptorsTotal > limits.sifDescriptors) throw invalid("it has too many objects");
  const tableBytes = header.descriptorsTotal * DESCRIPTOR_BYTES;
  const tableEnd = header.descriptorsOffset + tableBytes;
  if (tableEnd > start.sizeBytes) throw invalid("its descriptor table lies outside the file");
  const table =
    tableEnd <= start.bytes.length
      ? start.bytes.subarray(header.descriptorsOffset, tableEnd)
      : await readObjectRange(bucket, objectKey, { offset: header.descriptorsOffset, length: tableBytes });
  if (table === null) throw new RegistryError("upload-incomplete");
  const summary = summarizeDescriptors(table, start.sizeBytes, limits.sifFingerprints);
  if (summary.isOciSif) {
    throw new RegistryError(
      "sif-unsupported",
      "This is an OCI-SIF image. This registry takes only plain SIF images yet.",
    );
  }
  if (!summary.objectsInside) throw invalid("some of its objects lie outside the file: it was cut short");
  if (header.arch === null || !summary.hasPrimaryPartition) {
    throw new RegistryError(
      "sif-unsupported",
      "The image has no primary system partition, so its architecture is unknown.",
    );
  }
  return {
    arch: header.arch,
    signed: summary.signed,
    encrypted: summary.encrypted,
    fingerprints: summary.fingerprints,
  };
}

function invalid(problem: string): RegistryError {
  return new RegistryError("sif-invalid", `The file is not a SIF image: ${problem}.`);
}
