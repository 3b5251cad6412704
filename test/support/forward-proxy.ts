import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

export interface ForwardProxy {
  url: string;
  /** What passed it, such as `GET /version`. */
  seen: string[];
  stop: () => void;
}

/**
 * An HTTP proxy that sends every request to one server, whatever host it is for.
 * @param options.renames whether the server sees its own address as the host instead of what the client asked for
 */
export async function startForwardProxy(target: string, options = { renames: false }): Promise<ForwardProxy> {
  const seen: string[] = [];
  const { hostname, port } = new URL(target);
  const server = createServer((incoming, answer) => {
    const { pathname, search } = new URL(incoming.url ?? "");
    seen.push(`${incoming.method} ${pathname}`);
    const { method } = incoming;
    const headers = options.renames ? { ...incoming.headers, host: new URL(target).host } : incoming.headers;
    const outgoing = request({ hostname, port, path: pathname + search, method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.rawHeaders);
      response.pipe(answer);
    });
    outgoing.on("error", () => answer.destroy());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
