import { request } from "node:http";
import { registerOverHttp } from "./http-client.ts";

export interface DonePart {
  partNumber: number;
  /** The ETag its PUT was answered with. */
  token: string;
}

/** A push in parts by plain HTTP, one step at a time; with curl one would do the same. */
export interface HttpPush {
  image: { imageId: string; containerId: string; hash: string };
  parts: number;
  /** The bytes of a part, from 1 on. */
  bytesOf: (partNumber: number) => Uint8Array<ArrayBuffer>;
  /** Where a part goes. */
  urlOf: (partNumber: number) => Promise<string>;
  putAll: () => Promise<DonePart[]>;
  complete: (parts: DonePart[]) => Promise<Response>;
  setTag: (tag: string) => Promise<Response>;
}

/** Registers an image, and starts sending it. */
export async function startPush(
  url: string,
  token: string,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<HttpPush> {
  const image = await registerOverHttp(url, token, path, bytes);
  const ask = async (method: string, route: string, body: object) => {
    const headers = { Authorization: `Bearer ${token}` };
    return await fetch(`${url}${route}`, { method, headers, body: JSON.stringify(body) });
  };
  const step = async (method: string, name: string, body: object) =>
    await ask(method, `/v2/imagefile/${image.imageId}/${name}`, body);
  const started = await step("POST", "_multipart", { filesize: bytes.length });
  const { uploadID, totalParts, partSize } = ((await started.json()) as { data: Started }).data;
  const urlOf = async (partNumber: number) => {
    const signed = await step("PUT", "_multipart", { uploadID, partNumber, partSize, sha256sum: "" });
    return ((await signed.json()) as { data: { presignedURL: string } }).data.presignedURL;
  };
  const bytesOf = (partNumber: number) => bytes.slice((partNumber - 1) * partSize, partNumber * partSize);
  const put = async (partNumber: number): Promise<DonePart> => {
    const { status, token } = await putPart(await urlOf(partNumber), bytesOf(partNumber));
    if (status !== 200) throw new Error(`Part ${partNumber} was answered with ${status}.`);
    return { partNumber, token };
  };
  return {
    image,
    parts: totalParts,
    bytesOf,
    urlOf,
    putAll: async () => await Promise.all(Array.from({ length: totalParts }, (_, index) => put(index + 1))),
    complete: async (completedParts) => await step("PUT", "_multipart_complete", { uploadID, completedParts }),
    setTag: async (tag) =>
      await ask("POST", `/v2/tags/${image.containerId}`, { Arch: "amd64", Tag: tag, ImageID: image.imageId }),
  };
}

interface Started {
  uploadID: string;
  totalParts: number;
  partSize: number;
}

/**
 * One PUT. Its body waits until it is asked for, because a server that refuses without reading it also closes
 * the connection, and whoever is sending then may never see why.
 */
export async function putPart(url: string, body: Uint8Array): Promise<{ status: number; token: string }> {
  return await new Promise((done, broken) => {
    const headers = { "Content-Length": body.length, Expect: "100-continue" };
    const sent = request(url, { method: "PUT", headers, agent: false });
    sent.on("continue", () => sent.end(body));
    sent.on("response", (response) => {
      response.resume();
      done({ status: response.statusCode ?? 0, token: response.headers.etag ?? "" });
      // Where the body was never asked for.
      if (!sent.writableEnded) sent.destroy();
    });
    sent.on("error", broken);
    sent.flushHeaders();
  });
}
