import { createHash } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { askAs } from "../support/http-client.ts";
import { makeSif } from "../support/make-sif.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

/* What only a real socket shows of uploads and downloads. */

let server: TestServer;
let token: string;

beforeAll(async () => {
  server = await startTestServer();
  ({ token } = await server.addUser("alice"));
});

afterAll(async () => {
  await server?.stop();
});

async function call(
  method: string,
  path: string,
  body: Record<string, unknown>,
): Promise<{ id: string; uploadURL: string }> {
  const headers = { Authorization: `Bearer ${token}` };
  const response = await fetch(`${server.url}${path}`, { method, headers, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === ""
    ? { id: "", uploadURL: "" }
    : (JSON.parse(text) as { data: { id: string; uploadURL: string } }).data;
}

/** A registered image, and where its bytes go. */
async function readyToUpload(name: string, bytes: Uint8Array) {
  const digest = createHash("sha256").update(bytes).digest("hex");
  const { id: entity } = await call("POST", "/v1/entities", { name: "alice" });
  const { id: collection } = await call("POST", "/v1/collections", { name: "transfers", entity });
  const { id: container } = await call("POST", "/v1/containers", { name, collection });
  const { id } = await call("POST", "/v1/images", { hash: `sha256.${digest}`, container });
  const { uploadURL } = await call("POST", `/v2/imagefile/${id}`, { filesize: bytes.length, sha256sum: digest });
  return { id, uploadURL, reference: `alice/transfers/${name}:sha256.${digest}` };
}

/** Sends the head of a PUT and some of its body, then hangs up. */
async function hangUp(url: string, bytes: Uint8Array, sent: number): Promise<void> {
  const { hostname, port, host, pathname, search } = new URL(url);
  const socket = connect(Number(port), hostname);
  const head = `PUT ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  await new Promise<void>((done) =>
    socket.write(Buffer.concat([Buffer.from(head), bytes.subarray(0, sent)]), () => done()),
  );
  socket.destroy();
}

it("an upload that breaks off leaves nothing behind, and its URL takes the whole afterwards", async () => {
  const bytes = makeSif({ salt: "broken off", sizeBytes: 5_000_000 });
  const { id, uploadURL, reference } = await readyToUpload("broken", bytes);
  await hangUp(uploadURL, bytes, 3_000_000);
  const headers = { Authorization: `Bearer ${token}` };
  const complete = { method: "PUT", headers, body: "{}" };
  expect((await fetch(`${server.url}/v2/imagefile/${id}/_complete`, complete)).status).toBe(409);
  const put = await vi.waitFor(async () => {
    const response = await fetch(uploadURL, { method: "PUT", body: Buffer.from(bytes) });
    expect(response.status).toBe(200);
    return response;
  });
  expect(put.status).toBe(200);
  expect((await fetch(`${server.url}/v2/imagefile/${id}/_complete`, complete)).status).toBe(200);
  const { objects } = (await server.admin("check-integrity")) as { objects: number };
  expect(objects).toBe(1);
  const pulled = await fetch(`${server.url}/v1/imagefile/${reference}`);
  expect(Buffer.compare(Buffer.from(await pulled.arrayBuffer()), bytes)).toBe(0);
});

it("HEAD says how long an image is, and a compressing client gets it as it is", async () => {
  const bytes = makeSif({ salt: "head" });
  const { id, uploadURL, reference } = await readyToUpload("head", bytes);
  await fetch(uploadURL, { method: "PUT", body: Buffer.from(bytes) });
  await call("PUT", `/v2/imagefile/${id}/_complete`, {});
  const redirect = await fetch(`${server.url}/v1/imagefile/${reference}`, { redirect: "manual" });
  const url = redirect.headers.get("location") ?? "";
  const { status, headers } = await askAs(new URL(url).host, url, "HEAD");
  expect([status, headers["content-length"]]).toEqual([200, String(bytes.length)]);
  const { headers: plain } = await fetch(url, { headers: { "Accept-Encoding": "gzip, br" } });
  expect([plain.get("content-encoding"), plain.get("content-length")]).toEqual([null, String(bytes.length)]);
});
