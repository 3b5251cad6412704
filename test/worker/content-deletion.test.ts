import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { checkIntegrity } from "../../worker/registry/upkeep/check-integrity.ts";
import { makeSif } from "../support/make-sif.ts";
import { counted, interrupted } from "../support/worker/calls.ts";
import { allItems, type Lab, newLab, outcome, outcomeOf, preview } from "../support/worker/lab.ts";
import {
  ask,
  askJson,
  environment,
  newTokenFor,
  pull,
  push,
  register,
  testContext,
} from "../support/worker/registry.ts";
import { askAsShown } from "../support/worker/shown.ts";

const anyState = { "If-Match": "*" };

/** As it is shown just then, or with the tag of what was shown before. */
async function remove(url: string, token: string | null, headers?: Record<string, string>): Promise<string> {
  if (headers !== undefined) return await outcome(url, { method: "DELETE", token, headers });
  return await outcomeOf(await askAsShown(url, { method: "DELETE", token }));
}

const SIZE = makeSif({ salt: "size" }).length;

async function miscounts(): Promise<string[]> {
  const { findings } = await checkIntegrity(testContext(), operator, null);
  return findings.map(({ kind }) => kind).filter((kind) => !["upload-open", "blob-unreferenced"].includes(kind));
}

async function shareOf(lab: Lab, digest: string): Promise<void> {
  const id = crypto.randomUUID();
  await env.DB.prepare(
    `INSERT INTO shares (id, hash, image_id, note, created_by, created_at, expires_at)
     SELECT ?1, ?1 || printf('%028d', 1), images.id, '', users.id, 1, 9e15 FROM images, users
     WHERE images.digest = ?2 AND users.username = ?3
       AND images.container_id = (SELECT containers.id FROM containers INNER JOIN collections ON collections.id = collection_id
         WHERE containers.name = 'app' AND collections.name = ?4)`,
  )
    .bind(id, digest, lab.owner.username, lab.collection)
    .run();
}

/** A lab whose container has two images, one of them with two tags and shared, and in another container too. */
async function busyLab(options: { private?: boolean } = {}) {
  const lab = await newLab(options);
  const one = await lab.push("app", "v1");
  const two = await lab.push("app", "v2,latest", "two");
  await lab.push("other", "v9", "two");
  await shareOf(lab, two.digest);
  return { lab, one, two };
}

describe("the preview of a deletion", () => {
  it("of a container says what goes, what breaks, and what the collection gains, and does nothing", async () => {
    const { lab, one, two } = await busyLab();
    const { env: counting, counts } = counted();
    await ask("/v1/token-status", { token: lab.owner.token });
    const { shown, etag } = await preview(lab.at("app"), { token: lab.owner.token, env: counting });
    expect(counts).toEqual({ d1: 3, r2: 0, durable: 0 });
    expect(shown).toEqual({
      images: 2,
      digests: expect.arrayContaining([one.digest, two.digest]),
      tags: 3,
      tagNames: ["latest", "v1", "v2"],
      // The other container has the second one.
      bytes: SIZE,
      shares: 1,
      uploads: 0,
      obstacles: [],
    });
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    expect(await askJson(lab.at("app"))).toMatchObject({ imageCount: 2 });
  });

  it("of an image and of a tag says the same of them", async () => {
    const { lab, one, two } = await busyLab();
    const of = async (...more: string[]) => (await preview(lab.at("app", ...more), { token: lab.owner.token })).shown;
    expect(await of("images", two.digest)).toMatchObject({
      images: 1,
      tags: 2,
      tagNames: ["latest", "v2"],
      bytes: 0,
      shares: 1,
    });
    expect(await of("tags", "v2")).toMatchObject({
      images: 0,
      digests: [],
      tags: 1,
      tagNames: ["v2"],
      bytes: 0,
      shares: 0,
    });
    expect(await of("tags", "v1")).toMatchObject({ images: 1, digests: [one.digest], tags: 1, bytes: SIZE, shares: 0 });
  });

  it("says whether bytes are stored once more to those who see that, and to nobody else", async () => {
    const lab = await newLab();
    const secret = await newLab({ private: true });
    const bytes = makeSif({ salt: `${lab.collection} both` });
    const { digest } = await push(lab.owner.token, `${lab.entity}/${lab.collection}/app:both`, bytes);
    await push(secret.owner.token, `${secret.entity}/${secret.collection}/app:both`, bytes);
    const { shown } = await preview(lab.at("app", "images", digest), { token: lab.owner.token });
    expect(shown).toMatchObject({ bytes: SIZE });
  });

  it("names what is in the way, which the deletion then refuses", async () => {
    const { lab, two } = await busyLab();
    const edit = (url: string, body: Record<string, unknown>) =>
      outcome(url, { method: "PATCH", token: lab.owner.token, body, headers: anyState });
    await edit(lab.at("app", "tags", "latest"), { frozen: true });
    await edit(lab.at("app", "images", two.digest), { frozen: true });
    const obstacles = async (...more: string[]) =>
      (await preview(lab.at("app", ...more), { token: lab.owner.token })).shown.obstacles;
    const both = ["Frozen images: 1. Thaw them first.", "Frozen tags: 1. Thaw them first."];
    expect(await obstacles()).toEqual(both);
    expect(await obstacles("images", two.digest)).toEqual(both);
    expect(await obstacles("tags", "v2")).toEqual([both[0]]);
    expect(await obstacles("tags", "v1")).toEqual([]);
    for (const of of [[], ["images", two.digest], ["tags", "v2"], ["tags", "latest"]]) {
      expect(await remove(lab.at("app", ...of), lab.owner.token), of.join("/")).toBe("409 frozen");
    }
    await edit(lab.at("app"), { readOnly: true });
    expect(await obstacles()).toEqual(["The container is read-only.", ...both]);
    for (const of of [[], ["tags", "v1"]]) {
      expect(await remove(lab.at("app", ...of), lab.owner.token), of.join("/")).toBe("409 read-only");
    }
    expect(await askJson(lab.at("app"))).toMatchObject({ imageCount: 2 });
  });
});

describe("a deletion", () => {
  it("takes a container with all in it, and leaves what others have", async () => {
    const { lab, two } = await busyLab();
    const pending = await register(
      lab.owner.token,
      `${lab.entity}/${lab.collection}/app`,
      makeSif({ salt: "pending" }),
    );
    const { etag } = await preview(lab.at("app"), { token: lab.owner.token });
    expect(await remove(lab.at("app"), lab.owner.token, { "If-Match": etag })).toBe("204");
    expect(await outcome(lab.at("app"))).toBe("404 not-found");
    expect(await pull(`${lab.entity}/${lab.collection}/other:v9`)).toBeInstanceOf(Uint8Array);
    expect(await env.DB.prepare("SELECT count(*) AS n FROM images WHERE id = ?").bind(pending.imageId).first("n")).toBe(
      0,
    );
    expect(await remove(lab.at("app"), lab.owner.token, { "If-Match": etag })).toBe("404 not-found");
    const unreferenced = "SELECT unreferenced_at IS NULL AS kept FROM blobs WHERE digest = ?";
    expect(await env.DB.prepare(unreferenced).bind(two.digest).first("kept")).toBe(1);
    expect(await miscounts()).toEqual([]);
  });

  it("of an image takes its tags, and frees its bytes when nobody else has them", async () => {
    const { lab, one, two } = await busyLab();
    for (const { digest } of [one, two]) {
      const url = lab.at("app", "images", digest);
      const { etag } = await preview(url, { token: lab.owner.token });
      expect(await remove(url, lab.owner.token, { "If-Match": etag })).toBe("204");
      expect(await remove(url, lab.owner.token)).toBe("404 not-found");
    }
    expect(await allItems(lab.at("app", "tags"))).toEqual([]);
    const kept = async (digest: string) =>
      await env.DB.prepare("SELECT unreferenced_at IS NULL AS kept FROM blobs WHERE digest = ?")
        .bind(digest)
        .first("kept");
    expect([await kept(one.digest), await kept(two.digest)]).toEqual([0, 1]);
    expect(await miscounts()).toEqual([]);
  });

  it("of a tag takes an image along with its last one, for all architectures or one", async () => {
    const lab = await newLab();
    const amd = await lab.push("app", "multi,kept", "amd");
    const arm = await lab.push("app", "multi", "arm", { archCode: "04", arch: "arm64" });
    const url = lab.at("app", "tags", "multi");
    expect((await preview(`${url}?arch=arm64`, { token: lab.owner.token })).shown).toMatchObject({
      images: 1,
      tags: 1,
    });
    expect((await preview(url, { token: lab.owner.token })).shown).toMatchObject({
      images: 1,
      tags: 2,
      digests: [arm.digest],
    });
    expect(await remove(`${url}?arch=arm64`, lab.owner.token)).toBe("204");
    expect(await outcome(lab.at("app", "images", arm.digest))).toBe("404 not-found");
    expect(await askJson(url)).toMatchObject({ architectures: [{ arch: "amd64" }] });
    expect(await remove(url, lab.owner.token)).toBe("204");
    expect(await askJson(lab.at("app", "images", amd.digest))).toMatchObject({ tags: ["kept"] });
    expect(await remove(url, lab.owner.token)).toBe("404 not-found");
    expect(await miscounts()).toEqual([]);
  });

  it("takes away an image whose bytes never came", async () => {
    const lab = await newLab();
    const bytes = makeSif({ salt: `${lab.collection} never` });
    const { digest } = await register(lab.owner.token, `${lab.entity}/${lab.collection}/app`, bytes);
    expect(await remove(lab.at("app", "images", digest), lab.owner.token)).toBe("204");
    expect(await allItems(`${lab.at("app", "images")}?pending=1`, { token: lab.owner.token })).toEqual([]);
  });

  it("is for owners, and looks to others as what they asked about does", async () => {
    const { lab, two } = await busyLab({ private: true });
    const narrowed = await newTokenFor(lab.owner.username, {
      collection: { entity: lab.entity, name: lab.collection },
    });
    const pushOnly = await newTokenFor(lab.owner.username, { scopes: ["pull", "push"] });
    for (const of of [[], ["images", two.digest], ["tags", "v2"]]) {
      const url = lab.at("app", ...of);
      for (const query of ["", "?preview=1"]) {
        const ask = (token: string | null) => remove(`${url}${query}`, token);
        expect(await ask(null)).toBe("401 unauthenticated");
        expect(await ask("garbage")).toBe("401 invalid-credential");
        expect(await ask(lab.stranger.token)).toBe("404 not-found");
        expect(await ask(lab.reader.token)).toBe("403 forbidden");
        expect(await ask(lab.contributor.token)).toBe("403 forbidden");
        expect(await ask(pushOnly)).toBe("403 insufficient-scope");
      }
      for (const none of [{}, anyState, { "If-Match": '"*"' }]) {
        expect(await remove(url, lab.owner.token, none)).toBe("428 precondition-required");
      }
      expect(await outcome(`${url}?preview=2`, { method: "DELETE", token: lab.owner.token, headers: anyState })).toBe(
        "400 query-invalid",
      );
    }
    expect(await remove(lab.at("app", "tags", "v2"), narrowed)).toBe("204");
  });

  it("does no more than its preview showed: whatever changed since, it is refused", async () => {
    const { lab, one, two } = await busyLab();
    const url = lab.at("app");
    const changes: (() => Promise<unknown>)[] = [
      () => lab.push("app", "v3"),
      () =>
        askJson(lab.at("app", "tags", "v4"), { method: "PUT", token: lab.owner.token, body: { digest: one.digest } }),
      () => shareOf(lab, one.digest),
      () => remove(lab.at("app", "tags", "v4"), lab.owner.token),
      () => remove(lab.at("app", "images", two.digest), lab.owner.token),
    ];
    for (const change of changes) {
      const { etag } = await preview(url, { token: lab.owner.token });
      await change();
      expect(await remove(url, lab.owner.token, { "If-Match": etag }), String(change)).toBe("412 precondition-failed");
    }
    for (const odd of ['"0"', '"x"', "99999999999999999999"]) {
      expect(await remove(url, lab.owner.token, { "If-Match": odd })).toBe("412 precondition-failed");
    }
    expect(await askJson(url)).toMatchObject({ imageCount: 2 });
  });

  it("is carried out once by two at once, and the other finds nothing", async () => {
    for (const of of [[], ["tags", "v1"], ["images"]]) {
      const { lab, one } = await busyLab();
      const url = lab.at("app", ...of, ...(of[0] === "images" ? [one.digest] : []));
      const { etag } = await preview(url, { token: lab.owner.token });
      const both = await Promise.all([1, 2].map(() => remove(url, lab.owner.token, { "If-Match": etag })));
      expect(
        both.filter((status) => status === "204"),
        url,
      ).toHaveLength(1);
      expect(both.find((status) => status !== "204")).toMatch(/^(?:404 not-found|412 precondition-failed)$/);
      expect(await miscounts()).toEqual([]);
    }
  });

  it("of a tag that is moved in that very moment takes nothing", async () => {
    const { lab, two } = await busyLab();
    const { etag } = await preview(lab.at("app", "tags", "v1"), { token: lab.owner.token });
    const moved = () =>
      askJson(lab.at("app", "tags", "v1"), { method: "PUT", token: lab.owner.token, body: { digest: two.digest } });
    const isDeletion = (call: { name: string; sql: string[] }) =>
      call.name === "batch" && call.sql.some((sql) => /^delete from "tags"/i.test(sql));
    const between = interrupted(environment(), isDeletion, moved);
    const asked = { method: "DELETE", token: lab.owner.token, headers: { "If-Match": etag }, env: between };
    expect(await outcome(lab.at("app", "tags", "v1"), asked)).toBe("412 precondition-failed");
    expect(await askJson(lab.at("app", "tags", "v1"))).toMatchObject({ architectures: [{ digest: two.digest }] });
  });

  it("stands in the audit log of the collection", async () => {
    const { lab, one, two } = await busyLab();
    await remove(lab.at("app", "tags", "v2"), lab.owner.token);
    await remove(lab.at("app", "images", two.digest), lab.owner.token);
    await remove(lab.at("app"), lab.owner.token);
    const { results } = await env.DB.prepare(
      `SELECT action, target, detail FROM audit WHERE action GLOB '*.delete'
       AND collection_id = (SELECT id FROM collections WHERE name = ?) ORDER BY id`,
    )
      .bind(lab.collection)
      .all<{ action: string; target: string; detail: string }>();
    const target = `${lab.entity}/${lab.collection}/app`;
    expect(results.map((row) => ({ ...row, detail: JSON.parse(row.detail) as unknown }))).toEqual([
      {
        action: "image.delete",
        target,
        detail: { digests: [two.digest], architectures: ["amd64"], reference: { kind: "tag", tag: "v2" } },
      },
      {
        action: "image.delete",
        target,
        detail: { digest: two.digest, reference: { kind: "digest", digest: two.digest } },
      },
      { action: "container.delete", target, detail: { images: 1 } },
    ]);
    expect(await outcome(lab.at("app", "images", one.digest))).toBe("404 not-found");
  });
});
