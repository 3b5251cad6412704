import { decodeField, make } from "multipasta";

/**
 * A `multipart/form-data` body (RFC 7578) as it comes in, piece by piece. Pure, and nothing is kept of a file's
 * bytes: whoever reads the events says how fast it goes.
 */
export type FormEvent =
  | { kind: "field"; name: string; value: string }
  | { kind: "file-start"; name: string }
  | { kind: "file-bytes"; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "file-end" }
  /** The closing boundary was there: nothing is missing. Always the last. */
  | { kind: "end" }
  /** The body is not what it should be. Always the last. */
  | { kind: "problem"; text: string };

export interface FormBounds {
  parts: number;
  fieldBytes: number;
}

/** @param chunks pieces of the body, each in a buffer of its own: the parser keeps hold of the last */
export async function* parseForm(
  contentType: string,
  chunks: AsyncIterable<Uint8Array<ArrayBuffer>>,
  bounds: FormBounds,
): AsyncGenerator<FormEvent, void> {
  const reading = startParser(contentType, bounds);
  if (reading === null) return yield { kind: "problem", text: "the Content-Type names no form and boundary" };
  let held: Uint8Array<ArrayBuffer> = new Uint8Array();
  for await (const chunk of chunks) {
    const whole = joined(held, chunk);
    const keep = endingDashes(whole);
    held = whole.subarray(whole.length - keep);
    for (const event of reading.take(whole.subarray(0, whole.length - keep))) {
      yield event;
      if (event.kind === "problem") return;
    }
  }
  for (const event of reading.finish(held)) {
    yield event;
    if (event.kind === "problem") return;
  }
}

interface Reading {
  take: (bytes: Uint8Array) => FormEvent[];
  finish: (held: Uint8Array) => FormEvent[];
}

function startParser(contentType: string, bounds: FormBounds): Reading | null {
  const events: FormEvent[] = [];
  // What comes behind the closing boundary is nobody's.
  let isDone = false;
  let isInFile = false;
  const note = (event: FormEvent) => {
    if (!isDone) events.push(event);
  };
  const boundary = /^multipart\/form-data\s*;(?:.*;)?\s*boundary="?[^";\s]{1,70}"?/i.test(contentType);
  if (!boundary) return null;
  const parser = make({
    headers: { "content-type": contentType },
    maxParts: bounds.parts,
    maxFieldSize: bounds.fieldBytes,
    onField: (info, value) => note({ kind: "field", name: info.name, value: decodeField(info, value) }),
    onFile: (info) => {
      note({ kind: "file-start", name: info.name });
      isInFile = true;
      return (bytes) => {
        if (bytes !== null) return note({ kind: "file-bytes", bytes: bytes as Uint8Array<ArrayBuffer> });
        if (isInFile) note({ kind: "file-end" });
        isInFile = false;
      };
    },
    onError: (error) => note({ kind: "problem", text: problems[error._tag] }),
    onDone: () => {
      note({ kind: "end" });
      isDone = true;
    },
  });
  const collect = (act: () => void): FormEvent[] => {
    try {
      act();
    } catch {
      // It throws for headers that are none, such as a part without a Content-Disposition.
      note({ kind: "problem", text: problems.BadHeaders });
    }
    return events.splice(0);
  };
  return {
    take: (bytes) => (bytes.length === 0 ? [] : collect(() => parser.write(bytes))),
    finish: (held) =>
      collect(() => {
        if (held.length > 0) parser.write(held);
        if (!isDone) parser.end();
        if (!isDone) note({ kind: "problem", text: problems.EndNotReached });
      }),
  };
}

const problems = {
  InvalidBoundary: "the Content-Type names no boundary",
  BadHeaders: "a part's headers cannot be read",
  InvalidDisposition: "a part has no name",
  ReachedLimit: "it has too many parts, or too large a field",
  EndNotReached: "it ends before its closing boundary",
} as const;

/**
 * multipasta 0.2.8 does not know the closing boundary when a chunk ends between its last two dashes. So those a
 * chunk ends with wait for the next one.
 */
function endingDashes(bytes: Uint8Array): number {
  const DASH = 0x2d;
  if (bytes.at(-1) !== DASH) return 0;
  return bytes.at(-2) === DASH ? 2 : 1;
}

function joined(first: Uint8Array<ArrayBuffer>, second: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
