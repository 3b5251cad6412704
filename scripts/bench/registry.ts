import { newSecrets } from "../server/local-data.ts";
import { type RegistryServer, startServer } from "../server/registry-server.ts";
import { runtimesOn } from "../server/runtimes.ts";
import { ask } from "./client.ts";

/** A running registry, and somebody who may push to it. */
export interface Registry {
  url: string;
  username: string;
  token: string;
  adminSecret: string;
  server: RegistryServer;
  /** How large it wants the parts of an upload. */
  partBytes: number;
  /** The process that the Worker runs in. */
  pid: number | null;
}

/** The same secrets for every server of a run, so that what one signed is good at the next. */
const secrets = newSecrets();

/** A server that is started on the data of an earlier one knows its user. */
const ALREADY_SO = 409;

const username = "bench";
const partBytes = 64 * 1024 * 1024;

/** Starts the built registry as `npm start` does, but for the settings given. */
export async function startRegistry(
  root: string,
  data: string,
  settings: Record<string, string> = {},
): Promise<Registry> {
  const server = await startServer({
    root,
    data,
    host: "127.0.0.1",
    port: 0,
    secrets,
    settings: { PART_BYTES: String(partBytes), ...settings },
  });
  const pid = workerProcessOn(data);
  const registry = { url: server.url, username, token: "", adminSecret: secrets.ADMIN_SECRET, partBytes, server, pid };
  await administer(registry, "add-superuser", { username }, [200, ALREADY_SO]);
  const { token } = await administer(registry, "add-token", { username });
  return { ...registry, token: String(token) };
}

/** One administrator's command. */
export async function administer(
  { url, adminSecret }: Pick<Registry, "url" | "adminSecret">,
  verb: string,
  args: Record<string, unknown>,
  expected?: readonly number[],
): Promise<Record<string, unknown>> {
  const sent = {
    method: "POST",
    headers: { Authorization: `Bearer ${adminSecret}` },
    body: JSON.stringify({ verb, args }),
  };
  const answer = JSON.parse(await ask(`${url}/admin/rpc`, sent, expected)) as { result?: Record<string, unknown> };
  return answer.result ?? {};
}

/** The workerd that was started on a data folder. */
export function workerProcessOn(data: string): number | null {
  return runtimesOn(data)[0]?.pid ?? null;
}
