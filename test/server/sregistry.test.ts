import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { peakMemoryMib } from "../../scripts/bench/machine.ts";
import { runtimesOn } from "../../scripts/server/runtimes.ts";
import { limits } from "../../worker/registry/limits.ts";
import { makeSif } from "../support/make-sif.ts";
import { openSocket, type RawAnswer, rawHead, sendRaw } from "../support/raw-http.ts";
import { BOUNDARY, formBody, formParts, formType, namesOf, type Signer, signed } from "../support/sregistry-client.ts";
import { findingsOf, startTestServer, type TestServer } from "../support/test-server.ts";

/*
 * The requests of sregistry-cli 0.2.39 as they were recorded (python-requests 2.34.2), over a bare socket: every
 * header in its order, the colon in the file's name, and what comes of a body that nobody wants.
 */

const MIB = 1024 ** 2;
let server: TestServer;
let alice: Signer;

beforeAll(async () => {
  server = await startTestServer();
  await server.admin("add-user", { username: "alice" });
  const { key } = (await server.admin("add-key", { username: "alice" })) as { key: string };
  alice = { username: "alice", key };
});

afterAll(async () => await server?.stop());

const head = (line: string, ...own: string[]) => [
  `${line} HTTP/1.1`,
  `Host: ${new URL(server.url).host}`,
  "User-Agent: python-requests/2.34.2",
  "Accept-Encoding: gzip, deflate",
  "Accept: */*",
  "Connection: keep-alive",
  ...own,
];

async function askToPush(name: string): Promise<string> {
  const names = namesOf(name);
  const body = `{"collection": "${names.collection}", "name": "${names.container}", "tag": "${names.tag}"}`;
  const own = [`Authorization: ${signed("push", alice, names)}`, `Content-Length: ${body.length}`];
  const lines = head("POST /api/upload/chunked_upload", ...own, "Content-Type: application/json");
  const answer = await sendRaw(server.url, lines, [Buffer.from(body)]);
  expect([answer.status, answer.body]).toEqual([200, expect.stringMatching(/^\{"cid":"[^"]+"\}$/)]);
  return (JSON.parse(answer.body) as { cid: string }).cid;
}

function uploadHead(authorization: string, length: number): string[] {
  const own = [`Content-Type: ${formType()}`, `Authorization: ${authorization}`, `Content-Length: ${length}`];
  return head("POST /upload", ...own);
}

/** What a form has before its file's bytes, and behind them. */
function aroundFile(authorization: string, cid: string, name: string): [Uint8Array, Uint8Array] {
  const whole = formBody(formParts(authorization, cid, namesOf(name), new Uint8Array()));
  const end = `\r\n--${BOUNDARY}--\r\n`.length;
  return [whole.slice(0, -end), whole.slice(-end)];
}

/** An image of any size, a megabyte at a time; every megabyte names its own place. */
function* largeImage(sizeBytes: number): Generator<Buffer> {
  const header = makeSif({ salt: `large ${sizeBytes}` });
  for (let start = 0; start < sizeBytes; start += MIB) {
    const chunk = Buffer.alloc(Math.min(MIB, sizeBytes - start), start / MIB);
    chunk.writeDoubleLE(start);
    if (start === 0) chunk.set(header);
    yield chunk;
  }
}

async function sendLarge(name: string, sizeBytes: number): Promise<{ answer: RawAnswer; sha256: string }> {
  const cid = await askToPush(name);
  const authorization = signed("upload", alice, namesOf(name));
  const [before, after] = aroundFile(authorization, cid, name);
  const hash = createHash("sha256");
  function* body() {
    yield before;
    for (const chunk of largeImage(sizeBytes)) {
      hash.update(chunk);
      yield chunk;
    }
    yield after;
  }
  const length = before.length + sizeBytes + after.length;
  const answer = await sendRaw(server.url, uploadHead(authorization, length), body());
  return { answer, sha256: hash.digest("hex") };
}

async function openUploads(): Promise<number> {
  const database = await server.miniflare.getD1Database("DB");
  return (await database.prepare("SELECT count(*) AS n FROM uploads WHERE state = 'open'").first<number>("n")) ?? -1;
}

describe("the recorded requests of sregistry-cli", () => {
  it("push, pull and delete an image", async () => {
    const [name, bytes] = ["demo/tool:1.0", makeSif({ salt: "recorded" })];
    const cid = await askToPush(name);
    const authorization = signed("upload", alice, namesOf(name));
    const form = formBody(formParts(authorization, cid, namesOf(name), bytes));
    const sent = await sendRaw(server.url, uploadHead(authorization, form.length), [form]);
    expect([sent.status, sent.body]).toEqual([200, '{"message":"Upload Complete"}']);

    const typed = "Content-Type: application/json";
    const manifest = await sendRaw(server.url, head(`GET /api/container/${name}`, typed));
    expect(manifest.status).toBe(200);
    const { image, collection, tag } = JSON.parse(manifest.body) as Record<string, string>;
    expect([collection, tag]).toEqual(["demo", "1.0"]);
    const path = (image ?? "").slice(server.url.length);
    const length = new RegExp(`^content-length: ${bytes.length}$`, "im");
    const headed = await fetch(image ?? "", { method: "HEAD", redirect: "manual" });
    expect([headed.status, headed.headers.get("content-length")]).toEqual([200, String(bytes.length)]);
    const pulled = await sendRaw(server.url, head(`GET ${path}`, typed));
    expect([pulled.status, pulled.headers]).toEqual([200, expect.stringMatching(length)]);
    expect(Buffer.from(pulled.body, "latin1").equals(bytes)).toBe(true);

    const own = [typed, `Authorization: ${signed("delete", alice, namesOf(name))}`, "Content-Length: 0"];
    const deleted = await sendRaw(server.url, head(`DELETE /api/container/${name}`, ...own));
    expect([deleted.status, deleted.body]).toEqual([204, ""]);
  });

  it("find that no door for completing uploads is open, whatever path they name (W-02, W-03)", async () => {
    const body = "file1.path=/etc/hostname&file1.name=x&collection=1&name=x&tag=x&SREGISTRY_EVENT=x";
    const own = ["Content-Type: application/x-www-form-urlencoded", `Content-Length: ${body.length}`];
    const answer = await sendRaw(server.url, head("POST /api/uploads/complete/", ...own), [Buffer.from(body)]);
    expect(answer.status).toBe(404);
  });
});

describe("a form that is refused", () => {
  const wrong = { username: "alice", key: "not-her-key" };

  it.each([1, 4, 12])(
    "with %i MiB still to come is answered with the reason, and not with a broken connection",
    async (mib) => {
      const authorization = signed("upload", wrong, namesOf("demo/tool:1"));
      const [before, after] = aroundFile(authorization, "demo", "demo/tool:1");
      const length = before.length + mib * MIB + after.length;
      const answer = await sendRaw(server.url, uploadHead(authorization, length), [
        before,
        ...largeImage(mib * MIB),
        after,
      ]);
      expect([answer.status, answer.body]).toEqual([401, expect.stringContaining("The signature is not valid")]);
    },
  );

  it("with more to come than anybody would read is answered at once", async () => {
    const authorization = signed("upload", wrong, namesOf("demo/tool:1"));
    const [before] = aroundFile(authorization, "demo", "demo/tool:1");
    const answer = await sendRaw(server.url, uploadHead(authorization, 40 * 1024 * MIB), [before, ...largeImage(MIB)]);
    expect(answer.status).toBe(401);
  });

  it("without its length is told so", async () => {
    const own = [`Content-Type: ${formType()}`, `Authorization: ${signed("upload", alice, namesOf("a/b:1"))}`];
    const lines = head("POST /upload", ...own, "Transfer-Encoding: chunked");
    const answer = await sendRaw(server.url, lines, [Buffer.from("5\r\nabcde\r\n0\r\n\r\n")]);
    expect(answer.status).toBe(411);
  });
});

describe("a connection that is cut in the middle of a form", () => {
  it.each([100, 3 * limits.formPartBytes])(
    "after %i bytes of the file leaves nothing but what upkeep frees",
    async (bytes) => {
      const name = `cut/tool:${bytes}`;
      const cid = await askToPush(name);
      const authorization = signed("upload", alice, namesOf(name));
      const [before] = aroundFile(authorization, cid, name);
      const socket = await openSocket(server.url);
      socket.on("error", () => undefined);
      socket.write(rawHead(uploadHead(authorization, 10 * limits.formPartBytes)));
      socket.write(before);
      const file = Buffer.concat([...largeImage(Math.max(bytes, MIB))]).subarray(0, bytes);
      await new Promise((done) => socket.write(file, done));
      // In parts there is a row by then; a short one had none yet.
      await expect.poll(openUploads, { timeout: 20_000 }).toBe(bytes > limits.formPartBytes ? 1 : 0);
      socket.destroy();
      await expect.poll(openUploads, { timeout: 20_000 }).toBe(0);
      const manifest = await fetch(`${server.url}/api/container/${name}`);
      expect(manifest.status).toBe(404);
    },
  );
});

/** Far more than would be seen in memory; `LARGE_FORM_MIB=2048` tries what takes a minute. */
const LARGE_MIB = Number(process.env.LARGE_FORM_MIB) || 768;

describe("a large image", () => {
  it("takes no more memory than one of 128 MiB", { timeout: 400_000 }, async () => {
    const pid = runtimesOn(server.data)[0]?.pid ?? 0;
    const small = await sendLarge("large/tool:small", 128 * MIB);
    expect([small.answer.status, small.answer.body]).toEqual([200, '{"message":"Upload Complete"}']);
    const before = peakMemoryMib(pid);
    const { answer, sha256 } = await sendLarge("large/tool:large", LARGE_MIB * MIB);
    expect(answer.status).toBe(200);
    const after = peakMemoryMib(pid);
    const manifest = (await (await fetch(`${server.url}/api/container/large/tool:large`)).json()) as {
      version: string;
    };
    expect(manifest.version).toBe(`sha256.${sha256}`);
    if (before !== null && after !== null) {
      const peaks = [before, after].map((peak) => `${peak.toFixed(0)} MiB`);
      console.info(`peak of workerd: ${peaks[0]} after 128 MiB, ${peaks[1]} after ${LARGE_MIB} MiB`);
      // What is in it beside the Worker, as the bucket's simulator, is given some room.
      expect(after - before).toBeLessThan(256);
    }
  });

  it("leaves the database and the bucket as they should be", async () => {
    const findings = await findingsOf(server.admin);
    const harmless = ["job-failing", "blob-unreferenced"];
    expect(findings.filter(({ kind }) => !harmless.includes(kind))).toEqual([]);
  });
});
