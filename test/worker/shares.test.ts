import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { downloadSeconds, limits } from "../../worker/registry/limits.ts";
import { forgetExpired } from "../../worker/registry/upkeep/forget-expired.ts";
import { makeSif } from "../support/make-sif.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  newPerson,
  newTokenFor,
  type Person,
  type Pushed,
  push,
  testContext,
} from "../support/worker/registry.ts";

interface Share {
  id: string;
  note: string;
  createdBy: string;
  expiresAt: string;
  downloads: number;
  maxDownloads: number | null;
}

const browser = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

let alice: Person;
let bob: Person;
let image: Pushed & { path: string; bytes: Uint8Array<ArrayBuffer> };

beforeAll(async () => {
  [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
  image = await stored("shared");
});

async function stored(name: string, owner = alice) {
  const path = `${owner.username}/${name}/app`;
  const bytes = makeSif({ salt: path });
  return { path, bytes, ...(await push(owner.token, `${path}:v1,latest`, bytes, { private: true })) };
}

const sharesOf = ({ path, digest }: { path: string; digest: string }) =>
  `/api/v1/containers/${path}/images/${digest}/shares`;

async function share(body: Record<string, unknown> = {}, of = image, token = alice.token) {
  const made = await askJson<{ share: Share; url: string }>(sharesOf(of), { method: "POST", token, body });
  return { ...made, secret: new URL(made.url).pathname.split("/")[2] ?? "" };
}

async function listed(of = image, token = alice.token): Promise<Share[]> {
  return (await askJson<{ items: Share[] }>(sharesOf(of), { token })).items;
}

async function statusOf(url: string, options: Ask = {}): Promise<number> {
  return (await ask(url, options)).status;
}

/** What a client without an account gets by a link, or the status it was refused with. */
async function bytesBy(url: string): Promise<Uint8Array | number> {
  const redirect = await ask(url);
  if (redirect.status !== 303) return redirect.status;
  const response = await ask(redirect.headers.get("Location") ?? "");
  return response.status === 200 ? new Uint8Array(await response.arrayBuffer()) : response.status;
}

describe("a share link", () => {
  it("gives its image of a private collection to whoever has it, and names the file", async () => {
    const { url, share: made } = await share({ note: "for the reviewers" });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:8787\/s\/[\w-]{43}\/app_v1\.sif$/);
    expect(made).toMatchObject({
      note: "for the reviewers",
      createdBy: alice.username,
      downloads: 0,
      maxDownloads: null,
    });
    expect(await bytesBy(url)).toEqual(image.bytes);
    expect(await bytesBy(url.replace("/app_v1.sif", ""))).toEqual(image.bytes);
    const redirect = await ask(url);
    expect(redirect.headers.get("Cache-Control")).toBe("no-store");
    expect(redirect.headers.get("Referrer-Policy")).toBe("no-referrer");
  });

  it("says what the image is, and nothing of where it stands, who shares it and for whom", async () => {
    const { secret, url } = await share({ maxDownloads: 3, note: "for carol" });
    const response = await ask(`/api/v1/shared/${secret}`);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    const text = await response.text();
    expect(JSON.parse(text)).toEqual({
      url,
      container: "app",
      tag: "v1",
      digest: image.digest,
      arch: "amd64",
      sizeBytes: image.bytes.length,
      signed: false,
      encrypted: false,
      expiresAt: expect.any(String),
      downloadsLeft: 3,
    });
    const located = (await ask(url)).headers.get("Location") ?? "";
    for (const said of [text, located, url]) expect(said).not.toMatch(/alice|shared\/app|carol/);
  });

  it("opens nothing else of the collection", async () => {
    const { secret } = await share();
    const bytes = makeSif({ salt: "the other one" });
    const other = await push(alice.token, `${image.path}:other`, bytes, { private: true });
    for (const url of [
      `/v1/imagefile/${image.path}:other`,
      `/v1/imagefile/${image.path}:${image.digest}`,
      `/s/${secret}/${other.digest}`,
      sharesOf({ path: image.path, digest: other.digest }),
    ]) {
      const headers = { Authorization: `Bearer ${secret}` };
      const answer = await ask(url, url.startsWith("/s/") ? {} : { headers });
      if (url.startsWith("/s/")) expect(answer.headers.get("Location"), url).toContain("/blobs/app_v1.sif?");
      else expect(answer.status, url).toBe(401);
    }
  });

  it("shows a browser a page, which uses nothing up and loads nothing of anybody else's", async () => {
    const { url, share: made } = await share({ maxDownloads: 1 });
    const counted = environment({ GOOGLE_ANALYTICS: "G-TEST" });
    const page = await ask(url, { headers: browser, env: counted });
    expect([page.status, page.headers.get("Content-Type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(page.headers.get("Content-Security-Policy")).not.toContain("google");
    expect(page.headers.get("Cache-Control")).toBe("no-store");
    expect((await listed()).find(({ id }) => id === made.id)?.downloads).toBe(0);
  });

  it("tells size and digest to HEAD, which uses nothing up, as ranges of what it gave out do not", async () => {
    const { url, share: made } = await share({ maxDownloads: 1 });
    const head = await ask(url, { method: "HEAD" });
    expect([head.status, head.headers.get("Content-Length")]).toEqual([200, String(image.bytes.length)]);
    expect(head.headers.get("ETag")).toBe(`"${image.digest.replace(".", ":")}"`);
    const blob = (await ask(url)).headers.get("Location") ?? "";
    for (const Range of ["bytes=0-9", "bytes=10-19"]) expect(await statusOf(blob, { headers: { Range } })).toBe(206);
    expect(await statusOf(blob, { method: "HEAD" })).toBe(200);
    expect((await listed()).find(({ id }) => id === made.id)?.downloads).toBe(1);
    for (const method of ["GET", "HEAD"]) expect(await statusOf(url, { method }), method).toBe(410);
  });

  it("is used by the button of its page only when the page itself asks", async () => {
    const { secret, share: made } = await share({ maxDownloads: 2 });
    const downloads = `/api/v1/shared/${secret}/downloads`;
    const own = { "Sec-Fetch-Site": "same-origin" };
    expect(await statusOf(downloads, { method: "POST", headers: { "Sec-Fetch-Site": "cross-site" } })).toBe(403);
    expect(await statusOf(downloads, { method: "GET", headers: own })).toBe(404);
    const { url } = await askJson<{ url: string }>(downloads, { method: "POST", headers: own });
    expect(new Uint8Array(await (await ask(url)).arrayBuffer())).toEqual(image.bytes);
    expect((await listed()).find(({ id }) => id === made.id)?.downloads).toBe(1);
  });

  it("works where the registry is private, and for whoever may not even look at lists", async () => {
    const { url, secret } = await share();
    for (const settings of [{ PRIVATE_ONLY: "true" }, { API_REQUIRE_AUTH: "true" }]) {
      const of = environment(settings);
      expect(await statusOf(url, { env: of })).toBe(303);
      expect(await statusOf(`/api/v1/shared/${secret}`, { env: of })).toBe(200);
    }
  });
});

/** How a link that does not open answers, in every way there is. */
async function refusalsOf(url: string): Promise<unknown[]> {
  const secret = new URL(url).pathname.split("/")[2];
  const api = await ask(`/api/v1/shared/${secret}`);
  const { requestId: _, ...problem } = await api.json<Record<string, unknown>>();
  const used = await ask(`/api/v1/shared/${secret}/downloads`, {
    method: "POST",
    headers: { "Sec-Fetch-Site": "same-origin" },
  });
  const got = await ask(url);
  return [got.status, await got.text(), got.headers.get("Sregistry-Error"), api.status, problem, used.status];
}

describe("a share link ends", () => {
  const never = `http://127.0.0.1:8787/s/${"A".repeat(43)}/app_v1.sif`;
  const endings: [string, (made: Awaited<ReturnType<typeof share>>, of: typeof image) => Promise<unknown>][] = [
    ["when it expires", ({ share: { id } }) => run("UPDATE shares SET expires_at = ? WHERE id = ?", Date.now(), id)],
    [
      "when it is revoked",
      ({ share: { id } }, of) => askJson(`${sharesOf(of)}/${id}`, { method: "DELETE", token: alice.token }),
    ],
    ["when its downloads are used up", async ({ url }) => await ask(url)],
    ["with its image", (_, of) => ask(`/v1/images/${of.path}:${of.digest}`, { method: "DELETE", token: alice.token })],
    [
      "while whoever made it is disabled",
      () => run("UPDATE users SET disabled_at = 1 WHERE username = ?", alice.username),
    ],
    [
      "when whoever made it may not share the image any more",
      (_, of) =>
        run(
          "UPDATE entities SET owner_user_id = (SELECT id FROM users WHERE username = ?) WHERE name = ?",
          bob.username,
          of.path.split("/")[0] ?? "",
        ),
    ],
  ];

  afterEach(async () => {
    await run("UPDATE users SET disabled_at = NULL");
    await run(
      "UPDATE entities SET owner_user_id = (SELECT id FROM users WHERE username = name) WHERE name = ?",
      alice.username,
    );
  });

  it.each(endings)("%s, and then answers as one that never was", async (what, end) => {
    const of = await stored(what.replace(/\W+/g, "-").slice(0, 40));
    const made = await share({ maxDownloads: 1 }, of);
    expect(await statusOf(made.url, { method: "HEAD" })).toBe(200);
    await end(made, of);
    const refusals = await refusalsOf(made.url);
    expect(refusals.slice(0, 2)).toEqual([410, ""]);
    expect(refusals).toEqual(await refusalsOf(never));
  });

  it("with a part of its own when the image's bytes are damaged, until they come again", async () => {
    const of = await stored("damaged");
    const { url, share: made } = await share({ maxDownloads: 5 }, of);
    await run("UPDATE blobs SET state = 'corrupt' WHERE digest = ?", of.digest);
    expect((await refusalsOf(url)).slice(0, 4)).toEqual([410, "", expect.stringContaining("damaged"), 410]);
    await run("UPDATE blobs SET state = 'stored' WHERE digest = ?", of.digest);
    expect(await bytesBy(url)).toEqual(of.bytes);
    expect((await listed(of)).find(({ id }) => id === made.id)?.downloads).toBe(1);
  });

  it("at once when it is revoked, and says how long what it gave out lives on", async () => {
    const { url, share: made } = await share();
    const blob = (await ask(url)).headers.get("Location") ?? "";
    const revoke: Ask = { method: "DELETE", token: alice.token };
    const { urlsEndBy } = await askJson<{ urlsEndBy: string }>(`${sharesOf(image)}/${made.id}`, revoke);
    expect(Date.parse(urlsEndBy) - Date.now()).toBeLessThanOrEqual(downloadSeconds(image.bytes.length) * 1000);
    expect(Date.parse(urlsEndBy) - Date.now()).toBeGreaterThan((downloadSeconds(image.bytes.length) - 60) * 1000);
    expect([await statusOf(url), await statusOf(blob)]).toEqual([410, 200]);
    expect(await statusOf(`${sharesOf(image)}/${made.id}`, revoke)).toBe(404);
  });

  it("and is forgotten when it has expired, with others a batch at a time", async () => {
    const { share: made } = await share();
    const { share: kept } = await share();
    await run("UPDATE shares SET expires_at = 1 WHERE id = ?", made.id);
    expect(await forgetExpired(testContext(), "shares")).toBeGreaterThan(0);
    const ids = (await listed()).map(({ id }) => id);
    expect([ids.includes(made.id), ids.includes(kept.id)]).toEqual([false, true]);
  });
});

describe("making, listing and ending share links", () => {
  it("is for the collection's owners: to everybody else the image is not there", async () => {
    const { share: made } = await share();
    const reader = await newPerson("reader");
    const contributor = await newPerson("contributor");
    const grant = `INSERT INTO collection_members (collection_id, user_id, role, created_at)
      SELECT ?, id, ?, 1 FROM users WHERE username = ?`;
    await run(grant, image.collectionId, "reader", reader.username);
    await run(grant, image.collectionId, "contributor", contributor.username);
    const absent = { path: `${alice.username}/nowhere/app`, digest: image.digest };
    const calls: [string, (of: typeof absent) => string, Record<string, unknown> | null][] = [
      ["POST", sharesOf, {}],
      ["GET", sharesOf, null],
      ["DELETE", (of) => `${sharesOf(of)}/${made.id}`, null],
    ];
    for (const [method, url, body] of calls) {
      const of = async (whom: string | null, what: typeof absent) => {
        const answer = await ask(url(what), { method, token: whom, body });
        const { requestId: _, ...problem } = await answer.json<Record<string, unknown>>();
        return problem;
      };
      expect((await of(null, image)).status, method).toBe(401);
      expect((await of("nonsense", image)).status, method).toBe(401);
      expect(await of(bob.token, image), method).toEqual(await of(bob.token, absent));
      expect((await of(bob.token, image)).status, method).toBe(404);
      for (const { token } of [reader, contributor]) expect((await of(token, image)).status, method).toBe(403);
      const narrow = await newTokenFor(alice.username, { scopes: ["pull", "push"] });
      expect((await of(narrow, image)).code, method).toBe("insufficient-scope");
    }
    expect((await listed()).some(({ id }) => id === made.id)).toBe(true);
  });

  it("does not reach a link of another image by its id", async () => {
    const { share: made } = await share();
    const own = await stored("bobs", bob);
    expect(await statusOf(`${sharesOf(own)}/${made.id}`, { method: "DELETE", token: bob.token })).toBe(404);
    expect((await listed()).some(({ id }) => id === made.id)).toBe(true);
  });

  it("refuses what is no sensible link", async () => {
    const bodies = [
      { days: 0 },
      { days: 366 },
      { days: 1.5 },
      { maxDownloads: 0 },
      { maxDownloads: limits.shareDownloads + 1 },
      { note: "x".repeat(limits.noteLength + 1) },
      { days: "7" },
    ];
    for (const body of bodies) {
      const answer = await ask(sharesOf(image), { method: "POST", token: alice.token, body });
      expect(answer.status, JSON.stringify(body)).toBe(400);
    }
    const huge = { note: "x".repeat(limits.jsonBodyBytes) };
    expect(await statusOf(sharesOf(image), { method: "POST", token: alice.token, body: huge })).toBe(413);
    expect(await statusOf(sharesOf({ ...image, digest: "v1" }), { method: "POST", token: alice.token, body: {} })).toBe(
      400,
    );
  });

  it("stops at as many as an image may have", async () => {
    const of = await stored("many");
    await run(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO shares (id, hash, image_id, note, created_by, created_at, expires_at)
       SELECT 'share-' || i, printf('%064d', i), ?, '', (SELECT id FROM users WHERE username = ?), 1, 9e15 FROM n`,
      limits.sharesPerImage,
      of.imageId,
      alice.username,
    );
    const full = await ask(sharesOf(of), { method: "POST", token: alice.token, body: {} });
    expect([full.status, await full.json()]).toMatchObject([409, { code: "limit-reached" }]);
  });

  it("shows one's own links in one list, without those of what one may not see any more", async () => {
    const carol = await newPerson("carol");
    const of = await stored("carols", carol);
    const { share: made, secret } = await share({ note: "mine" }, of, carol.token);
    const mine = async () =>
      await askJson<{ items: unknown[]; next: null }>("/api/v1/me/shares", { token: carol.token });
    const page = await mine();
    expect(page.items).toEqual([
      expect.objectContaining({ id: made.id, note: "mine", collection: "carols", container: "app", digest: of.digest }),
    ]);
    expect(JSON.stringify(page)).not.toContain(secret);
    expect(await statusOf("/api/v1/me/shares")).toBe(401);
    await run(
      "UPDATE entities SET owner_user_id = (SELECT id FROM users WHERE username = ?) WHERE name = ?",
      bob.username,
      carol.username,
    );
    expect((await mine()).items).toEqual([]);
  });

  it("is in the audit log of the collection, without the secret", async () => {
    const of = await stored("audited");
    const { share: made, secret } = await share({}, of);
    await ask(`${sharesOf(of)}/${made.id}`, { method: "DELETE", token: alice.token });
    const rows = env.DB.prepare("SELECT actor, action, target, detail FROM audit WHERE collection_id = ? ORDER BY id");
    const { results } = await rows.bind(of.collectionId).all<{ action: string; detail: string }>();
    const ofShares = results.filter(({ action }) => action.startsWith("share."));
    expect(ofShares.map(({ action }) => action)).toEqual(["share.make", "share.revoke"]);
    expect(JSON.stringify(ofShares)).toContain(made.id);
    expect(JSON.stringify(ofShares)).not.toContain(secret);
  });
});

describe("the secret of a share link", () => {
  it("is kept by its hash alone", async () => {
    const { secret, share: made } = await share();
    const row = await env.DB.prepare("SELECT * FROM shares WHERE id = ?").bind(made.id).first();
    expect(JSON.stringify(row)).not.toContain(secret);
  });

  it("is in no line of the log, whatever is asked", async () => {
    const { secret, url } = await share();
    const lines: unknown[] = [];
    for (const level of ["info", "error", "warn", "log"] as const) {
      vi.spyOn(console, level).mockImplementation((...said) => void lines.push(said));
    }
    const logging = environment({ LOG_REQUESTS: "true" });
    for (const asked of [
      url,
      `${url}/more`,
      `/api/v1/shared/${secret}`,
      `/S/${secret}`,
      `/api/v1/shared/${secret}/x`,
    ]) {
      await ask(asked, { env: logging });
    }
    const broken = {
      ...logging,
      DB: { prepare: () => ({ bind: () => ({ all: async () => Promise.reject(new Error("x")) }) }) },
    };
    expect(await statusOf(url, { env: broken as never })).toBeGreaterThanOrEqual(500);
    vi.restoreAllMocks();
    const text = JSON.stringify(lines);
    expect(text).toContain("/s/…");
    expect(text).not.toContain(secret);
  });

  it("cannot be guessed at any speed, and whoever has a right one is not held up by those who try", async () => {
    const { url } = await share();
    const headers = { "CF-Connecting-IP": "192.0.2.99" };
    const statuses: number[] = [];
    for (let n = 0; n < limits.shareMissesPerMinute + 2; n++) {
      statuses.push(await statusOf(`/s/${String(n).padStart(43, "A")}`, { headers }));
    }
    expect(new Set(statuses.slice(0, -2))).toEqual(new Set([410]));
    expect(statuses.at(-1)).toBe(429);
    expect(await statusOf(url, { headers })).toBe(303);
  });
});

async function run(sql: string, ...values: unknown[]): Promise<void> {
  await env.DB.prepare(sql)
    .bind(...values)
    .run();
}
