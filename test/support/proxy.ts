import { type ClientRequest, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

/** A point in time that a request names: when it has come so far. */
export interface Moment {
  method: string;
  path: RegExp;
  /** Which of the requests that match, from 1 on, counted from when it was asked for. */
  nth?: number;
  /** How many bytes of its body have been passed on, and no more; without it the request is still held whole. */
  afterBytes?: number;
}

/** A request that has come to its moment. */
export interface Seen {
  path: string;
  authorization: string;
}

/** An HTTP proxy in front of a registry, that knows what passes it and can hold it. */
export interface TestProxy {
  origin: string;
  /** Where requests go from now on. */
  passTo: (url: string) => void;
  /** Does something at a moment, once; the request goes on when it is done. @returns when that is */
  at: (moment: Moment, act: (seen: Seen) => Promise<void> | void) => Promise<void>;
  /** Every request so far, such as `PUT /blobs/part`. */
  seen: string[];
  stop: () => Promise<void>;
}

interface Hook {
  moment: Moment;
  matches: number;
  run: (seen: Seen) => Promise<void>;
}

export async function startProxy(): Promise<TestProxy> {
  const hooks: Hook[] = [];
  const seen: string[] = [];
  let target = new URL("http://127.0.0.1:9");
  const server = createServer((incoming, answer) => {
    seen.push(`${incoming.method} ${pathOf(incoming)}`);
    pass(target, incoming, answer, takeHook(hooks, incoming)).catch(() => answer.destroy());
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passTo: (url) => {
      target = new URL(url);
    },
    at: async (moment, act) =>
      await new Promise<void>((done, failed) => {
        const run = async (request: Seen) => {
          try {
            await act(request);
            done();
          } catch (error) {
            failed(error);
          }
        };
        hooks.push({ moment, matches: 0, run });
      }),
    seen,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function pathOf({ url = "" }: IncomingMessage): string {
  return url.split("?")[0] ?? "";
}

/** The hook whose moment this request is, which is then over. */
function takeHook(hooks: Hook[], incoming: IncomingMessage): Hook | null {
  const matching = hooks.filter(
    ({ moment }) => moment.method === incoming.method && moment.path.test(pathOf(incoming)),
  );
  for (const hook of matching) hook.matches++;
  const found = matching.find(({ moment, matches }) => matches === (moment.nth ?? 1));
  if (found === undefined) return null;
  hooks.splice(hooks.indexOf(found), 1);
  return found;
}

async function pass(target: URL, incoming: IncomingMessage, answer: ServerResponse, hook: Hook | null): Promise<void> {
  const { method, headers, url: path } = incoming;
  const seen = { path: pathOf(incoming), authorization: headers.authorization ?? "" };
  const afterBytes = hook?.moment.afterBytes;
  if (afterBytes === undefined) await hook?.run(seen);
  const { hostname, port } = target;
  const outgoing = request({ hostname, port, method, path, headers, agent: false });
  outgoing.on("error", () => answer.destroy());
  answer.on("close", () => outgoing.destroy());
  outgoing.on("response", (response) => {
    answer.writeHead(response.statusCode ?? 502, response.rawHeaders);
    response.on("error", () => answer.destroy());
    response.pipe(answer);
  });
  if (hook === null || afterBytes === undefined) return await pipeline(incoming, outgoing);
  await passInTwo(incoming, outgoing, afterBytes, async () => await hook.run(seen));
}

/** Passes a body on, and does something when exactly so many bytes of it have gone. */
async function passInTwo(
  incoming: AsyncIterable<Buffer>,
  outgoing: ClientRequest,
  afterBytes: number,
  act: () => Promise<void>,
): Promise<void> {
  const send = async (bytes: Buffer) =>
    await new Promise<void>((done, failed) => outgoing.write(bytes, (error) => (error ? failed(error) : done())));
  let left = afterBytes;
  for await (const chunk of incoming) {
    const isIt = left > 0 && left <= chunk.length;
    if (isIt) {
      await send(chunk.subarray(0, left));
      await act();
    }
    await send(isIt ? chunk.subarray(left) : chunk);
    left -= chunk.length;
  }
  outgoing.end();
}
