import { setTimeout as sleep } from "node:timers/promises";
import { ask, askFully } from "./client.ts";
import type { BenchImage } from "./image.ts";
import type { Registry } from "./registry.ts";

/** Creates what an image needs and registers it, as `apptainer push` does before it sends a byte. */
export async function register(registry: Registry, image: BenchImage) {
  const { username } = registry;
  const { id: entity } = await call(registry, "GET", `/v1/entities/${username}`);
  const collection = await getOrCreate(registry, "collections", `${username}/bench`, { name: "bench", entity });
  const container = { name: "image", collection };
  const containerId = await getOrCreate(registry, "containers", pathOf(registry), container);
  const { id: imageId } = await call(registry, "POST", "/v1/images", { hash: image.digest, container: containerId });
  return { containerId: String(containerId), imageId: String(imageId) };
}

/** Puts a tag on an image. */
export async function setTag(registry: Registry, containerId: string, imageId: string, tag: string): Promise<void> {
  const body = JSON.stringify({ Arch: "amd64", Tag: tag, ImageID: imageId });
  const headers = { Authorization: `Bearer ${registry.token}` };
  await ask(`${registry.url}/v2/tags/${containerId}`, { method: "POST", headers, body });
}

export interface PushTimes {
  /** Start, every part signed and sent, complete, and published: what whoever pushes waits for. */
  whole: number;
  /** Of that, until the last part was taken: without making one object of them, and without verification. */
  parts: number;
}

/**
 * Sends a registered image in parts, one after another as the clients do, until it can be pulled.
 * @returns how long that took, in seconds
 */
export async function sendInParts(registry: Registry, imageId: string, image: BenchImage): Promise<PushTimes> {
  const began = performance.now();
  const since = () => (performance.now() - began) / 1000;
  const path = `/v2/imagefile/${imageId}/_multipart`;
  const { uploadID, totalParts, partSize } = await call(registry, "POST", path, { filesize: image.sizeBytes });
  const completedParts: { partNumber: number; token: string }[] = [];
  for (let partNumber = 1; partNumber <= Number(totalParts); partNumber++) {
    const { presignedURL } = await call(registry, "PUT", path, { uploadID, partNumber, partSize, sha256sum: "" });
    const token = await putPart(String(presignedURL), image, partNumber, Number(partSize));
    completedParts.push({ partNumber, token });
  }
  const parts = since();
  await call(registry, "PUT", `${path}_complete`, { uploadID, completedParts });
  // It answers after a while even where verifying takes longer.
  while ((await askForDownload(registry, image)) === null) await sleep(50);
  return { whole: since(), parts };
}

/** Sends a registered image in one piece, as clients below 3.4 do, whatever its size. */
export async function sendWhole({ url, token }: Registry, imageId: string, image: BenchImage): Promise<void> {
  const headers = { Authorization: `Bearer ${token}`, "Content-Length": image.sizeBytes };
  const body = image.chunks(0, image.sizeBytes);
  await ask(`${url}/v1/imagefile/${imageId}`, { method: "POST", headers, body });
}

/** PUTs one part. @returns its ETag as it was answered */
export async function putPart(url: string, image: BenchImage, partNumber: number, partBytes: number): Promise<string> {
  const offset = (partNumber - 1) * partBytes;
  const length = Math.min(partBytes, image.sizeBytes - offset);
  const sent = { method: "PUT", headers: { "Content-Length": length }, body: image.chunks(offset, length) };
  return String((await askFully(url, sent)).headers.etag);
}

/** Where a published image is read; null while it is being verified. */
export async function askForDownload(registry: Registry, image: BenchImage): Promise<string | null> {
  const url = `${registry.url}/v1/imagefile/${pathOf(registry)}:${image.digest}?arch=amd64`;
  return (await askFully(url, {}, [303, 503])).headers.location ?? null;
}

/** The container that every image of a benchmark is in. */
export function pathOf({ username }: Registry): string {
  return `${username}/bench/image`;
}

async function getOrCreate(registry: Registry, kind: string, path: string, body: Record<string, unknown>) {
  const found = await call(registry, "GET", `/v1/${kind}/${path}`, undefined, [200, 404]);
  return found.id ?? (await call(registry, "POST", `/v1/${kind}`, body)).id;
}

/** One call of the library protocol. @returns what its answer holds; nothing for an error that was expected */
async function call(
  { url, token }: Registry,
  method: string,
  path: string,
  body?: Record<string, unknown>,
  expected?: readonly number[],
): Promise<Record<string, unknown>> {
  const headers = { Authorization: `Bearer ${token}` };
  const sent = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
  const answer = JSON.parse(await ask(`${url}${path}`, sent, expected)) as { data?: Record<string, unknown> };
  return answer.data ?? {};
}
