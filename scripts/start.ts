import { resolve } from "node:path";
import { isLoopback } from "../worker/origin.ts";
import { fail, readOptions } from "./arguments.ts";
import { build } from "./server/build.ts";
import { DEFAULT_DATA, loadSecrets } from "./server/local-data.ts";
import { type RegistryServer, startServer } from "./server/registry-server.ts";

const usage = `npm start -- [--port N] [--host H] [--data DIR]

  --port N     the port to listen on (8787)
  --host H     the address to listen on (127.0.0.1)
  --data DIR   where data and secrets are kept (.data)

Settings come from the environment; docs/configuration.md has them all.`;

const options = readOptions(process.argv.slice(2), ["port", "host", "data"], [], usage);
const port = Number(options.port ?? 8787);
if (!Number.isInteger(port) || port < 0 || port > 65535) fail(`--port must be a number up to 65535\n\n${usage}`);

const root = resolve(import.meta.dirname, "..");
const data = resolve(options.data ?? DEFAULT_DATA);

const server = await start().catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)));
stopOnSignal(server);
greet(server.url);

async function start(): Promise<RegistryServer> {
  await build(root);
  const secrets = loadSecrets(data);
  return await startServer({
    root,
    data,
    host: options.host ?? "127.0.0.1",
    port,
    secrets,
    settings: process.env,
  });
}

/** Replaces Miniflare's own listeners, which would kill requests in flight. */
function stopOnSignal({ stop }: RegistryServer): void {
  let isStopping = false;
  const onSignal = async () => {
    // The same signal comes twice where a service manager or a terminal sends it to run.mjs and to this process.
    if (isStopping) return;
    isStopping = true;
    await stop();
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.removeAllListeners(signal);
    process.on(signal, onSignal);
  }
}

function greet(listening: string): void {
  const at = options.data === undefined ? "" : ` --data ${options.data}`;
  const url = process.env.PUBLIC_ORIGIN || listening;
  console.log(`
The registry is running at ${listening}   (Ctrl-C stops it; data is kept in ${data})${addressHint(listening)}

Next:
  1. Create the first superuser, in another terminal, and open the link that signs them in:
       npm run admin -- add-superuser --username alice${at}
       npm run admin -- login-link --username alice${at}
     Make a token on the page ${url}/auth/tokens, or without a browser:
       npm run --silent admin -- add-token --username alice${at} > token.txt
  2. Log a client in. ${url} shows the lines to paste for your client.
  3. Push an image:
       apptainer push -U image.sif library://alice/tools/image:v1
`);
}

/** Clients on other machines get no answer that holds an address before the registry knows its own. */
function addressHint(listening: string): string {
  const { PUBLIC_ORIGIN } = process.env;
  if (PUBLIC_ORIGIN) return `\n\nClients reach it at ${PUBLIC_ORIGIN}.`;
  return isLoopback(new URL(listening).hostname)
    ? ""
    : `\n\nClients on other machines need its address: start it with PUBLIC_ORIGIN=http://NAME:${new URL(listening).port || 80} in the environment.`;
}
