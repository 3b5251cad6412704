import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRange } from "../../worker/formats/range.ts";
import { anyText } from "../support/expectations.ts";

const size = fc.integer({ min: 1, max: 2 ** 40 });

describe("a request for a range", () => {
  it.each([
    ["bytes=0-0", { offset: 0, length: 1 }],
    ["bytes=0-9", { offset: 0, length: 10 }],
    ["bytes=90-", { offset: 90, length: 10 }],
    ["bytes=90-1000", { offset: 90, length: 10 }],
    ["bytes=-10", { offset: 90, length: 10 }],
    ["bytes=-1000", { offset: 0, length: 100 }],
    ["Bytes=5-6", { offset: 5, length: 2 }],
    [" bytes=5-6 ", { offset: 5, length: 2 }],
    ["bytes=0-99999999999999999999999", { offset: 0, length: 100 }],
  ])("%s of 100 bytes gets just that", (header, part) => {
    expect(readRange(header, 100)).toEqual({ kind: "part", ...part });
  });

  it.each([
    "bytes=100-",
    "bytes=100-200",
    "bytes=9-8",
    "bytes=-0",
    "bytes=-",
    "bytes=",
    "bytes",
    "",
    "items=0-1",
    "bytes=0-1,5-6",
    "bytes=a-b",
    "bytes=0 - 1",
    "bytes=--1",
    "bytes=99999999999999999999-",
  ])("%j of 100 bytes cannot be served, and never gets the whole", (header) => {
    expect(readRange(header, 100)).toEqual({ kind: "unsatisfiable" });
  });

  it("that was not made gets the whole", () => {
    expect(readRange(undefined, 100)).toEqual({ kind: "whole" });
    expect(readRange(null, 100)).toEqual({ kind: "whole" });
  });

  it("never gets the whole file, whatever stands in it: the client writes the answer at the range's place", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          anyText.map((text) => `bytes=${text}`),
        ),
        size,
        (header, bytes) => {
          expect(readRange(header, bytes).kind).not.toBe("whole");
        },
      ),
    );
  });

  it("never gets bytes outside the file, nor none", () => {
    const digits = fc.oneof(fc.constant(""), fc.nat().map(String), fc.bigInt({ min: 0n }).map(String));
    fc.assert(
      fc.property(digits, digits, size, (first, last, bytes) => {
        const range = readRange(`bytes=${first}-${last}`, bytes);
        if (range.kind !== "part") return;
        expect(range.offset).toBeGreaterThanOrEqual(0);
        expect(range.length).toBeGreaterThan(0);
        expect(range.offset + range.length).toBeLessThanOrEqual(bytes);
      }),
    );
  });

  it("as clients make it, piece after piece, gets the file whole and in order", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 3_000 }), (bytes, piece) => {
        let next = 0;
        while (next < bytes) {
          const range = readRange(`bytes=${next}-${next + piece - 1}`, bytes);
          expect(range).toEqual({ kind: "part", offset: next, length: Math.min(piece, bytes - next) });
          next += piece;
        }
      }),
      { numRuns: 50 },
    );
  });
});
