import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { streamIn } from "../../worker/storage/stream-in.ts";

const MIB = 2 ** 20;
const PART = 4 * MIB;

it("a stream holds two parts in memory at most, however long it is", async () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  const upload = { uploadPart: async (partNumber: number) => ({ partNumber, etag: "e" }), complete: async () => ({}) };
  const bucket = {
    createMultipartUpload: async () => ({ uploadId: "u" }),
    resumeMultipartUpload: () => upload,
  } as unknown as R2Bucket;
  const held = () => {
    gc();
    return process.memoryUsage().arrayBuffers;
  };
  const before = held();
  const seen: number[] = [];
  async function* bytes() {
    for (let n = 0; n < 12 * 4; n++) {
      yield new Uint8Array(MIB);
      if (n >= 6 * 4) seen.push(held() - before);
    }
  }
  await streamIn(bucket, "key", bytes(), PART, async () => undefined);
  // A chunk or two of the source besides.
  expect(Math.min(...seen)).toBeLessThanOrEqual(2 * PART + 2 * MIB);
});
