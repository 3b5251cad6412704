import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FormEvent, parseForm } from "../../worker/formats/multipart-form.ts";

const BOUNDARY = "0123456789abcdef0123456789abcdef";
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

type Part = { name: string; value: string } | { name: string; file: Uint8Array };

function bodyOf(parts: Part[], boundary = BOUNDARY): Buffer {
  const pieces = parts.flatMap((part) => {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${part.name}"`;
    if ("value" in part) return [Buffer.from(`${head}\r\n\r\n${part.value}\r\n`)];
    const file = `${head}; filename="tool:1.0.sif"\r\nContent-Type: text/plain\r\n\r\n`;
    return [Buffer.from(file), Buffer.from(part.file), Buffer.from("\r\n")];
  });
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]);
}

/** What a body is read as when it comes in pieces of these sizes. */
async function read(body: Uint8Array, cuts: number[], contentType = TYPE): Promise<string[]> {
  async function* pieces() {
    let offset = 0;
    for (const size of [...cuts, body.length]) {
      if (offset >= body.length) return;
      // Each in a buffer of its own, as the reader brings them.
      yield new Uint8Array(body.subarray(offset, offset + size));
      offset += size;
    }
  }
  const events: FormEvent[] = [];
  for await (const event of parseForm(contentType, pieces(), { parts: 6, fieldBytes: 1000 })) events.push(event);
  return told(events);
}

/** Events as texts, the bytes of a file in one. */
function told(events: FormEvent[]): string[] {
  const texts: string[] = [];
  let file = "";
  for (const event of events) {
    if (event.kind === "file-bytes") file += Buffer.from(event.bytes).toString("latin1");
    else {
      if (file !== "") texts.push(`bytes ${file}`);
      file = "";
      texts.push(Object.values(event).join(" "));
    }
  }
  return texts;
}

const parts: Part[] = [
  { name: "SREGISTRY_EVENT", value: "SREGISTRY-HMAC-SHA256 Credential=upload/YQ==/20240102T03Z,Signature=aa" },
  { name: "name", value: "tool" },
  { name: "collection", value: "17" },
  { name: "tag", value: "" },
  { name: "file1", file: Buffer.from(`--\r\n--${BOUNDARY.slice(0, -1)}\r\n---${"-".repeat(40)}`) },
];
const whole = [
  "field SREGISTRY_EVENT SREGISTRY-HMAC-SHA256 Credential=upload/YQ==/20240102T03Z,Signature=aa",
  "field name tool",
  "field collection 17",
  "field tag ",
  "file-start file1",
  `bytes --\r\n--${BOUNDARY.slice(0, -1)}\r\n---${"-".repeat(40)}`,
  "file-end",
  "end",
];

describe("a form", () => {
  it("is read as what was sent", async () => {
    expect(await read(bodyOf(parts), [])).toEqual(whole);
  });

  it("is read the same cut at any one place, between the two dashes of its end too", async () => {
    const body = bodyOf(parts);
    for (let cut = 1; cut < body.length; cut++) expect(await read(body, [cut]), `cut at ${cut}`).toEqual(whole);
  });

  it("is read the same in any pieces, with any boundary", async () => {
    const dashes = fc.stringMatching(/^[\r\n-]{0,100}$/).map((text): Uint8Array => Buffer.from(text));
    const boundaries = fc.stringMatching(/^[A-Za-z0-9-]{1,20}$/);
    const files = fc.oneof(fc.uint8Array({ maxLength: 300 }), dashes);
    await fc.assert(
      fc.asyncProperty(boundaries, files, fc.array(fc.integer({ min: 1, max: 60 })), async (boundary, file, cuts) => {
        const latin1 = Buffer.from(file).toString("latin1");
        fc.pre(!`\r\n${latin1}\r\n`.includes(`\r\n--${boundary}`));
        const body = bodyOf(
          [
            { name: "tag", value: "v1" },
            { name: "file1", file },
          ],
          boundary,
        );
        const events = await read(body, cuts, `multipart/form-data; boundary=${boundary}`);
        const bytes = latin1 === "" ? [] : [`bytes ${latin1}`];
        expect(events).toEqual(["field tag v1", "file-start file1", ...bytes, "file-end", "end"]);
      }),
      { numRuns: 500 },
    );
  });

  it("cut short at any place is a problem, and never an end", async () => {
    const body = bodyOf(parts);
    // The last line break is not needed, nor are the dashes missed before it.
    for (let length = 0; length < body.length - 2; length++) {
      expect((await read(body.subarray(0, length), [])).at(-1), `${length} bytes`).toMatch(/^problem /);
    }
  });

  it("with any bytes changed is an end or a problem, and nothing else", async () => {
    const body = bodyOf(parts);
    const change = fc.tuple(fc.nat(body.length - 1), fc.constantFrom(..."\r\n-:;=\"' %\0aé"));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), fc.nat(300), async (changes, cut) => {
        const mutated = Buffer.from(body);
        for (const [place, letter] of changes) mutated.write(letter, place, "latin1");
        const events = await read(mutated, [cut + 1]);
        expect(events.at(-1)).toMatch(/^(?:end|problem .+)$/);
        expect(events.filter((event) => /^(?:end|problem )/.test(event))).toHaveLength(1);
      }),
      { numRuns: 1000 },
    );
  });

  it("whose file name cannot be decoded is a problem", async () => {
    const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file1"; filename*=utf-8''%zz\r\n\r\nx\r\n--${BOUNDARY}--\r\n`;
    expect((await read(Buffer.from(head), [])).at(-1)).toMatch(/^problem /);
  });

  it.each(["", "text/plain", "multipart/form-data", "multipart/form-data; boundary=", "application/json"])(
    "of type %j is a problem",
    async (type) => {
      expect(await read(bodyOf(parts), [], type)).toEqual([expect.stringMatching(/^problem /)]);
    },
  );

  it("with a large field, or many parts, is a problem before it ends", async () => {
    const large = bodyOf([{ name: "name", value: "x".repeat(2000) }, ...parts]);
    expect((await read(large, [])).at(-1)).toBe("problem it has too many parts, or too large a field");
    const many = bodyOf(Array.from({ length: 9 }, () => ({ name: "name", value: "x" })));
    expect((await read(many, [])).at(-1)).toBe("problem it has too many parts, or too large a field");
  });
});
