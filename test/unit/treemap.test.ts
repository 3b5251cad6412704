import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderTreemap, squarify } from "../../worker/formats/treemap.ts";

const frame = { x: 0, y: 0, width: 1200, height: 800 };

describe("a treemap", () => {
  it("gives each thing an area as large as it is, inside the whole and beside all others", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(sizes, (given) => {
        const sorted = given.toSorted((a, b) => b - a);
        const total = sorted.reduce((sum, size) => sum + size, 0);
        const frames = squarify(sorted, frame);
        expect(frames).toHaveLength(sorted.length);
        for (const [index, { x, y, width, height }] of frames.entries()) {
          expect(width * height).toBeCloseTo(((sorted[index] ?? 0) / total) * 960_000, 3);
          expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
          expect(x + width).toBeLessThanOrEqual(1200 + 1e-6);
          expect(y + height).toBeLessThanOrEqual(800 + 1e-6);
        }
        const overlap = frames.some((one, index) =>
          frames.slice(index + 1).some((other) => {
            const wide = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
            const high = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
            return wide > 1e-6 && high > 1e-6;
          }),
        );
        expect(overlap).toBe(false);
      }),
    );
  });

  it("has frames that are about as wide as high, where sizes are alike", () => {
    for (const { width, height } of squarify(Array<number>(24).fill(7), frame)) {
      expect(Math.max(width / height, height / width)).toBeLessThan(2);
    }
  });

  it("is drawn of the largest sizes there are and the smallest, and of numbers alone", () => {
    const tiles = [5e15, 5e15, 1, 1, 0].map((bytes, index) => ({ name: `a/${index}`, bytes, group: "a" }));
    const svg = renderTreemap({ title: "Sizes", tiles });
    expect(svg.match(/<svg/g)).toHaveLength(5);
    expect(svg).not.toMatch(/NaN|Infinity|="-/);
  });

  it("has names as text alone, whatever they are, and is the same each time", () => {
    const text = fc.string({ unit: fc.constantFrom(..."a/é€😀<>&\"'\n\u0000\ufffe\ud800]") });
    fc.assert(
      fc.property(text, text, (title, name) => {
        const of = { title, tiles: [{ name, bytes: 2 ** 30, group: name }] };
        const svg = renderTreemap(of);
        expect([...svg.matchAll(/<(\w+)/g)].map(([, element]) => element).join(" ")).toBe(
          "svg title rect svg title rect text text",
        );
        // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has none of them.
        expect(svg).not.toMatch(/[\u0000-\u0009\u000b-\u001f\uFFFE\uFFFF]|&(?!(?:amp|lt|gt|quot|#39);)/);
        expect(renderTreemap(of)).toBe(svg);
      }),
    );
  });

  it("says so where nothing takes any space", () => {
    expect(renderTreemap({ title: "Sizes", tiles: [] })).toContain("Nothing takes any space.");
  });
});
