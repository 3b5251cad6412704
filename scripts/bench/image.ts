import { createHash, randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { makeSif } from "../../test/support/make-sif.ts";

/** What follows the SIF header, over and over: its bytes cannot be compressed, and cost no memory. */
const block = randomBytes(1024 * 1024);

/** An image of any size that exists only as it is sent. No two are alike. */
export class BenchImage {
  readonly sizeBytes: number;
  readonly digest: string;
  readonly #head: Uint8Array;

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
    this.#head = makeSif({ salt: randomBytes(16).toString("hex") });
    const hash = createHash("sha256");
    for (const chunk of this.chunks(0, sizeBytes)) hash.update(chunk);
    this.digest = `sha256.${hash.digest("hex")}`;
  }

  /** The bytes of a range, in pieces of up to 1 MiB. */
  *chunks(offset: number, length: number): Generator<Uint8Array> {
    const end = Math.min(offset + length, this.sizeBytes);
    for (let at = offset; at < end; ) {
      const isHead = at < this.#head.length;
      const source = isHead ? this.#head : block;
      const start = isHead ? at : at % block.length;
      const piece = source.subarray(start, start + end - at);
      at += piece.length;
      yield piece;
    }
  }

  async writeTo(file: string): Promise<void> {
    const handle = await open(file, "w");
    try {
      for (const chunk of this.chunks(0, this.sizeBytes)) await handle.writeFile(chunk);
    } finally {
      await handle.close();
    }
  }
}
