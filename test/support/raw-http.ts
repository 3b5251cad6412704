import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Requests written byte for byte. */
export interface RawAnswer {
  status: number;
  headers: string;
  body: string;
}

/** A request line and its headers, in order, as they go over the wire. */
export function rawHead(lines: readonly string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}

export async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  return socket;
}

/**
 * Sends a request over a connection of its own. What comes after the answer began is not sent any more, as a
 * client does whose connection is closed.
 */
export async function sendRaw(
  url: string,
  head: readonly string[],
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = [],
): Promise<RawAnswer> {
  const socket = await openSocket(url);
  const chunks: Buffer[] = [];
  let isOver = false;
  const answered = new Promise<RawAnswer>((done, failed) => {
    const look = () => {
      const answer = parse(Buffer.concat(chunks).toString("latin1"));
      if (answer !== null) done(answer);
      return answer;
    };
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      isOver = look() !== null;
    });
    socket.on("error", (error) => {
      isOver = true;
      if (look() === null) failed(error);
    });
    socket.on("close", () => {
      isOver = true;
      if (look() === null) failed(new Error("the connection was closed without an answer"));
    });
  });
  answered.catch(() => undefined);
  socket.write(rawHead(head));
  for await (const chunk of body) {
    if (isOver) break;
    if (!socket.write(chunk)) await Promise.race([once(socket, "drain"), answered]).catch(() => undefined);
  }
  try {
    return await answered;
  } finally {
    socket.destroy();
  }
}

function parse(text: string): RawAnswer | null {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const headers = text.slice(0, end);
  const length = Number(/^content-length: (\d+)$/im.exec(headers)?.[1] ?? 0);
  const body = text.slice(end + 4);
  const isHead = length > 0 && body.length < length;
  if (isHead) return null;
  return { status: Number(headers.split(" ")[1]), headers, body };
}
