import { type FormEvent, parseForm } from "../formats/multipart-form.ts";
import { RegistryError } from "../registry/errors.ts";
import { limits } from "../registry/limits.ts";
import { contentLength } from "./body.ts";

/** A form of texts and one file, the file last, as far as it has come in: up to the file's first byte. */
export interface FormHead {
  fields: ReadonlyMap<string, string>;
  /**
   * The file. Nothing more is read than what is taken of it, and it ends only when the whole form was what it
   * should be.
   * @throws (while it is read) `body-invalid`
   */
  file: AsyncIterable<Uint8Array>;
}

/**
 * Reads a form's texts, which come before its file.
 * @param texts the names they may have; each at most once
 * @throws `body-invalid`
 */
export async function readForm(
  contentType: string,
  body: OpenBody,
  fileName: string,
  texts: readonly string[],
): Promise<FormHead> {
  const bounds = { parts: limits.formParts, fieldBytes: limits.formFieldBytes };
  const events = parseForm(contentType, body.pieces(), bounds);
  const fields = new Map<string, string>();
  for (;;) {
    const event = await nextEvent(events);
    if (event.kind === "file-start") {
      if (event.name !== fileName) throw invalid(`its file must be called ${fileName}`);
      return { fields, file: fileOf(events) };
    }
    if (event.kind !== "field") throw invalid(`it has no file called ${fileName}`);
    const { name, value } = event;
    if (!texts.includes(name)) throw invalid(`it may hold ${texts.join(", ")}, and nothing else before ${fileName}`);
    if (fields.has(name)) throw invalid(`it holds ${name} twice`);
    fields.set(name, value);
  }
}

async function* fileOf(events: AsyncGenerator<FormEvent, void>): AsyncGenerator<Uint8Array, void> {
  for (let event = await nextEvent(events); event.kind !== "file-end"; event = await nextEvent(events)) {
    if (event.kind !== "file-bytes") throw invalid("its file does not end");
    yield event.bytes;
  }
  const last = await nextEvent(events);
  if (last.kind !== "end") throw invalid("its file must be the last part");
}

async function nextEvent(events: AsyncGenerator<FormEvent, void>): Promise<Exclude<FormEvent, { kind: "problem" }>> {
  const { value } = await events.next();
  if (value === undefined) throw invalid("it ends before its closing boundary");
  if (value.kind === "problem") throw invalid(value.text);
  return value;
}

function invalid(why: string): RegistryError {
  return new RegistryError("body-invalid", `The form is not valid: ${why}.`);
}

/** A body that is read in large pieces, by one who may stop in the middle. */
export interface OpenBody {
  /** Each piece has a buffer of its own. */
  pieces: () => AsyncGenerator<Uint8Array<ArrayBuffer>, void>;
  /**
   * Ends the reading. What a client is still sending is read, within bounds: one that writes when its connection
   * closes sees no answer.
   */
  leave: () => Promise<void>;
}

export function openBody(request: Request): OpenBody {
  const reader = (request.body as ReadableStream | null)?.getReader({ mode: "byob" }) ?? null;
  async function* pieces() {
    while (reader !== null) {
      // The chunks that a stream brings by itself are small.
      const { value, done } = await reader.read(new Uint8Array(limits.formReadBytes));
      if (value !== undefined && value.byteLength > 0) yield value;
      if (done) return;
    }
  }
  const leave = async () => {
    try {
      let left = (contentLength(request) ?? 0) <= limits.drainBytes ? limits.drainBytes : 0;
      for await (const piece of left > 0 ? pieces() : []) {
        left -= piece.length;
        if (left < 0) break;
      }
      await reader?.cancel();
    } catch {
      // The client is gone.
    }
  };
  return { pieces, leave };
}
