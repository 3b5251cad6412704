import { Agent, type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Connections are kept, as the clients keep theirs. Only addresses of this machine are ever asked. */
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

export interface Sent {
  method?: string;
  headers?: OutgoingHttpHeaders;
  /** A stream's length must stand in the headers. */
  body?: string | Iterable<Uint8Array>;
}

/** Sends a request. The answer's body is still to be read. */
export async function send(url: string, { method = "GET", headers = {}, body }: Sent = {}): Promise<IncomingMessage> {
  if (new URL(url).hostname !== "127.0.0.1") throw new Error(`${url} is not on this machine.`);
  const length = typeof body === "string" ? { "Content-Length": Buffer.byteLength(body) } : {};
  const outgoing = request(url, { method, agent, headers: { ...length, ...headers } });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
  });
  // Its failure is that of sending the body.
  answered.catch(() => undefined);
  if (body === undefined || typeof body === "string") outgoing.end(body);
  else await pipeline(Readable.from(body, { objectMode: true }), outgoing);
  return await answered;
}

/** Sends a request, expects a status, and reads the answer as text. */
export async function ask(url: string, sent: Sent = {}, expected: readonly number[] = [200, 201]): Promise<string> {
  const { text } = await askFully(url, sent, expected);
  return text;
}

/** The same, with the answer's headers. */
export async function askFully(url: string, sent: Sent, expected: readonly number[] = [200, 201]) {
  const response = await send(url, sent);
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) text += chunk;
  const status = response.statusCode ?? 0;
  if (!expected.includes(status))
    throw new Error(`${sent.method ?? "GET"} ${new URL(url).pathname}: ${status} ${text}`);
  return { text, headers: response.headers };
}

/** Reads an answer and throws its bytes away. @returns how many there were */
export async function discard(response: IncomingMessage): Promise<number> {
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await new Promise<void>((resolve, reject) => {
    response.once("end", resolve);
    response.once("error", reject);
  });
  return bytes;
}

/** How the clients read an image: ranges of 5 MiB, three at a time (scs-library-client's defaults). */
const RANGE_BYTES = 5 * 1024 * 1024;
const RANGES_AT_A_TIME = 3;

/** Reads an object as the clients do. @throws when a range does not come as it was asked for */
export async function pullRanges(url: string, sizeBytes: number): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < sizeBytes) {
      const offset = next;
      const length = Math.min(RANGE_BYTES, sizeBytes - offset);
      next += length;
      const response = await send(url, { headers: { Range: `bytes=${offset}-${offset + length - 1}` } });
      const bytes = await discard(response);
      if (response.statusCode !== 206 || bytes !== length) {
        throw new Error(`A range of ${length} bytes was answered by ${response.statusCode} and ${bytes} bytes.`);
      }
    }
  };
  await Promise.all(Array.from({ length: RANGES_AT_A_TIME }, worker));
}
