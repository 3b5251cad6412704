import { describe, RegistryError } from "../registry/errors.ts";
import { limits } from "../registry/limits.ts";

export interface BoundedRequest {
  method?: string;
  headers?: HeadersInit;
  body?: BodyInit | null | undefined;
}

/**
 * Asks an identity provider something. Its answer is read to its end within a time and a size; a redirect is no
 * answer, because it could lead anywhere with what was sent.
 * @throws `provider-unavailable`
 */
export async function boundedFetch(
  url: string,
  { method = "GET", headers = {}, body }: BoundedRequest = {},
  seconds: number = limits.providerSeconds,
): Promise<Response> {
  // One for both: whoever waits for the answer waits for the whole.
  const signal = AbortSignal.timeout(seconds * 1000);
  try {
    const request = { method, headers, redirect: "manual", signal } as const;
    const response = await fetch(url, body === undefined ? request : { ...request, body });
    if (response.status < 200 || (response.status >= 300 && response.status < 400) || response.status >= 500) {
      throw new Error(`it answered ${response.status}`);
    }
    const bytes = await readBounded(response.body);
    return new Response(bytes.length === 0 ? null : bytes, { status: response.status, headers: response.headers });
  } catch (thrown) {
    const { origin, pathname } = new URL(url);
    const detail = `${origin}${pathname}: ${describe(thrown)}`;
    throw new RegistryError("provider-unavailable", undefined, { detail, cause: thrown });
  }
}

async function readBounded(body: ReadableStream | null): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > limits.providerAnswerBytes) throw new Error("its answer is too large");
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
