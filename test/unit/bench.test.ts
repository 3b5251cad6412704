import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { cellsOf, type Figure, isMet, ratioOf } from "../../scripts/bench/figures.ts";
import { BenchImage } from "../../scripts/bench/image.ts";
import { interleave, median } from "../../scripts/bench/measure.ts";

const figure: Figure = {
  name: "pull",
  unit: "MB/s",
  ours: [90, 70, 80],
  bare: [100, 100, 500],
  goal: { atLeast: 0.8 },
};

describe("a figure of the benchmark", () => {
  it("compares medians, and says whether the goal is met", () => {
    expect(ratioOf(figure)).toBe(0.8);
    expect(isMet(figure)).toBe(true);
    expect(isMet({ ...figure, goal: { atMost: 0.7 } })).toBe(false);
    expect(cellsOf(figure)).toEqual(["pull", "80.0 MB/s (70.0–90.0)", "100 MB/s (100–500)", "0.80", "≥ 0.8", "yes"]);
  });

  it("promises nothing where there is nothing to compare with", () => {
    expect(isMet({ ...figure, bare: [] })).toBeNull();
    expect(isMet({ ...figure, goal: null })).toBeNull();
    expect(cellsOf({ ...figure, ours: [1], bare: [], goal: null })).toEqual(["pull", "1.00 MB/s", "", "", "", ""]);
  });
});

describe("measuring in turns", () => {
  it("begins each round with another one, and takes the middle", async () => {
    const order: string[] = [];
    const take = (name: string) => async (round: number) => order.push(`${name}${round}`);
    expect(await interleave(2, { a: take("a"), b: take("b") })).toEqual({ a: [1, 4], b: [2, 3] });
    expect(order).toEqual(["a0", "b0", "b1", "a1"]);
    expect([median([3, 1, 2]), median([4, 1])]).toEqual([2, 2.5]);
  });
});

describe("an image of the benchmark", () => {
  it("is the same however it is cut, and like no other", () => {
    const sizeBytes = 3 * 1024 ** 2 + 7;
    const image = new BenchImage(sizeBytes);
    const cut = [0, 1, 40_959, 40_961, 1_048_576, 2_500_000, sizeBytes];
    const pieces = cut.slice(1).flatMap((end, index) => [...image.chunks(cut[index] ?? 0, end - (cut[index] ?? 0))]);
    const bytes = Buffer.concat(pieces);
    expect(bytes.length).toBe(sizeBytes);
    expect(`sha256.${createHash("sha256").update(bytes).digest("hex")}`).toBe(image.digest);
    expect(new BenchImage(sizeBytes).digest).not.toBe(image.digest);
  });
});
