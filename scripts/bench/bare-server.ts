import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { readBuiltOptions } from "../server/build.ts";
import { markFor } from "../server/runtimes.ts";
import { ask } from "./client.ts";
import type { BenchImage } from "./image.ts";
import { workerProcessOn } from "./registry.ts";
import { putPart } from "./registry-push.ts";

const NAME = "bare";

export interface Bare {
  url: string;
  /** The process that the Worker runs in. */
  pid: number | null;
  stop: () => Promise<void>;
}

/** Runs the bare Worker as `startServer` runs the registry: the same compatibility, stores and kind of socket. */
export async function startBare(root: string, data: string): Promise<Bare> {
  mkdirSync(data, { recursive: true });
  const options = convertV4MiniflareOptions({
    name: NAME,
    compatibilityDate: readBuiltOptions(root).compatibilityDate,
    rootPath: root,
    modules: [{ type: "ESModule", path: join(import.meta.dirname, "bare-worker.js") }],
    modulesRoot: import.meta.dirname,
    r2Buckets: ["BLOBS"],
    d1Databases: ["DB"],
    resourcePersistencePath: data,
    unsafeRuntimeEnv: markFor(data),
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    host: "127.0.0.1",
    port: 0,
    cf: false,
    logRequests: false,
    log: new Log(LogLevel.ERROR),
  });
  const miniflare = new Miniflare(options);
  await miniflare.ready;
  const pid = workerProcessOn(data);
  const { origin } = await miniflare.unsafeGetDirectURL(NAME);
  return { url: origin, pid, stop: () => miniflare.dispose() };
}

/** Where the bare Worker gives an object. */
export function bareObject({ url }: Bare, key: string): string {
  return `${url}/object?key=${key}`;
}

/**
 * Sends the parts of an image and makes them one object, cut as the registry cuts them.
 * @returns how long the parts took, in seconds
 */
export async function sendBareParts(bare: Bare, key: string, image: BenchImage, partBytes: number): Promise<number> {
  const { uploadId } = JSON.parse(await ask(`${bare.url}/upload?key=${key}`, { method: "POST" })) as {
    uploadId: string;
  };
  const upload = `key=${key}&uploadId=${encodeURIComponent(uploadId)}`;
  const parts: { partNumber: number; etag: string }[] = [];
  const began = performance.now();
  for (let partNumber = 1; (partNumber - 1) * partBytes < image.sizeBytes; partNumber++) {
    const url = `${bare.url}/upload?${upload}&part=${partNumber}`;
    parts.push({ partNumber, etag: await putPart(url, image, partNumber, partBytes) });
  }
  const seconds = (performance.now() - began) / 1000;
  await ask(`${bare.url}/complete?${upload}`, { method: "POST", body: JSON.stringify(parts) });
  return seconds;
}
