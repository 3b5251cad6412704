import { createHash } from "node:crypto";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";

/** What tests of a registry on a real socket need of HTTP beyond `fetch`, and a push without a client. */

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** One request that says any Host it likes, which `fetch` does not let anyone do. */
export async function askAs(host: string, url: string, method = "GET", signal?: AbortSignal): Promise<Answer> {
  return await new Promise((done, broken) => {
    const options = { method, headers: { Host: host }, agent: false, ...(signal === undefined ? {} : { signal }) };
    const sent = request(url, options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => done({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.on("error", broken);
    sent.end();
  });
}

export interface HalfSent {
  /** Sends what is missing, and waits for the status of the answer. */
  finish: () => Promise<string>;
}

/** A call of the administrators' interface that has arrived, but not to its end. */
export async function halfSend(url: string, adminSecret: string): Promise<HalfSent> {
  const { hostname, port, host } = new URL(url);
  const body = JSON.stringify({ verb: "list-users", args: {} });
  const head = [
    "POST /admin/rpc HTTP/1.1",
    `Host: ${host}`,
    `Authorization: Bearer ${adminSecret}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    "Expect: 100-continue",
    "Connection: close",
  ];
  const socket = connect(Number(port), hostname).setEncoding("utf8");
  const said: string[] = [];
  const closed = new Promise<void>((done) => socket.on("close", done).on("error", (error) => said.push(error.message)));
  socket.on("data", (text: string) => said.push(text));
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  // "100 Continue": the Worker has begun to read.
  await new Promise((done) => socket.once("data", done));
  socket.write(body.slice(0, 5));
  const finish = async () => {
    socket.write(body.slice(5));
    await closed;
    return said.slice(1).join("").split("\r\n")[0] ?? "";
  };
  return { finish };
}

/** Whether a new connection is served. The kernel takes one also for a server that only finishes its last requests. */
export async function isServing(url: string): Promise<boolean> {
  const { host } = new URL(url);
  return await askAs(host, `${url}/version`, "GET", AbortSignal.timeout(300)).then(
    () => true,
    () => false,
  );
}

/** One step of a push. @throws unless it is answered 2xx */
async function post(url: string, token: string, body: BodyInit): Promise<Response> {
  const response = await fetch(url, { method: "POST", headers: { Authorization: `Bearer ${token}` }, body });
  if (!response.ok) throw new Error(`POST ${url}: ${response.status} ${await response.text()}`);
  return response;
}

/** Registers an image, with all that it lies in, as `alice/tools/NAME` or the like. */
export async function registerOverHttp(url: string, token: string, path: string, bytes: Uint8Array) {
  const [entity, collection, container] = path.split("/");
  const create = async (route: string, thing: object) => {
    const { data } = (await (await post(`${url}${route}`, token, JSON.stringify(thing))).json()) as Created;
    return data.id;
  };
  const entityId = await create("/v1/entities", { name: entity });
  const collectionId = await create("/v1/collections", { name: collection, entity: entityId, private: false });
  const containerId = await create("/v1/containers", { name: container, collection: collectionId });
  const hash = `sha256.${createHash("sha256").update(bytes).digest("hex")}`;
  const imageId = await create("/v1/images", { hash, container: containerId, description: "" });
  return { containerId, imageId, hash };
}

interface Created {
  data: { id: string };
}

/** Pushes an image in one piece as `alice/tools/NAME:v1` or the like: with curl one would do the same. */
export async function pushOverHttp(url: string, token: string, reference: string, bytes: Uint8Array<ArrayBuffer>) {
  const [path = "", tag] = reference.split(":");
  const { containerId, imageId } = await registerOverHttp(url, token, path, bytes);
  await post(`${url}/v1/imagefile/${imageId}`, token, bytes);
  await post(`${url}/v2/tags/${containerId}`, token, JSON.stringify({ Arch: "amd64", Tag: tag, ImageID: imageId }));
}

/** The bytes that `path` names, for anybody. */
export async function pullOverHttp(url: string, path: string): Promise<Uint8Array> {
  const response = await fetch(`${url}/v1/imagefile/${path}?arch=amd64`);
  if (!response.ok) throw new Error(`pull ${path}: ${response.status}`);
  return await response.bytes();
}
