import type { SifFile } from "../../worker/formats/sif/inspect.ts";

/** A file in memory that remembers what was asked of it. */
export interface WatchedFile extends SifFile {
  /** How many bytes each read asked for. */
  reads: number[];
}

/** @param sizeBytes what is said of its size, which may be wrong */
export function watchedFile(bytes: Uint8Array, sizeBytes: number = bytes.length): WatchedFile {
  const reads: number[] = [];
  return {
    sizeBytes,
    reads,
    read: async ({ offset, length }) => {
      reads.push(length);
      return bytes.slice(offset, offset + length);
    },
  };
}

export function bytesAsked({ reads }: WatchedFile): number {
  return reads.reduce((sum, bytes) => sum + bytes, 0);
}
