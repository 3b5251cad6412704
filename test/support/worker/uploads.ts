import { type Ask, ask, digestOf } from "./registry.ts";

/** Parts as small as R2 takes them. */
export { PART_BYTES, smallParts } from "./multipart.ts";

export interface Upload {
  id: string;
  partBytes: number;
  parts: number;
  received: number[];
  state: string;
  reason: { code: string; message: string } | null;
  expiresAt: string;
}

/** Who brings it, and against which environment. */
export type By = Pick<Ask, "token" | "env" | "headers">;

/** Begins an upload of an image into `entity/collection/container`. */
export async function begin(
  by: By,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  more: Record<string, unknown> = {},
): Promise<Response> {
  const [entity, collection, container] = path.split("/");
  const said = { entity, collection, container, digest: await digestOf(bytes), sizeBytes: bytes.length };
  return await ask("/api/v1/uploads", { ...by, method: "POST", body: { ...said, ...more } });
}

export async function begun(...args: Parameters<typeof begin>): Promise<Upload> {
  const response = await begin(...args);
  const text = await response.text();
  const { upload } = JSON.parse(text) as { upload?: Upload | null };
  if (!upload) throw new Error(`begin: ${response.status} ${text}`);
  return upload;
}

export function partOf(bytes: Uint8Array<ArrayBuffer>, { partBytes }: Upload, number: number) {
  return bytes.slice((number - 1) * partBytes, number * partBytes);
}

export async function putPart(
  by: By,
  upload: Upload,
  number: number,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Response> {
  return await ask(`/api/v1/uploads/${upload.id}/parts/${number}`, {
    ...by,
    method: "PUT",
    body: partOf(bytes, upload, number),
  });
}

export async function complete(by: By, { id }: Pick<Upload, "id">): Promise<Response> {
  return await ask(`/api/v1/uploads/${id}/completion`, { ...by, method: "POST" });
}

export async function cancel(by: By, { id }: Pick<Upload, "id">): Promise<Response> {
  return await ask(`/api/v1/uploads/${id}`, { ...by, method: "DELETE" });
}

export async function look(by: By, { id }: Pick<Upload, "id">): Promise<Response> {
  return await ask(`/api/v1/uploads/${id}`, by);
}

/** Begins, sends every part that is missing, completes: the answer of the last, or of the first that fails. */
export async function uploadAll(...args: Parameters<typeof begin>): Promise<Response> {
  const [by, , bytes] = args;
  const response = await begin(...args);
  if (response.status !== 200) return response;
  const { upload } = await response.clone().json<{ upload: Upload | null }>();
  if (upload === null) return response;
  for (let number = 1; number <= upload.parts; number++) {
    if (upload.received.includes(number)) continue;
    const put = await putPart(by, upload, number, bytes);
    if (put.status !== 204) return put;
  }
  return await complete(by, upload);
}
