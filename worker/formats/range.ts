/** What a Range header asks of a representation of known size (RFC 9110 section 14). */
export type RangeResult =
  | { kind: "whole" }
  | { kind: "part"; offset: number; length: number }
  | { kind: "unsatisfiable" };

const single = /^bytes=(?:(\d+)-(\d*)|-(\d+))$/i;

/**
 * Reads a Range header. Stricter than the RFC asks: whatever is not one
 * satisfiable range of bytes is `unsatisfiable`, never the whole, because the
 * clients that send ranges write any answer at the range's place in the file.
 * @param sizeBytes at least 1
 */
export function readRange(header: string | null | undefined, sizeBytes: number): RangeResult {
  if (header === null || header === undefined) return { kind: "whole" };
  const match = single.exec(header.trim());
  if (match === null) return { kind: "unsatisfiable" };
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(toBounded(suffix), sizeBytes);
    return length === 0 ? { kind: "unsatisfiable" } : { kind: "part", offset: sizeBytes - length, length };
  }
  const start = toBounded(first ?? "");
  const end = last === undefined || last === "" ? sizeBytes - 1 : Math.min(toBounded(last), sizeBytes - 1);
  if (start >= sizeBytes || end < start) return { kind: "unsatisfiable" };
  return { kind: "part", offset: start, length: end - start + 1 };
}

/** Digits as a number; anything beyond safe integers is as good as infinity here. */
function toBounded(digits: string): number {
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : Number.MAX_SAFE_INTEGER;
}
