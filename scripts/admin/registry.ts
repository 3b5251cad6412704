import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isLoopback } from "../../worker/origin.ts";
import { fail } from "../arguments.ts";
import { DEFAULT_DATA, findServer, loadSecrets, readSecrets } from "../server/local-data.ts";

/** The registry that commands are given to. What it refuses ends the command with its reason. */
export interface Registry {
  url: string;
  call: <Result = unknown>(verb: string, args?: Record<string, unknown>) => Promise<Result>;
  /** Calls again from where the answer before ended, until there is no more. */
  pages: <Page extends object>(verb: string, args?: Record<string, unknown>) => AsyncGenerator<Page & Paged>;
}

interface Paged {
  next?: string | null;
}

/** A deployment by its address, else the registry that runs on the data folder. */
export function findRegistry(given: { url?: string | undefined; data?: string | undefined }): Registry {
  const { url, secret } = findTarget(given);
  const call = async <Result>(verb: string, args: Record<string, unknown> = {}) => {
    const response = await fetch(`${url}/admin/rpc`, {
      method: "POST",
      headers: { Authorization: `Bearer ${secret}`, "Content-Type": "application/json" },
      body: JSON.stringify({ verb, args }),
    }).catch((error: unknown) =>
      fail(`No registry answers at ${url}: ${error instanceof Error ? error.message : error}`),
    );
    const answer = (await response.json().catch(() => null)) as {
      result?: unknown;
      error?: { message: string };
    } | null;
    if (response.ok && answer !== null) return answer.result as Result;
    return fail(answer?.error?.message ?? `The registry answered ${response.status}.`);
  };
  async function* pages<Page extends object>(verb: string, args: Record<string, unknown> = {}) {
    for (let after: string | null = null; ; ) {
      const page: Page & Paged = await call<Page & Paged>(verb, { ...args, ...(after === null ? {} : { after }) });
      yield page;
      after = page.next ?? null;
      if (after === null) return;
    }
  }
  return { url, call, pages };
}

function findTarget({ url, data }: { url?: string | undefined; data?: string | undefined }): {
  url: string;
  secret: string;
} {
  const folder = resolve(data ?? DEFAULT_DATA);
  if (url !== undefined) {
    const { protocol, hostname, origin } = URL.canParse(url)
      ? new URL(url)
      : fail(`--url must be an address, not '${url}'`);
    if (protocol !== "https:" && !isLoopback(hostname)) fail("The admin secret travels over https only.");
    // The secret of a local registry goes to another host only where --data says that it belongs there.
    const isLocal = data !== undefined || isLoopback(hostname);
    return { url: origin, secret: secretOf(isLocal ? folder : null) };
  }
  const server = findServer(folder) ?? fail(`No registry runs on ${folder}. Start it with: npm start`);
  return { url: server.url, secret: process.env.ADMIN_SECRET || loadSecrets(folder).ADMIN_SECRET };
}

/** @param folder the data folder whose secret it may be */
function secretOf(folder: string | null): string {
  return (
    process.env.ADMIN_SECRET ||
    (folder === null ? undefined : readSecrets(folder)?.ADMIN_SECRET) ||
    deployedSecret() ||
    fail("No admin secret is known for that address. Put it into the environment as ADMIN_SECRET.")
  );
}

/** What `npm run deploy` keeps. */
function deployedSecret(): string | null {
  const file = join(import.meta.dirname, "..", "..", ".secrets", "deployment.json");
  if (!existsSync(file)) return null;
  return (JSON.parse(readFileSync(file, "utf8")) as { ADMIN_SECRET?: string }).ADMIN_SECRET ?? null;
}
