import type * as z from "zod";
import { RegistryError } from "../registry/errors.ts";
import { limits } from "../registry/limits.ts";

/**
 * Reads a JSON body whatever its Content-Type says (library clients send none) and parses it.
 * @throws `body-too-large`, before or while reading; `body-invalid`, naming the fields that are wrong
 */
export async function readJson<Output>(
  request: Request,
  schema: z.ZodType<Output>,
  maxBytes: number = limits.jsonBodyBytes,
): Promise<Output> {
  const text = await readText(request, maxBytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RegistryError("body-invalid", "The request body is not JSON.", { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => issue.path.join(".") || "the body");
  throw new RegistryError("body-invalid", `The request body is not valid: look at ${[...new Set(fields)].join(", ")}.`);
}

/** The announced length of a body in bytes; null where there is none. */
export function contentLength(request: Request): number | null {
  const header = request.headers.get("content-length");
  return header !== null && /^\d{1,15}$/.test(header) ? Number(header) : null;
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  return new TextDecoder().decode(await readBytes(request, maxBytes));
}

/** Reads a body as it is. @throws `body-too-large`, before or while reading */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  if ((contentLength(request) ?? 0) > maxBytes) throw new RegistryError("body-too-large");
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body as ReadableStream<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new RegistryError("body-too-large");
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
