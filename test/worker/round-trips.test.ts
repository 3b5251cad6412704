import { beforeAll, describe, expect, it } from "vitest";
import { makeSif } from "../support/make-sif.ts";
import { type Counts, counted } from "../support/worker/calls.ts";
import { multipartClient, PART_BYTES, smallParts } from "../support/worker/multipart.ts";
import { pipeline } from "../support/worker/pipeline.ts";
import {
  type Ask,
  ask,
  askJson,
  newPerson,
  type Person,
  push,
  register,
  startUpload,
} from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";

async function countsOf(
  path: string,
  options: Ask = {},
  settings: Record<string, string> = {},
): Promise<Counts & { status: number }> {
  const { env, counts } = counted(settings);
  const response = await ask(path, { ...options, env });
  await response.arrayBuffer();
  return { status: response.status, ...counts };
}

describe("round trips", () => {
  let alice: Person;
  let path: string;
  let pushed: Awaited<ReturnType<typeof push>>;
  const bytes = makeSif({ salt: "counted" });

  beforeAll(async () => {
    alice = await newPerson("counter");
    path = `${alice.username}/counted/app`;
    pushed = await push(alice.token, `${path}:v1`, bytes);
    // The first use of a token in an hour is written, outside the answer.
    await ask("/v1/token-status", { token: alice.token });
  });

  it("are none for discovery, the version, and what cannot be a token", async () => {
    for (const url of ["/assets/config/config.prod.json", "/version", "/api/v1/site", "/v1/nothing", "/blobs/x?t=y"]) {
      expect(await countsOf(url), url).toMatchObject({ d1: 0, r2: 0, durable: 0 });
    }
    expect(await countsOf("/v1/token-status", { token: "garbage" })).toMatchObject({ status: 404, d1: 0 });
  });

  it("are one for an anonymous look at an image and for beginning to pull it, at most two with a token", async () => {
    // The meter that counts a pull is told outside the answer.
    const metered = (route: string, reference: string) =>
      route === "imagefile" && !reference.endsWith("absent") ? 1 : 0;
    for (const route of ["images", "imagefile"]) {
      for (const reference of [`${path}:v1`, `${path}:${pushed.digest}`, "counted/app:v1", `${path}:absent`]) {
        const url = `/v1/${route}/${reference}?arch=amd64`;
        const durable = metered(route, reference);
        expect(await countsOf(url), url).toMatchObject({ d1: 1, r2: 0, durable });
        expect(await countsOf(url, { token: alice.token }), url).toMatchObject({ d1: 2, r2: 0, durable });
      }
    }
  });

  it("are one R2 read for a download, or one look into the cache, and never a database", async () => {
    const redirect = await ask(`/v1/imagefile/${path}:v1?arch=amd64`);
    const url = redirect.headers.get("Location") ?? "";
    expect(await countsOf(url)).toEqual({ status: 200, d1: 0, r2: 1, durable: 0 });
    const warm = await countsOf(url, { headers: { Range: "bytes=5-9" } });
    expect(warm).toEqual({ status: 206, d1: 0, r2: 0, durable: 0 });
    expect(await countsOf(url, { method: "HEAD" })).toEqual({ status: 200, d1: 0, r2: 0, durable: 0 });
  });

  it("are few for each step of a push, and at most three for publishing", async () => {
    const fresh = makeSif({ salt: "counted push" });
    const { token } = alice;
    const image = await register(token, path, fresh);
    const start = { method: "POST", token, body: { filesize: fresh.length, sha256sum: "" } };
    expect(await countsOf(`/v2/imagefile/${image.imageId}`, start)).toEqual({ status: 200, d1: 3, r2: 0, durable: 0 });
    const url = await startUpload(token, image, fresh);
    expect(await countsOf(url, { method: "PUT", body: fresh })).toEqual({ status: 200, d1: 0, r2: 1, durable: 0 });
    const complete = { method: "PUT", token, body: {} };
    const done = await countsOf(`/v2/imagefile/${image.imageId}/_complete`, complete);
    // The Durable Object that reads its metadata is asked outside the answer.
    expect(done).toEqual({ status: 200, d1: 3, r2: 1, durable: 1 });
    const tag = { method: "POST", token, body: { Arch: "amd64", Tag: "v2", ImageID: image.imageId } };
    // So is the one that indexes what can be found.
    expect(await countsOf(`/v2/tags/${image.containerId}`, tag)).toEqual({ status: 200, d1: 3, r2: 0, durable: 1 });
  });

  it("are one for signing a part, none for taking it, and at most three for completing", async () => {
    const fresh = makeSif({ salt: "counted parts", sizeBytes: PART_BYTES + 40_000 });
    const client = await multipartClient(alice.token, path, fresh);
    const { token, image } = client;
    const route = `/v2/imagefile/${image.imageId}/_multipart`;
    const counts = async (suffix: string, body: Record<string, unknown>, method = "PUT") =>
      await countsOf(`${route}${suffix}`, { method, token, body }, smallParts);
    const start = await counts("", { filesize: fresh.length }, "POST");
    expect(start).toEqual({ status: 200, d1: 3, r2: 1, durable: 0 });
    const { uploadID } = await client.start();
    const signed = await counts("", { uploadID, partNumber: 1 });
    expect(signed).toEqual({ status: 200, d1: 1, r2: 0, durable: 0 });
    const put = await countsOf(await client.sign(uploadID, 1), { method: "PUT", body: client.part(1) });
    expect(put).toEqual({ status: 200, d1: 0, r2: 1, durable: 0 });
    const completedParts = [await client.put(uploadID, 1), await client.put(uploadID, 2)];
    const done = await counts("_complete", { uploadID, completedParts });
    expect(done).toEqual({ status: 200, d1: 3, r2: 1, durable: 1 });
    expect(await counts("_complete", { uploadID, completedParts })).toEqual({ status: 200, d1: 2, r2: 0, durable: 0 });
    const aborted = await counts("_abort", { uploadID });
    expect(aborted).toEqual({ status: 200, d1: 2, r2: 0, durable: 0 });
  });

  it("are one for the search index and one for the database in a search", async () => {
    for (const url of ["/v1/search?value=counted", "/api/v1/search?q=counted", "/api/v1/search?q=counted&arch=amd64"]) {
      expect(await countsOf(url), url).toEqual({ status: 200, d1: 2, r2: 0, durable: 0 });
    }
  });

  it("are the same for what is hidden and what is absent", async () => {
    const secret = `${alice.username}/secret/app`;
    await push(alice.token, `${secret}:v1`, bytes, { private: true });
    const stranger = await newPerson("stranger");
    await ask("/v1/token-status", { token: stranger.token });
    for (const token of [null, stranger.token]) {
      for (const route of ["images", "imagefile", "containers"]) {
        const suffix = route === "containers" ? "" : ":v1";
        const hidden = await countsOf(`/v1/${route}/${secret}${suffix}`, { token });
        expect(await countsOf(`/v1/${route}/${alice.username}/nowhere/app${suffix}`, { token })).toEqual(hidden);
      }
    }
  });

  it("are one for who asks and one for what they ask in one's own tokens and the list of users", async () => {
    const { token } = await newPerson("admin", { role: "admin" });
    const { headers } = await newSession(alice.username);
    await ask("/v1/token-status", { token });
    expect(await countsOf("/api/v1/tokens", { headers })).toEqual({ status: 200, d1: 2, r2: 0, durable: 0 });
    expect(await countsOf("/api/v1/tokens", { token: alice.token })).toEqual({ status: 200, d1: 2, r2: 0, durable: 0 });
    for (const url of ["/api/v1/users", "/api/v1/users?q=co", "/api/v1/robots"]) {
      expect(await countsOf(url, { token }), url).toEqual({ status: 200, d1: 2, r2: 0, durable: 0 });
    }
    expect((await countsOf("/api/v1/me", { headers })).d1).toBeLessThanOrEqual(2);
    expect(await countsOf("/api/v1/tokens", { token: "garbage" })).toMatchObject({ status: 401, d1: 0 });
  });

  it("are one for the page of a collection or an entity and for each list of them, and one more with a token", async () => {
    const [entity, collection] = path.split("/");
    const page = `/api/v1/collections/${entity}/${collection}`;
    const open = [
      page,
      `/api/v1/entities/${entity}`,
      "/api/v1/entities",
      "/api/v1/collections",
      `/api/v1/collections?entity=${entity}`,
    ];
    for (const url of open) {
      expect(await countsOf(url), url).toEqual({ status: 200, d1: 1, r2: 0, durable: 0 });
      expect(await countsOf(url, { token: alice.token }), url).toEqual({ status: 200, d1: 2, r2: 0, durable: 0 });
    }
    for (const url of ["/api/v1/collections?mine=1", "/api/v1/me/stars", "/api/v1/me/hand-overs"]) {
      expect(await countsOf(url, { token: alice.token }), url).toEqual({ status: 200, d1: 2, r2: 0, durable: 0 });
    }
    for (const part of ["people", "activity", "candidates", "references", "uploads"]) {
      const counts = await countsOf(`${page}/${part}`, { token: alice.token });
      expect(counts, part).toEqual({ status: 200, d1: 3, r2: 0, durable: 0 });
    }
    const change = { method: "PATCH", token: alice.token, body: { description: "x" }, headers: { "If-Match": "*" } };
    expect(await countsOf(page, change)).toEqual({ status: 200, d1: 3, r2: 0, durable: 1 });
    expect(await countsOf(`${page}/star`, { method: "PUT", token: alice.token })).toMatchObject({ status: 204, d1: 3 });
  });

  it("are two for making a token, and three for ending it", async () => {
    const { headers } = await newSession(alice.username);
    const body = { name: "counted", scopes: ["pull"] };
    const make = { method: "POST", headers, body };
    expect(await countsOf("/api/v1/tokens", make)).toEqual({ status: 201, d1: 2, r2: 0, durable: 0 });
    const { token } = await askJson<{ token: { id: string } }>("/api/v1/tokens", make);
    const end = await countsOf(`/api/v1/tokens/${token.id}`, { method: "DELETE", headers });
    expect(end).toEqual({ status: 204, d1: 3, r2: 0, durable: 0 });
  });

  it("write a token's last use once an hour, outside the answer", async () => {
    const bob = await newPerson("bob");
    const first = await countsOf("/v1/token-status", { token: bob.token });
    const second = await countsOf("/v1/token-status", { token: bob.token });
    expect([first.d1, second.d1]).toEqual([2, 1]);
  });

  it("are two for the exchange of a pipeline's token, and one count of who asks", async () => {
    const { headers } = await newSession(alice.username);
    const [entity, collection] = path.split("/");
    const issuer = "https://gitlab.com";
    const body = { issuer, repository: "a/b", refKind: "branch", ref: "main" };
    const url = `/api/v1/collections/${entity}/${collection}/publishers`;
    expect((await ask(url, { method: "POST", body, headers })).status).toBe(201);
    const exchange = { token: await pipeline(issuer), collection: `${entity}/${collection}` };
    const counts = await countsOf("/api/v1/publisher-tokens", { method: "POST", body: exchange });
    expect(counts).toEqual({ status: 201, d1: 2, r2: 0, durable: 1 });
  });

  it("are two at most for a look at the settings or the audit log, with who asks, and one more for a change", async () => {
    const { token } = await newPerson("governor", { role: "admin" });
    await ask("/v1/token-status", { token });
    for (const url of ["/api/v1/settings", "/api/v1/settings/ADMINS", "/api/v1/audit?action=setting."]) {
      expect(await countsOf(url, { token }), url).toMatchObject({ status: 200, d1: expect.toSatisfy((d1) => d1 <= 2) });
    }
    const change = { method: "PUT", body: { value: "alice" }, headers: { "If-Match": "*" }, token };
    expect(await countsOf("/api/v1/settings/ADMINS", change)).toMatchObject({ status: 200, d1: 3 });
  });

  it("are one for a look at a share, and two for a download by it", async () => {
    const url = `/api/v1/containers/${path}/images/${pushed.digest}/shares`;
    const make = { method: "POST", token: alice.token, body: {} };
    expect(await countsOf(url, make)).toEqual({ status: 201, d1: 3, r2: 0, durable: 0 });
    const link = (await askJson<{ url: string }>(url, make)).url;
    const secret = new URL(link).pathname.split("/")[2];
    expect(await countsOf(`/api/v1/shared/${secret}`)).toEqual({ status: 200, d1: 1, r2: 0, durable: 0 });
    expect(await countsOf(link, { method: "HEAD" })).toEqual({ status: 200, d1: 1, r2: 0, durable: 0 });
    expect(await countsOf(link)).toEqual({ status: 303, d1: 2, r2: 0, durable: 1 });
    expect(await countsOf(url, { token: alice.token })).toEqual({ status: 200, d1: 3, r2: 0, durable: 0 });
    expect(await countsOf("/api/v1/me/shares", { token: alice.token })).toMatchObject({ status: 200, d1: 2 });
    expect(await countsOf("/s/no-such-secret")).toEqual({ status: 410, d1: 0, r2: 0, durable: 1 });
  });

  it("are one for each of the statistics and for a badge", async () => {
    const [entity, collection] = path.split("/");
    for (const url of [
      "/api/v1/statistics",
      "/api/v1/statistics/sizes",
      `/api/v1/statistics/sizes?collection=${entity}/${collection}`,
      `/api/v1/collections/${entity}/${collection}/statistics`,
      `/api/v1/containers/${path}/statistics?days=366`,
      `/api/v1/badges/${path}/pulls.svg`,
    ]) {
      expect(await countsOf(url), url).toEqual({ status: 200, d1: 1, r2: 0, durable: 0 });
    }
  });
});
