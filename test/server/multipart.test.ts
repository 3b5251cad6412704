import { AwsV4Signer } from "aws4fetch";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import { openCapability, signCapability } from "../../worker/storage/capabilities.ts";
import { pullOverHttp } from "../support/http-client.ts";
import { type HttpPush, putPart, startPush } from "../support/http-multipart.ts";
import { makeSif } from "../support/make-sif.ts";
import { findingsOf, startTestServer, type TestServer } from "../support/test-server.ts";

const PART_BYTES = limits.partMinBytes;
const HOUR_MS = 3_600_000;
/** When what was signed for an hour, or for any download that is as small as these, is over. */
const longAgo = () => Date.now() - 3 * HOUR_MS;

/** What a URL of the bucket's S3 interface says, signed for an hour at another time. */
async function presignedAt(at: number, server: TestServer, url: string, sizeBytes?: number): Promise<string> {
  const keys = (await server.miniflare.getBindings()) as Record<string, string>;
  const { S3_ACCESS_KEY_ID: accessKeyId = "", S3_SECRET_ACCESS_KEY: secretAccessKey = "" } = keys;
  const plain = new URL(url);
  for (const name of [...plain.searchParams.keys()]) {
    if (name.startsWith("X-Amz-") && name !== "X-Amz-Expires") plain.searchParams.delete(name);
  }
  const signer = new AwsV4Signer({
    method: sizeBytes === undefined ? "GET" : "PUT",
    url: plain.href,
    headers: sizeBytes === undefined ? {} : { "content-length": String(sizeBytes) },
    accessKeyId,
    secretAccessKey,
    service: "s3",
    region: "auto",
    signQuery: true,
    allHeaders: true,
    datetime: new Date(at).toISOString().replace(/[:-]|\.\d{3}/g, ""),
  });
  return (await signer.sign()).url.href;
}

/** What a URL of ours says, sealed for an hour at another time. */
async function signedAt<For extends "part" | "download">(audience: For, at: number, server: TestServer, url: string) {
  const secrets = { SIGNING_SECRET: server.signingSecret, SIGNING_SECRET_PREVIOUS: null };
  const signed = new URL(url);
  const said = await openCapability(secrets, audience, signed.searchParams.get("t") ?? "", Date.now());
  signed.searchParams.set("t", await signCapability(secrets, audience, said, { since: at, expiresAt: at + HOUR_MS }));
  return signed.href;
}

/** A URL of ours in which something else stands: nobody can read what, so it is any other. */
function altered(url: string, place: number): string {
  const [head = "", key, iv, sealed = "", signature] = (new URL(url).searchParams.get("t") ?? "").split(".");
  const changed = `${sealed.slice(0, place)}${sealed[place] === "A" ? "B" : "A"}${sealed.slice(place + 1)}`;
  return `${url.split("?")[0]}?t=${[head, key, iv, changed, signature].join(".")}`;
}

/** A URL with another signature. The last 43 signs are part of it, wherever the URL leads. */
function forged(url: string): string {
  const [said, signature] = [url.slice(0, -43), url.slice(-43)];
  return `${said}${signature.startsWith("1") ? "2" : "1"}${signature.slice(1)}`;
}

interface Way {
  way: string;
  isDirect: boolean;
  /** A part's URL for another part, with the signature of the first. */
  alter: (url: string, partNumber: number) => string;
  /** A part's URL, signed at another time. */
  partAt: (at: number, server: TestServer, url: string, sizeBytes: number) => Promise<string>;
  downloadAt: (at: number, server: TestServer, url: string) => Promise<string>;
  refusals: { length: number; altered: number; expired: number; ended: number };
}

const ways: Way[] = [
  {
    way: "to URLs of the registry",
    isDirect: false,
    alter: altered,
    partAt: async (at, server, url) => await signedAt("part", at, server, url),
    downloadAt: async (at, server, url) => await signedAt("download", at, server, url),
    refusals: { length: 400, altered: 403, expired: 410, ended: 410 },
  },
  {
    way: "to URLs of the bucket's S3 interface",
    isDirect: true,
    alter: (url, partNumber) => url.replace(/partNumber=\d+/, `partNumber=${partNumber}`),
    partAt: presignedAt,
    downloadAt: presignedAt,
    refusals: { length: 403, altered: 403, expired: 403, ended: 404 },
  },
];

describe.each(ways)("a push in parts $way", ({ isDirect, alter, partAt, downloadAt, refusals }) => {
  let server: TestServer;
  let token: string;
  let image: Uint8Array<ArrayBuffer>;
  let path: string;
  let push: HttpPush;
  let pushes = 0;

  beforeAll(async () => {
    const settings = { PART_BYTES: String(PART_BYTES), ...(isDirect && { DIRECT_DOWNLOADS: "1" }) };
    server = await startTestServer(settings, { localS3: isDirect });
    ({ token } = await server.addUser("alice"));
  });

  afterAll(async () => await server?.stop());

  beforeEach(async () => {
    path = `alice/parts/image-${pushes++}`;
    image = makeSif({ salt: path, sizeBytes: 2 * PART_BYTES + 12_345 });
    // Something else in each part.
    for (let offset = 100_000; offset < image.length; offset += 1_000_003) image.fill(offset % 251, offset, offset + 9);
    push = await startPush(server.url, token, path, image);
  });

  async function expectPublished(): Promise<void> {
    expect((await push.complete(await push.putAll())).status).toBe(200);
    expect(Buffer.compare(await pullOverHttp(server.url, `${path}:${push.image.hash}`), image)).toBe(0);
  }

  it("is published when all are there, and pulled back as it was", async () => {
    expect(push.parts).toBe(3);
    const url = await push.urlOf(1);
    expect(new URL(url).origin === server.url).toBe(!isDirect);
    const parts = await push.putAll();
    for (const part of parts) expect(part.token).toMatch(/^"[^"]+"$/);
    expect((await push.complete(parts)).status).toBe(200);
    expect((await push.setTag("v1")).status).toBe(200);
    expect(Buffer.compare(await pullOverHttp(server.url, `${path}:v1`), image)).toBe(0);
  });

  it("takes a part again, and the last one counts", async () => {
    const url = await push.urlOf(2);
    expect((await putPart(url, new Uint8Array(PART_BYTES).fill(9))).status).toBe(200);
    await expectPublished();
  });

  it("takes no part that is shorter or longer than its URL says", async () => {
    for (const partNumber of [1, 3]) {
      const url = await push.urlOf(partNumber);
      const bytes = push.bytesOf(partNumber);
      expect((await putPart(url, bytes.slice(1))).status).toBe(refusals.length);
      expect((await putPart(url, new Uint8Array([...bytes, 0]))).status).toBe(refusals.length);
    }
    await expectPublished();
  });

  it("takes no part by a URL that was changed, whether what it says or its signature", async () => {
    const url = await push.urlOf(1);
    for (const partNumber of [2, 4]) {
      expect((await putPart(alter(url, partNumber), push.bytesOf(1))).status).toBe(refusals.altered);
    }
    expect((await putPart(forged(url), push.bytesOf(1))).status).toBe(refusals.altered);
    await expectPublished();
  });

  it("takes no part by a URL whose time is over", async () => {
    const bytes = push.bytesOf(2);
    const url = await push.urlOf(2);
    const late = await partAt(longAgo(), server, url, bytes.length);
    expect((await putPart(late, bytes)).status).toBe(refusals.expired);
    const inTime = await partAt(Date.now(), server, url, bytes.length);
    expect((await putPart(inTime, bytes)).status).toBe(200);
    await expectPublished();
  });

  it("takes no part once it is completed", async () => {
    const url = await push.urlOf(2);
    await expectPublished();
    expect((await putPart(url, new Uint8Array(PART_BYTES).fill(9))).status).toBe(refusals.ended);
    expect(Buffer.compare(await pullOverHttp(server.url, `${path}:${push.image.hash}`), image)).toBe(0);
  });

  it("is not completed with a part missing or an ETag that is not its own, and nothing is lost by that", async () => {
    const [first, second, third] = await push.putAll();
    if (first === undefined || second === undefined || third === undefined) throw new Error("There are three parts.");
    const wrong = { ...second, token: third.token };
    for (const parts of [[], [first, third], [first, wrong, third], [first, { ...second, token: "" }, third]]) {
      expect((await push.complete(parts)).status).toBe(400);
    }
    await expect(pullOverHttp(server.url, `${path}:${push.image.hash}`)).rejects.toThrow("404");
    expect((await push.complete([third, first, second])).status).toBe(200);
    expect(Buffer.compare(await pullOverHttp(server.url, `${path}:${push.image.hash}`), image)).toBe(0);
  });

  it("is refused when its parts are not what was announced, and gone", async () => {
    const parts = await push.putAll();
    const { status, token: other } = await putPart(await push.urlOf(2), new Uint8Array(PART_BYTES).fill(9));
    expect(status).toBe(200);
    const others = parts.map((part) => (part.partNumber === 2 ? { ...part, token: other } : part));
    const refused = await push.complete(others);
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining("SHA-256")]);
    await expect(pullOverHttp(server.url, `${path}:${push.image.hash}`)).rejects.toThrow("404");
  });

  it("is read whole and in ranges by the URL that a pull is sent to, under its name, while the URL lives", async () => {
    await expectPublished();
    const answer = await fetch(`${server.url}/v1/imagefile/${path}:${push.image.hash}?arch=amd64`, {
      redirect: "manual",
    });
    const url = answer.headers.get("Location") ?? "";
    expect([answer.status, new URL(url).origin === server.url]).toEqual([303, !isDirect]);
    const whole = await fetch(url);
    expect([whole.status, whole.headers.get("Content-Length")]).toEqual([200, String(image.length)]);
    const name = `image-${pushes - 1}_${push.image.hash.slice(0, 19)}.sif`;
    // The bucket here does not heed what its URL says about that, R2 does.
    const said = new URL(url).searchParams.get("response-content-disposition");
    expect(said ?? whole.headers.get("Content-Disposition")).toBe(`attachment; filename="${name}"`);
    expect(Buffer.compare(await whole.bytes(), image)).toBe(0);
    const range = await fetch(url, { headers: { Range: `bytes=${PART_BYTES - 10}-${PART_BYTES + 9}` } });
    expect([range.status, range.headers.get("Content-Range")]).toEqual([
      206,
      `bytes ${PART_BYTES - 10}-${PART_BYTES + 9}/${image.length}`,
    ]);
    expect(Buffer.compare(await range.bytes(), image.subarray(PART_BYTES - 10, PART_BYTES + 10))).toBe(0);
    expect((await fetch(await downloadAt(Date.now(), server, url))).status).toBe(200);
    expect((await fetch(await downloadAt(longAgo(), server, url))).status).toBe(refusals.expired);
  });

  it("leaves database and bucket in agreement after all that, but for uploads that nobody completed", async () => {
    expect(await findingsOf(server.admin)).toEqual([]);
  });
});
