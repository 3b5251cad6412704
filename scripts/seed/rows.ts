export interface SeedSize {
  collections: number;
  images: number;
  /** The same seed makes the same rows, but for their times. */
  seed: number;
  /** What is taken for now, in milliseconds: everything happened before. */
  now: number;
}

export type Value = string | number | null;

/** Rows of one table. */
export interface Rows {
  table: string;
  columns: readonly string[];
  rows: Value[][];
}
