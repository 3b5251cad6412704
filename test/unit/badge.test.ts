import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderBadge } from "../../worker/formats/badge.ts";
import { shortBytes, shortNumber } from "../../worker/formats/svg-text.ts";

describe("a badge's image", () => {
  it("has whatever text it is given as text alone, and within its width", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), (label, value) => {
        const svg = renderBadge({ label, value, colour: "blue" });
        const elements = [...svg.matchAll(/<\/?(\w+)/g)].map(([, name]) => name);
        expect(new Set(elements)).toEqual(new Set(["svg", "title", "clipPath", "rect", "g", "text"]));
        expect(elements).toHaveLength(17);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has none of them.
        expect(svg).not.toMatch(/[\u0000-\u0009\u000b-\u001f\uFFFE\uFFFF]|&(?!(?:amp|lt|gt|quot|#39);)/);
        const width = Number(/width="(\d+)"/.exec(svg)?.[1]);
        const ends = [...svg.matchAll(/<text x="(\d+)" y="14" textLength="(\d+)"/g)].map(
          ([, x, length]) => Number(x) + Number(length),
        );
        expect(ends).toHaveLength(2);
        for (const end of ends) expect(end).toBeLessThanOrEqual(width - 6);
      }),
    );
    // fast-check takes its time to list all characters there are.
  }, 30_000);

  it.each([
    [0, "0"],
    [999, "999"],
    [1000, "1k"],
    [1234, "1.2k"],
    [12_345, "12k"],
    [999_999, "999k"],
    [1_500_000, "1.5M"],
  ])("says %i as %s", (value, text) => {
    expect(shortNumber(value)).toBe(text);
  });

  it.each([
    [1, "1 B"],
    [1536, "1.5 KiB"],
    [40 * 2 ** 20, "40 MiB"],
  ])("says %i bytes as %s", (bytes, text) => {
    expect(shortBytes(bytes)).toBe(text);
  });
});
