/** A stretch of a file, in bytes. */
export interface ByteRange {
  offset: number;
  length: number;
}

/**
 * The fewest reads for these ranges, in the file's order: what overlaps or lies no further apart than the gap is read
 * at once.
 */
export function mergeRanges(ranges: readonly ByteRange[], gapBytes: number): ByteRange[] {
  const merged: ByteRange[] = [];
  for (const { offset, length } of ranges.toSorted((one, other) => one.offset - other.offset)) {
    const last = merged.at(-1);
    if (last === undefined || offset > last.offset + last.length + gapBytes) merged.push({ offset, length });
    else last.length = Math.max(last.length, offset + length - last.offset);
  }
  return merged;
}

export function totalLength(ranges: readonly ByteRange[]): number {
  return ranges.reduce((sum, { length }) => sum + length, 0);
}
