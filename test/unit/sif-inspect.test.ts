import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { inspectSif, type SifFile, type SifInspection } from "../../worker/formats/sif/inspect.ts";
import { limits } from "../../worker/registry/limits.ts";
import { bytesAsked, watchedFile } from "../support/sif-file.ts";
import { headerText, inspectJson, listText } from "../support/sif-text.ts";

const fixture = (name: string) => readFileSync(resolve(import.meta.dirname, "../fixtures", name));

async function inspected(file: SifFile): Promise<SifInspection> {
  const inspection = await inspectSif(file, limits);
  if (inspection === "gone" || "problem" in inspection) throw new Error(JSON.stringify(inspection));
  return inspection;
}

describe.each(["plain", "labelled", "signed"])("%s.sif, made by apptainer 1.4.5,", (name) => {
  const file = watchedFile(fixture(`${name}.sif`));
  const said = (kind: string) => fixture(`${name}.${kind}`).toString();

  it("has the header that `apptainer sif header` prints", async () => {
    expect(headerText((await inspected(file)).header)).toBe(said("header.txt"));
  });

  it("has the objects that `apptainer sif list` prints", async () => {
    expect(listText((await inspected(file)).objects)).toBe(said("list.txt"));
  });

  it("says of itself what `apptainer inspect --json --all` prints", async () => {
    const { attributes, definition, leftOut } = await inspected(file);
    expect(inspectJson(attributes)).toEqual(JSON.parse(said("inspect.json")));
    expect(definition?.trim()).toBe(attributes.deffile?.trim());
    expect(leftOut).toEqual([]);
  });

  it("is read by two reads of 36 KiB together", async () => {
    const watched = watchedFile(fixture(`${name}.sif`));
    await inspected(watched);
    expect(watched.reads).toHaveLength(2);
    expect(bytesAsked(watched)).toBeLessThan(36 * 1024);
  });
});
