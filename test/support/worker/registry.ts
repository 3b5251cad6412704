import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { operator, type Scope } from "../../../worker/access/roles.ts";
import { app } from "../../../worker/app.ts";
import type { Context } from "../../../worker/context.ts";
import { createContext } from "../../../worker/create-context.ts";
import { type Env, settingsOf } from "../../../worker/env.ts";
import { digestHex, hexOf } from "../../../worker/registry/digest.ts";
import { addToken } from "../../../worker/registry/people/tokens.ts";
import { addUser, setSiteRole } from "../../../worker/registry/people/users.ts";
import { INDEX_SEARCH } from "../../../worker/registry/search/search-soon.ts";

export const ORIGIN = "http://127.0.0.1:8787";

/** The environment of the Worker, with settings changed for one test. */
export function environment(settings: Record<string, string> = {}): Env {
  return { ...env, ...settings };
}

export interface Ask {
  method?: string;
  token?: string | null;
  /** An object is sent as JSON, as the clients do: without a Content-Type. */
  body?: BodyInit | Record<string, unknown> | null;
  headers?: Record<string, string>;
  env?: Env;
}

/** One request to the whole Worker. Waits for what it leaves for later. */
export async function ask(path: string, options: Ask = {}): Promise<Response> {
  const headers = new Headers(options.headers);
  if (options.token) headers.set("Authorization", `Bearer ${options.token}`);
  const body = isPlainObject(options.body) ? JSON.stringify(options.body) : (options.body ?? null);
  const length = typeof body === "string" ? new TextEncoder().encode(body).length : byteLength(body);
  if (length !== null && !headers.has("Content-Length")) headers.set("Content-Length", String(length));
  const url = path.startsWith("http") ? path : `${ORIGIN}${path}`;
  const request = new Request(url, { method: options.method ?? "GET", headers, body, redirect: "manual" });
  const execution = createExecutionContext();
  const response = await app.fetch(request, options.env ?? environment(), execution);
  await waitOnExecutionContext(execution);
  return response;
}

export async function askJson<T = Record<string, unknown>>(path: string, options: Ask = {}): Promise<T> {
  const response = await ask(path, options);
  const text = await response.text();
  if (!response.ok) throw new Error(`${options.method ?? "GET"} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

/** A context as a request has it, for calling registry functions. */
export function testContext(of: Env = environment()): Context {
  const parsed = settingsOf(of);
  if (!parsed.ok) throw new Error(parsed.problems.join("; "));
  return createContext(of, parsed.settings, new Request(ORIGIN), createExecutionContext());
}

/** Waits until the search index knows all that was written. Its Durable Object is the only one that writes it. */
export async function indexed(): Promise<void> {
  const ctx = testContext();
  do await ctx.jobs.run(INDEX_SEARCH, 10_000);
  while ((await env.DB.prepare("SELECT 1 FROM search_outbox LIMIT 1").all()).results.length > 0);
}

let serial = 0;

/** A name nobody has yet, so that tests of one file do not meet. */
export function uniqueName(stem: string): string {
  serial++;
  return `${stem}-${serial}`;
}

export interface Person {
  username: string;
  token: string;
}

/** A user with a token, made as an operator makes them. */
export async function newPerson(
  stem: string,
  options: { role?: "admin" | "superuser"; scopes?: Scope[]; expiresInDays?: number } = {},
): Promise<Person> {
  const ctx = testContext();
  const { username } = await addUser(ctx, operator, uniqueName(stem));
  if (options.role !== undefined) await setSiteRole(ctx, operator, username, options.role, true);
  return { username, token: await newTokenFor(username, options) };
}

export async function newTokenFor(
  username: string,
  options: { scopes?: Scope[]; collection?: { entity: string; name: string } } = {},
): Promise<string> {
  const whose = { username, kind: "any" } as const;
  const { secret } = await addToken(testContext(), operator, whose, {
    name: "test",
    scopes: options.scopes ?? ["pull", "push", "manage"],
    collection: options.collection ?? null,
    expiresInDays: null,
  });
  return secret;
}

export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<`sha256.${string}`> {
  return `sha256.${hexOf(await crypto.subtle.digest("SHA-256", bytes))}`;
}

export interface Pushed {
  containerId: string;
  collectionId: string;
  imageId: string;
  digest: `sha256.${string}`;
}

type Thing = { data: { id: string; uploaded?: boolean } };

/** Creates what a push needs up to the registered image, in the order of `apptainer push`. */
export async function register(
  token: string,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  of: { private?: boolean; env?: Env } = {},
): Promise<Pushed & { uploaded: boolean }> {
  const [entity = "", collection = "", container = ""] = path.split("/");
  const common = { token, ...(of.env === undefined ? {} : { env: of.env }) };
  const getOrCreate = async (url: string, create: string, body: Record<string, unknown>): Promise<Thing["data"]> => {
    const found = await ask(url, common);
    if (found.status === 200) return ((await found.json()) as Thing).data;
    return (await askJson<Thing>(create, { ...common, method: "POST", body })).data;
  };
  const { id: entityId } = await getOrCreate(`/v1/entities/${entity}`, "/v1/entities", { name: entity });
  const newCollection = {
    name: collection,
    entity: entityId,
    description: "No description",
    private: of.private ?? false,
  };
  const { id: collectionId } = await getOrCreate(
    `/v1/collections/${entity}/${collection}`,
    "/v1/collections",
    newCollection,
  );
  const newContainer = { name: container, collection: collectionId, description: "No description" };
  const { id: containerId } = await getOrCreate(`/v1/containers/${path}`, "/v1/containers", newContainer);
  const digest = await digestOf(bytes);
  const newImage = { hash: digest, container: containerId, description: "" };
  const image = await getOrCreate(`/v1/images/${path}:${digest}?arch=amd64`, "/v1/images", newImage);
  return { containerId, collectionId, imageId: image.id, digest, uploaded: image.uploaded === true };
}

/** Asks where the bytes go. */
export async function startUpload(token: string, pushed: Pushed, bytes: Uint8Array, of?: Env): Promise<string> {
  const body = { filesize: bytes.length, md5sum: "", sha256sum: digestHex(pushed.digest) };
  const started = await askJson<{ data: { uploadURL: string } }>(`/v2/imagefile/${pushed.imageId}`, {
    method: "POST",
    token,
    body,
    ...(of === undefined ? {} : { env: of }),
  });
  return started.data.uploadURL;
}

/** A whole push, as `apptainer push` does it. */
export async function push(
  token: string,
  reference: string,
  bytes: Uint8Array<ArrayBuffer>,
  of: { private?: boolean; arch?: string; env?: Env } = {},
): Promise<Pushed> {
  const [path = "", tags = "latest"] = reference.split(":");
  const pushed = await register(token, path, bytes, of);
  if (!pushed.uploaded) {
    const put = await ask(await startUpload(token, pushed, bytes), { method: "PUT", body: bytes });
    if (put.status !== 200) throw new Error(`PUT: ${put.status} ${put.headers.get("Sregistry-Error")}`);
    await completed(token, pushed.imageId, of.env);
  }
  for (const tag of tags.split(",")) {
    const body = { Arch: of.arch ?? "amd64", Tag: tag, ImageID: pushed.imageId };
    const set = await ask(`/v2/tags/${pushed.containerId}`, { method: "POST", token, body });
    if (set.status !== 200) throw new Error(`tag: ${set.status} ${await set.text()}`);
  }
  return pushed;
}

async function completed(token: string, imageId: string, of: Env = environment()): Promise<void> {
  const response = await ask(`/v2/imagefile/${imageId}/_complete`, { method: "PUT", token, body: {}, env: of });
  if (response.status !== 200) throw new Error(`_complete: ${response.status} ${await response.text()}`);
}

/** The bytes a pull gets, or the status it was refused with. */
export async function pull(reference: string, token: string | null = null): Promise<Uint8Array | number> {
  const redirect = await ask(`/v1/imagefile/${reference}?arch=amd64`, { token });
  if (redirect.status !== 303) return redirect.status;
  const response = await ask(redirect.headers.get("Location") ?? "");
  return response.status === 200 ? new Uint8Array(await response.arrayBuffer()) : response.status;
}

/** What the log of objects in the bucket holds. */
export async function storedKeys(): Promise<string[]> {
  const { objects } = await env.BLOBS.list();
  return objects.map((object) => object.key);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function byteLength(body: BodyInit | null): number | null {
  return body instanceof Uint8Array || body instanceof ArrayBuffer ? body.byteLength : null;
}
