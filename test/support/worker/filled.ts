import { env } from "cloudflare:workers";
import { makeSif } from "../make-sif.ts";
import { askJson, digestOf, type Person, push, uniqueName } from "./registry.ts";
import { newSession } from "./session.ts";
import { begun, type Upload } from "./uploads.ts";

/*
 * Whatever can stand in a collection, and go with it.
 */

export interface Place {
  entity: string;
  collection: string;
  /** `entity/collection` */
  path: string;
  /** The digest of `app:v1`. */
  digest: string;
}

/** A collection with two images in `app`, three tags, a share that works and two that do not, a publisher, and an upload. */
export async function filled(owner: Person, entity = owner.username): Promise<Place> {
  const collection = uniqueName("filled");
  const path = `${entity}/${collection}`;
  const { digest } = await push(owner.token, `${path}/app:v1,latest`, imageOf(path, 1), { private: true });
  await push(owner.token, `${path}/app:v2`, imageOf(path, 2), { private: true });
  const place = { entity, collection, path, digest };
  await addShare(owner, place);
  for (const end of ["expires_at = 1", "max_downloads = 1, downloads = 1"]) {
    const { id } = await addShare(owner, place);
    await env.DB.prepare(`UPDATE shares SET ${end} WHERE id = ?`).bind(id).run();
  }
  await addPublisher(owner, place);
  await addUpload(owner, place);
  return place;
}

/** Bytes of an image that are as many as those of every other. */
export function imageOf(path: string, number: number): Uint8Array<ArrayBuffer> {
  return makeSif({ salt: `${path} ${number}`.slice(0, 60) });
}

export async function addShare(by: Person, { path, digest }: Place): Promise<{ id: string; link: string }> {
  const made = { method: "POST", token: by.token, body: {} };
  const images = `/api/v1/containers/${path}/app/images`;
  const { share, url } = await askJson<{ share: { id: string }; url: string }>(`${images}/${digest}/shares`, made);
  return { id: share.id, link: url };
}

export async function addPublisher(by: Person, { path }: Place): Promise<void> {
  const { headers } = await newSession(by.username);
  const body = { issuer: "https://gitlab.com", repository: "lab/app", refKind: "branch", ref: uniqueName("ref") };
  await askJson(`/api/v1/collections/${path}/publishers`, { method: "POST", headers, body });
}

export async function addUpload(by: Person, { path }: Place): Promise<Upload> {
  return await begun({ token: by.token }, `${path}/app`, imageOf(uniqueName(path), 3));
}

/** Puts another image of the same size where `app:v1` was, so that no sum changes. */
export async function swapImage(by: Person, { path, digest }: Place): Promise<string> {
  const bytes = imageOf(uniqueName(path), 4);
  const was =
    "SELECT id FROM images WHERE digest = ? AND container_id IN (SELECT id FROM containers WHERE collection_id IN (SELECT id FROM collections WHERE name = ?))";
  const name = path.split("/")[1] ?? "";
  await env.DB.batch([
    env.DB.prepare(`DELETE FROM tags WHERE image_id IN (${was})`).bind(digest, name),
    env.DB.prepare(`DELETE FROM images WHERE id IN (${was})`).bind(digest, name),
  ]);
  await push(by.token, `${path}/app:v1,latest`, bytes, { private: true });
  return await digestOf(bytes);
}
