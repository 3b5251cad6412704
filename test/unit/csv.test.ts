import { describe, expect, it } from "vitest";
import { renderCsv } from "../../worker/formats/csv.ts";

describe("a table as CSV", () => {
  it("keeps commas, quotes and lines within a field, and writes nothing for what is not there", () => {
    expect(
      renderCsv(
        ["a", "b"],
        [
          ["x,y", 1],
          ['say "hi"', null],
          ["two\nlines", -3],
        ],
      ),
    ).toBe('a,b\r\n"x,y",1\r\n"say ""hi""",\r\n"two\nlines",-3\r\n');
  });

  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])(
    "has no text that a spreadsheet would calculate: %j",
    (text) => {
      expect(renderCsv(["a"], [[text]]).split("\r\n")[1]).toMatch(/^"?'/);
    },
  );
});
