import type { Env } from "../../../worker/env.ts";
import { type Ask, ask, askJson, environment, type Pushed, register } from "./registry.ts";

/** Parts as small as R2 takes them. */
export const PART_BYTES = 5 * 1024 * 1024;

export const smallParts: Record<string, string> = { PART_BYTES: String(PART_BYTES) };

export interface Started {
  uploadID: string;
  totalParts: number;
  partSize: number;
  options: { s3compliant: string };
}

export interface DonePart {
  partNumber: number;
  token: string;
}

/** The steps of a push in parts, by one client, against one environment. */
export class MultipartClient {
  readonly token: string;
  readonly image: Pushed;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly env: Env;

  constructor(token: string, image: Pushed, bytes: Uint8Array<ArrayBuffer>, env: Env = environment(smallParts)) {
    this.token = token;
    this.image = image;
    this.bytes = bytes;
    this.env = env;
  }

  async ask(step: string, body: Record<string, unknown>, options: Ask = {}): Promise<Response> {
    const { token, env } = this;
    const path = `/v2/imagefile/${this.image.imageId}/${step}`;
    return await ask(path, { method: "PUT", token, env, body, ...options });
  }

  async start(): Promise<Started> {
    const body = { filesize: this.bytes.length };
    const { token, env } = this;
    const path = `/v2/imagefile/${this.image.imageId}/_multipart`;
    return (await askJson<{ data: Started }>(path, { method: "POST", token, env, body })).data;
  }

  /** Where a part goes. */
  async sign(uploadID: string, partNumber: number): Promise<string> {
    const body = { partSize: PART_BYTES, uploadID, partNumber, sha256sum: "" };
    const response = await this.ask("_multipart", body);
    if (response.status !== 200) throw new Error(`sign: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { data: { presignedURL: string } }).data.presignedURL;
  }

  part(partNumber: number, partSize = PART_BYTES): Uint8Array<ArrayBuffer> {
    return this.bytes.slice((partNumber - 1) * partSize, partNumber * partSize);
  }

  async put(uploadID: string, partNumber: number): Promise<DonePart> {
    const url = await this.sign(uploadID, partNumber);
    const response = await ask(url, { method: "PUT", body: this.part(partNumber), env: this.env });
    if (response.status !== 200) throw new Error(`part: ${response.status} ${response.headers.get("Sregistry-Error")}`);
    return { partNumber, token: response.headers.get("ETag") ?? "" };
  }

  async putAll({ uploadID, totalParts }: Started): Promise<DonePart[]> {
    const done: DonePart[] = [];
    for (let partNumber = 1; partNumber <= totalParts; partNumber++) done.push(await this.put(uploadID, partNumber));
    return done;
  }

  async complete(uploadID: string, completedParts: DonePart[]): Promise<Response> {
    return await this.ask("_multipart_complete", { uploadID, completedParts });
  }

  /** Start, every part, complete: the answer of the last. */
  async pushAll(): Promise<Response> {
    const started = await this.start();
    return await this.complete(started.uploadID, await this.putAll(started));
  }

  async setTag(tag: string): Promise<Response> {
    const { token, env, image } = this;
    const body = { Arch: "amd64", Tag: tag, ImageID: image.imageId };
    return await ask(`/v2/tags/${image.containerId}`, { method: "POST", token, env, body });
  }
}

/** A client that has registered an image. */
export async function multipartClient(
  token: string,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  options: { env?: Env; private?: boolean } = {},
): Promise<MultipartClient> {
  const image = await register(token, path, bytes, options.private ? { private: true } : {});
  return new MultipartClient(token, image, bytes, options.env);
}

/** The message of a library error. */
export async function messageOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: { message: string } }).error.message;
}
