import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setReadOnly } from "../../worker/registry/catalog/manage.ts";
import { limits } from "../../worker/registry/limits.ts";
import { setQuota } from "../../worker/registry/people/account-quotas.ts";
import { checkIntegrity } from "../../worker/registry/upkeep/check-integrity.ts";
import { forgetUploads } from "../../worker/registry/upkeep/forget-uploads.ts";
import { makeSif } from "../support/make-sif.ts";
import { type Call, counted, interrupted, watched } from "../support/worker/calls.ts";
import {
  ask,
  askJson,
  environment,
  newPerson,
  newTokenFor,
  type Person,
  pull,
  push,
  storedKeys,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";
import {
  begin,
  begun,
  cancel,
  complete,
  look,
  PART_BYTES,
  partOf,
  putPart,
  smallParts,
  type Upload,
  uploadAll,
} from "../support/worker/uploads.ts";

let alice: Person & { env: ReturnType<typeof environment> };
let bob: Person;

beforeAll(async () => {
  alice = { ...(await newPerson("alice")), env: environment(smallParts) };
  bob = await newPerson("bob");
});

const small = (salt: string) => makeSif({ salt, sizeBytes: 40_960 });
/** In three parts, the last of which is short. */
const large = (salt: string) => makeSif({ salt, sizeBytes: 2 * PART_BYTES + 1000 });
const newPath = () => `${alice.username}/${uniqueName("uploaded")}/app`;

async function codeOf(response: Response): Promise<string> {
  return (await response.json<{ code: string }>()).code;
}

async function stateOf(response: Response): Promise<string> {
  return (await response.json<Upload>()).state;
}

describe("an upload", () => {
  it("makes collection and container, is published under its tags, and pulled as it was", async () => {
    const path = newPath();
    const bytes = small("published");
    const done = await uploadAll(alice, path, bytes, { tags: ["v1", "latest", "v1"], description: "Solves it." });
    expect([done.status, await done.json()]).toEqual([
      200,
      expect.objectContaining({ state: "published", received: [1] }),
    ]);
    for (const tag of ["v1", "latest"]) expect(await pull(`${path}:${tag}`)).toEqual(bytes);
    const row = await env.DB.prepare("SELECT description FROM images WHERE description <> ''").first();
    expect(row).toEqual({ description: "Solves it." });
  });

  it("takes its parts in any order, several at once, and again", async () => {
    const [path, bytes] = [newPath(), large("any order")];
    const upload = await begun(alice, path, bytes, { tags: ["v1"] });
    expect(upload).toMatchObject({ parts: 3, partBytes: PART_BYTES, state: "open", received: [] });
    const puts = await Promise.all([3, 1].map((number) => putPart(alice, upload, number, bytes)));
    expect(puts.map(({ status }) => status)).toEqual([204, 204]);
    expect(await (await look(alice, upload)).json()).toMatchObject({ received: [1, 3], state: "open" });
    for (const number of [1, 2, 2]) expect((await putPart(alice, upload, number, bytes)).status).toBe(204);
    expect(await stateOf(await complete(alice, upload))).toBe("published");
    expect(await pull(`${path}:v1`)).toEqual(bytes);
    expect(await stateOf(await complete(alice, upload))).toBe("published");
    expect(await stateOf(await look(alice, upload))).toBe("published");
  });

  it("is the same when it is begun again, with the parts that are there, also by two at once", async () => {
    const [path, bytes] = [newPath(), large("gone on with")];
    const [one, two] = await Promise.all([begun(alice, path, bytes), begun(alice, path, bytes)]);
    expect(one.id).toBe(two.id);
    await putPart(alice, one, 2, bytes);
    const again = await begun(alice, path, bytes);
    expect(again).toMatchObject({ id: one.id, received: [2] });
    const open = await askJson<{ items: Upload[] }>("/api/v1/uploads", alice);
    expect(open.items.filter(({ id }) => id === one.id)).toHaveLength(1);
  });

  it("names the parts that are missing, and loses nothing by being completed too early", async () => {
    const [path, bytes] = [newPath(), large("too early")];
    const upload = await begun(alice, path, bytes);
    await putPart(alice, upload, 2, bytes);
    const early = await complete(alice, upload);
    expect(await early.json()).toMatchObject({
      status: 409,
      code: "upload-incomplete",
      detail: "Not every part has arrived. Missing: 1, 3.",
    });
    for (const number of [1, 3]) await putPart(alice, upload, number, bytes);
    expect((await complete(alice, upload)).status).toBe(200);
  });

  it("sends nothing that is there and that the pusher may read, and everything else", async () => {
    const bytes = small("there already");
    await push(alice.token, `${newPath()}:v1`, bytes);
    const path = newPath();
    const answer = await begin(alice, path, bytes, { tags: ["v1"] });
    expect(await answer.json()).toEqual({ published: true, upload: null });
    expect(await pull(`${path}:v1`)).toEqual(bytes);
    const secret = small("of somebody else");
    await push(bob.token, `${bob.username}/secret/app:v1`, secret, { private: true });
    expect(await (await begin(alice, path, secret)).json()).toMatchObject({ published: false });
  });

  it("is refused when its bytes are not what was said, or no image, and says so afterwards too", async () => {
    const path = newPath();
    const bytes = small("claimed");
    const other = small("sent in its place");
    const upload = await begun(alice, path, bytes);
    await putPart(alice, upload, 1, other);
    const refused = await complete(alice, upload);
    expect([refused.status, await codeOf(refused)]).toEqual([400, "digest-mismatch"]);
    expect(await (await look(alice, upload)).json()).toMatchObject({
      state: "refused",
      reason: { code: "digest-mismatch" },
    });
    const text = new Uint8Array(new TextEncoder().encode("not an image".repeat(100)));
    expect(await codeOf(await uploadAll(alice, path, text))).toBe("sif-invalid");
  });

  it("takes a part of exactly its size, of known length, and none that it has not", async () => {
    const [path, bytes] = [newPath(), large("sizes")];
    const upload = await begun(alice, path, bytes);
    const url = `/api/v1/uploads/${upload.id}/parts`;
    const put = async (number: number | string, body: Uint8Array<ArrayBuffer> | null) =>
      await codeOf(await ask(`${url}/${number}`, { ...alice, method: "PUT", body }));
    expect(await put(1, bytes.slice(0, 10))).toBe("size-mismatch");
    expect(await put(3, partOf(bytes, upload, 1))).toBe("size-mismatch");
    expect(await put(1, null)).toBe("length-required");
    expect(await put(4, bytes.slice(0, 1000))).toBe("parts-invalid");
    for (const number of ["0", "-1", "1.5", "x", "10001"]) expect(await put(number, bytes)).toBe("not-found");
    expect(await (await look(alice, upload)).json()).toMatchObject({ received: [] });
  });

  it("can be cancelled, which frees its parts and its room at once", async () => {
    const [path, bytes] = [newPath(), large("cancelled")];
    const upload = await begun(alice, path, bytes, { tags: ["v1"] });
    await putPart(alice, upload, 1, bytes);
    const reserved = async () =>
      (await askJson<{ quota: { reservedBytes: number } }>("/api/v1/me", alice)).quota.reservedBytes;
    const before = await reserved();
    expect((await cancel(alice, upload)).status).toBe(204);
    expect(await reserved()).toBe(before - bytes.length);
    for (const gone of [cancel(alice, upload), look(alice, upload), complete(alice, upload)]) {
      expect((await gone).status).toBe(404);
    }
    expect((await putPart(alice, upload, 2, bytes)).status).toBe(404);
    const next = await begun(alice, path, bytes);
    expect([next.id === upload.id, next.received]).toEqual([false, []]);
  });

  it("is over when its time is, and forgotten by upkeep with what it left", async () => {
    const [path, bytes] = [newPath(), large("expired")];
    const upload = await begun(alice, path, bytes);
    await putPart(alice, upload, 1, bytes);
    expect(Date.parse(upload.expiresAt) - Date.now()).toBeGreaterThan((limits.resumableMinSeconds - 60) * 1000);
    const expire = env.DB.prepare("UPDATE uploads SET expires_at = ? WHERE id = ?");
    await expire.bind(Date.now() - 1, upload.id).run();
    expect(await (await look(alice, upload)).json()).toMatchObject({
      state: "refused",
      reason: { code: "upload-ended" },
    });
    expect(await codeOf(await putPart(alice, upload, 2, bytes))).toBe("upload-ended");
    expect(await codeOf(await complete(alice, upload))).toBe("upload-ended");
    await expire.bind(Date.now() - 3 * 3_600_000, upload.id).run();
    await forgetUploads(testContext());
    expect((await look(alice, upload)).status).toBe(404);
    const parts = await env.DB.prepare("SELECT 1 FROM upload_parts WHERE upload_id = ?").bind(upload.id).all();
    expect(parts.results).toEqual([]);
  });

  it("is refused before its first byte where it has no room, or is larger than the registry takes", async () => {
    const carol = await newPerson("carol");
    await setQuota(testContext(), operator, carol.username, 40_959);
    const path = `${carol.username}/tools/app`;
    const stored = await storedKeys();
    const full = await begin(carol, path, small("no room"));
    expect(await full.json()).toMatchObject({
      status: 507,
      code: "quota-exceeded",
      detail: `This needs 40 KiB; ${carol.username} has 39 KiB left of 39 KiB.`,
    });
    const large = await begin({ ...carol, env: environment({ MAX_IMAGE_BYTES: "40000" }) }, path, small("no room"));
    expect(await codeOf(large)).toBe("image-too-large");
    expect(await storedKeys()).toEqual(stored);
  });

  it("is refused where somebody has as many open as are allowed", async () => {
    const carol = await newPerson("carol");
    await begun(carol, `${carol.username}/tools/app`, small("the first"));
    await env.DB.prepare(
      `INSERT INTO uploads (id, user_id, object_key, state, created_at, expires_at, multipart_id, part_bytes, resumable)
       SELECT 'many-' || value, (SELECT id FROM users WHERE username = ?1), 'many/' || value, 'open', 0, ?2, 'x', 1, 1
       FROM json_each(?3)`,
    )
      .bind(
        carol.username,
        Date.now() + 1e6,
        JSON.stringify(Array.from({ length: limits.openUploadsPerUser - 1 }, (_, n) => n)),
      )
      .run();
    expect(await codeOf(await begin(carol, `${carol.username}/tools/app`, small("one more")))).toBe("limit-reached");
    expect((await begin(carol, `${carol.username}/tools/app`, small("the first"))).status).toBe(200);
    await env.DB.prepare("DELETE FROM uploads WHERE id LIKE 'many-%'").run();
  });
});

describe("what is malformed", () => {
  it("is refused by naming the field, never by an error of ours", async () => {
    const good = {
      entity: alice.username,
      collection: "tools",
      container: "app",
      digest: `sha256.${"a".repeat(64)}`,
      sizeBytes: 10,
    };
    const cases: [Record<string, unknown>, number][] = [
      [{ digest: "sha256.abc" }, 400],
      [{ digest: 7 }, 400],
      [{ sizeBytes: 0 }, 400],
      [{ sizeBytes: 1.5 }, 400],
      [{ sizeBytes: 1e300 }, 400],
      [{ container: "../x" }, 400],
      [{ tags: ["a b"] }, 400],
      [{ tags: Array.from({ length: 21 }, (_, n) => `t${n}`) }, 400],
      [{ description: "x".repeat(5000) }, 400],
      [{ collection: "x".repeat(600) }, 400],
      [{ description: "x".repeat(70_000) }, 413],
    ];
    for (const [change, status] of cases) {
      const response = await ask("/api/v1/uploads", { ...alice, method: "POST", body: { ...good, ...change } });
      expect(response.status, JSON.stringify(change).slice(0, 80)).toBe(status);
    }
    for (const id of ["x", "00000000-0000-0000-0000-000000000000", "%00"]) {
      expect((await ask(`/api/v1/uploads/${id}`, alice)).status).toBe(404);
    }
  });
});

describe("an upload of somebody else", () => {
  it("looks absent to everybody, by every address, administrators too", async () => {
    const [path, bytes] = [newPath(), large("of alice")];
    const upload = await begun(alice, path, bytes);
    const admin = await newPerson("admin", { role: "admin" });
    for (const { token } of [bob, admin]) {
      const by = { token };
      const answers = await Promise.all(
        [upload, { ...upload, id: crypto.randomUUID() }].map(async (one) => {
          const all = [
            await look(by, one),
            await putPart(by, one, 1, bytes),
            await complete(by, one),
            await cancel(by, one),
          ];
          return await Promise.all(all.map(async (answer) => [answer.status, await codeOf(answer)]));
        }),
      );
      expect(answers[0]).toEqual(answers[1]);
      expect(new Set(answers.flat().map(([status]) => status))).toEqual(new Set([404]));
      expect((await askJson<{ items: Upload[] }>("/api/v1/uploads", by)).items).toEqual([]);
    }
    expect(await stateOf(await look(alice, upload))).toBe("open");
  });

  it("is not begun in a collection that one may not push to, which looks absent where it is hidden", async () => {
    const hidden = `${alice.username}/${uniqueName("hidden")}/app`;
    await push(alice.token, `${hidden}:v1`, small("hidden"), { private: true });
    const other = await newPerson("alone");
    await push(other.token, `${other.username}/hidden/app:v1`, small("alone"), { private: true });
    const absent = `${other.username}/absent/app`;
    const answers = [];
    for (const path of [`${other.username}/hidden/app`, absent])
      answers.push(await (await begin(bob, path, small("x"))).json<{ status: number; detail: string }>());
    expect(answers.map(({ status, detail }) => ({ status, detail }))).toEqual([
      { status: 404, detail: "Not found." },
      { status: 404, detail: "Not found." },
    ]);
    const shown = newPath();
    await push(alice.token, `${shown}:v1`, small("shown"));
    expect((await begin(bob, shown, small("x"))).status).toBe(403);
    expect((await begin({ token: null }, shown, small("x"))).status).toBe(401);
  });
});

describe("rights", () => {
  it("are asked for with every part and at the end: who lost them can do nothing more", async () => {
    const path = newPath();
    await push(alice.token, `${path}:v1`, small("with bob"), { private: true });
    const [, collection] = path.split("/");
    await env.DB.prepare(
      `INSERT INTO collection_members (collection_id, user_id, role, created_at)
       SELECT c.id, u.id, 'contributor', 0 FROM collections c, users u WHERE c.name = ? AND u.username = ?`,
    )
      .bind(collection, bob.username)
      .run();
    const bytes = small("by bob");
    const upload = await begun(bob, path, bytes);
    expect((await putPart(bob, upload, 1, bytes)).status).toBe(204);
    await env.DB.prepare("DELETE FROM collection_members WHERE user_id = (SELECT id FROM users WHERE username = ?)")
      .bind(bob.username)
      .run();
    expect((await putPart(bob, upload, 1, bytes)).status).toBe(404);
    expect((await complete(bob, upload)).status).toBe(404);
    expect((await askJson<{ items: Upload[] }>("/api/v1/uploads", bob)).items).toEqual([]);
  });

  it("need the scope to push, and for a token of one collection that collection", async () => {
    const [path, bytes] = [newPath(), small("scopes")];
    const upload = await begun(alice, path, bytes);
    const pullOnly = { token: await newTokenFor(alice.username, { scopes: ["pull"] }) };
    for (const answer of [
      begin(pullOnly, path, bytes),
      putPart(pullOnly, upload, 1, bytes),
      complete(pullOnly, upload),
    ]) {
      expect(await codeOf(await answer)).toBe("insufficient-scope");
    }
    const elsewhere = newPath();
    await push(alice.token, `${elsewhere}:v1`, small("elsewhere"));
    const [entity = "", name = ""] = elsewhere.split("/");
    const narrow = { token: await newTokenFor(alice.username, { collection: { entity, name } }) };
    // To a token for another collection it is not there.
    expect((await complete(narrow, upload)).status).toBe(404);
    expect((await uploadAll(narrow, elsewhere, small("narrowed"))).status).toBe(200);
  });

  it("end where the container is read-only, or pushing is switched off", async () => {
    const [path, bytes] = [newPath(), small("read-only")];
    const upload = await begun(alice, path, bytes);
    await putPart(alice, upload, 1, bytes);
    const [entity = "", collection = "", container = ""] = path.split("/");
    await setReadOnly(testContext(), operator, { entity, collection, container }, true);
    expect(await codeOf(await complete(alice, upload))).toBe("read-only");
    expect(await codeOf(await begin(alice, path, small("another")))).toBe("read-only");
    const off = { ...alice, env: environment({ DISABLE_BUILDING: "true" }) };
    expect(await codeOf(await putPart(off, upload, 1, bytes))).toBe("pushing-disabled");
  });

  it("of a browser count for its own pages alone: another site's part is not taken", async () => {
    const bytes = small("from a browser");
    const { headers, cookie } = await newSession(alice.username);
    const upload = await begun({ headers }, newPath(), bytes);
    const foreign = { headers: { Cookie: cookie, "Sec-Fetch-Site": "cross-site" } };
    expect(await codeOf(await putPart(foreign, upload, 1, bytes))).toBe("cross-site");
    expect((await putPart({ headers }, upload, 1, bytes)).status).toBe(204);
    expect(await stateOf(await complete({ headers }, upload))).toBe("published");
  });
});

describe("two at once", () => {
  const isStoring = ({ kind, name }: Call) => kind === "r2" && name === "uploadPart";

  it("who send the same part never leave a part noted that is not the one stored", async () => {
    const [path, bytes] = [newPath(), large("twice at once")];
    const upload = await begun(alice, path, bytes, { tags: ["v1"] });
    for (const number of [2, 3]) await putPart(alice, upload, number, bytes);
    let other: Response | null = null;
    const during = interrupted(alice.env, isStoring, async () => {
      other = await putPart(alice, upload, 1, bytes);
    });
    const one = await putPart({ ...alice, env: during }, upload, 1, bytes);
    expect([one.status, (other as Response | null)?.status]).toEqual([409, 204]);
    expect(await (await look(alice, upload)).json()).toMatchObject({ received: [2, 3] });
    await putPart(alice, upload, 1, bytes);
    expect(await stateOf(await complete(alice, upload))).toBe("published");
    expect(await pull(`${path}:v1`)).toEqual(bytes);
  });

  it("who send a part again when all are one object already lose nothing by it", async () => {
    const [path, bytes] = [newPath(), large("assembled")];
    const upload = await begun(alice, path, bytes, { tags: ["v1"] });
    for (const number of [1, 2, 3]) await putPart(alice, upload, number, bytes);
    const lost = watched(alice.env, {
      after: async ({ name }) => {
        if (name === "complete") throw new Error("injected: Network connection lost");
      },
    });
    expect((await complete({ ...alice, env: lost }, upload)).status).toBe(503);
    expect((await putPart(alice, upload, 2, bytes)).status).toBe(204);
    expect(await stateOf(await complete(alice, upload))).toBe("published");
    expect(await pull(`${path}:v1`)).toEqual(bytes);
  });

  it("who complete it both find it published", async () => {
    const [path, bytes] = [newPath(), large("completed twice")];
    const upload = await begun(alice, path, bytes);
    for (const number of [1, 2, 3]) await putPart(alice, upload, number, bytes);
    const both = await Promise.all([complete(alice, upload), complete(alice, upload)]);
    expect(await Promise.all(both.map(stateOf))).toEqual(["published", "published"]);
  });

  it("of whom one cancels while the other completes leave nothing published, or nothing cancelled", async () => {
    const [path, bytes] = [newPath(), small("cancelled meanwhile")];
    const upload = await begun(alice, path, bytes, { tags: ["v1"] });
    await putPart(alice, upload, 1, bytes);
    const isMarking = ({ sql }: Call) => sql.some((text) => /^update "uploads" set "state"/i.test(text.trim()));
    const during = interrupted(environment(), isMarking, () => cancel(alice, upload));
    const done = await complete({ ...alice, env: during }, upload);
    expect([done.status, await codeOf(done)]).toEqual([410, "upload-ended"]);
    expect(await pull(`${path}:v1`)).toBe(404);
    const { findings } = await checkIntegrity(testContext(), operator, null);
    expect(findings.filter(({ kind }) => !["upload-open", "blob-unreferenced"].includes(kind))).toEqual([]);
  });

  it("who bring the same image both have it, and the slower one's parts are freed", async () => {
    const [path, bytes] = [newPath(), small("brought twice")];
    const upload = await begun(alice, path, bytes, { tags: ["mine"] });
    await push(alice.token, `${path}:theirs`, bytes);
    expect(await stateOf(await complete(alice, upload))).toBe("published");
    for (const tag of ["mine", "theirs"]) expect(await pull(`${path}:${tag}`)).toEqual(bytes);
    expect(await stateOf(await look(alice, upload))).toBe("published");
  });
});

describe("round trips", () => {
  it("of a part are one for who asks, one to look, two to note it, and one to R2", async () => {
    const bytes = small("counted");
    const upload = await begun(alice, newPath(), bytes);
    const { env: of, counts } = counted();
    expect((await putPart({ ...alice, env: of }, upload, 1, bytes)).status).toBe(204);
    expect(counts).toEqual({ d1: 4, r2: 1, durable: 0 });
    const list = counted();
    await askJson("/api/v1/uploads", { ...alice, env: list.env });
    expect(list.counts).toEqual({ d1: 2, r2: 0, durable: 0 });
  });
});
