import { operator } from "../../../worker/access/roles.ts";
import type { Env } from "../../../worker/env.ts";
import { addKey } from "../../../worker/registry/people/sregistry-keys.ts";
import { type FormPart, formBody, formParts, formType, namesOf, type Signer, signed } from "../sregistry-client.ts";
import { ask, environment, newPerson, type Person, testContext } from "./registry.ts";

export type SregistryUser = Person & Signer;

/** A user who holds a token and a key. */
export async function newSigner(stem: string, options: Parameters<typeof newPerson>[1] = {}): Promise<SregistryUser> {
  const person = await newPerson(stem, options);
  const { key } = await addKey(testContext(), operator, { username: person.username, kind: "any" });
  return { ...person, key };
}

export interface Sending {
  env?: Env;
  /** Replaces the header that would be signed. */
  authorization?: string | null;
  /** What the collection is called in the form; else what the question is answered with. */
  cid?: string;
  /** Changes the form's parts. */
  parts?: (parts: FormPart[]) => FormPart[];
  /** Changes the body. */
  body?: (body: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
}

/** The first request of a push. */
export async function askToPush(by: Signer, name: string, options: Sending = {}): Promise<Response> {
  const names = namesOf(name);
  const authorization = options.authorization === undefined ? signed("push", by, names) : options.authorization;
  return await ask("/api/upload/chunked_upload", {
    method: "POST",
    body: { collection: names.collection, name: names.container, tag: names.tag },
    headers: { "Content-Type": "application/json", ...(authorization !== null && { Authorization: authorization }) },
    env: options.env ?? environment(),
  });
}

export async function cidOf(answer: Response): Promise<string> {
  if (answer.status !== 200) throw new Error(`chunked_upload: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { cid: string }).cid;
}

/** The second. */
export async function sendForm(by: Signer, name: string, bytes: Uint8Array, options: Sending = {}): Promise<Response> {
  const names = namesOf(name);
  const authorization = options.authorization === undefined ? signed("upload", by, names) : options.authorization;
  const parts = formParts(authorization ?? "", options.cid ?? names.collection, names, bytes);
  const body = formBody(options.parts?.(parts) ?? parts);
  return await ask("/upload", {
    method: "POST",
    body: options.body?.(body) ?? body,
    headers: {
      "Content-Type": formType(),
      ...(authorization !== null && { Authorization: authorization }),
      ...options.headers,
    },
    env: options.env ?? environment(),
  });
}

/** A whole push, as `sregistry push` does it. */
export async function sregistryPush(
  by: Signer,
  name: string,
  bytes: Uint8Array,
  options: Sending = {},
): Promise<Response> {
  const cid = await cidOf(await askToPush(by, name, options));
  return await sendForm(by, name, bytes, { cid, ...options });
}

export interface Manifest {
  id: string;
  name: string;
  image: string;
  tag: string;
  version: string;
  commit: string;
  collection: string;
  frozen: boolean;
  metadata: Record<string, unknown>;
}

/** The bytes of a pull, signed where somebody pulls, or the status it was refused with. */
export async function sregistryPull(name: string, by: Signer | null = null): Promise<Uint8Array | number> {
  const headers = by === null ? {} : { Authorization: signed("pull", by, namesOf(name)) };
  const answer = await ask(`/api/container/${name}`, { headers });
  if (answer.status !== 200) return answer.status;
  const { image } = (await answer.json()) as Manifest;
  const response = await ask(image);
  return response.status === 200 ? new Uint8Array(await response.arrayBuffer()) : response.status;
}

export async function sregistryDelete(name: string, by: Signer, at?: number): Promise<Response> {
  const headers = { Authorization: signed("delete", by, namesOf(name), at), "Content-Type": "application/json" };
  return await ask(`/api/container/${name}`, { method: "DELETE", headers });
}
