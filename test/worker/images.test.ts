import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { makeSif } from "../support/make-sif.ts";
import { counted } from "../support/worker/calls.ts";
import { allItems, type Lab, newLab, outcome, outcomeOf, rowsRead } from "../support/worker/lab.ts";
import { ask, askJson, digestOf, newTokenFor, register, startUpload, testContext } from "../support/worker/registry.ts";
import { askAsShown } from "../support/worker/shown.ts";

const anyState = { "If-Match": "*" };

interface Listed {
  digest: string;
  tags: string[];
  tagCount: number;
  state: { is: string; percent: number | null; reason: string | null } | null;
}

/** An image that is registered, and whose bytes are still to come. */
async function pendingImage({ owner, entity, collection }: Lab, salt: string) {
  const bytes = makeSif({ salt: `${collection} ${salt}` });
  return { bytes, ...(await register(owner.token, `${entity}/${collection}/app`, bytes)) };
}

describe("the images of a container", () => {
  it("are listed the newest first, page by page, in one call of the database", async () => {
    const lab = await newLab();
    const { containerId } = await lab.push("app", "v1");
    const blob = await env.DB.prepare("SELECT digest FROM images WHERE container_id = ?")
      .bind(containerId)
      .first("digest");
    await env.DB.batch([
      env.DB.prepare(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1230)
         INSERT INTO blobs (digest, object_key, size_bytes, created_at)
         SELECT printf('sha256.%064d', i), 'objects/listed' || i, 5, 1 FROM n`,
      ),
      env.DB.prepare(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1230)
         INSERT INTO images (id, container_id, digest, state, blob_digest, arch, size_bytes, created_at, published_at)
         SELECT lower(hex(randomblob(16))), ?, printf('sha256.%064d', i), 'published', printf('sha256.%064d', i), 'amd64', 5, 1, i / 10 FROM n`,
      ).bind(containerId),
    ]);
    const items = await allItems<Listed>(lab.at("app", "images"));
    expect(items).toHaveLength(1231);
    expect(new Set(items.map(({ digest }) => digest)).size).toBe(1231);
    expect(items[0]?.digest).toBe(blob);
    // Most have a tag, and those without are found all the same.
    await env.DB.prepare(
      `INSERT INTO tags (container_id, arch, name, image_id, updated_at)
       SELECT container_id, arch, 'n' || published_at || id, id, 1 FROM images
       WHERE container_id = ? AND published_at BETWEEN 11 AND 1000`,
    )
      .bind(containerId)
      .run();
    const untagged = await allItems<Listed>(`${lab.at("app", "images")}?untagged=1`);
    expect(untagged.map(({ digest }) => digest)).toEqual(items.slice(-109).map(({ digest }) => digest));
    const { env: counting, counts } = counted();
    expect(await outcome(lab.at("app", "images"), { env: counting })).toBe("200");
    expect(counts).toEqual({ d1: 1, r2: 0, durable: 0 });
    // Each with its blob, inspection and tags, a few rows of each.
    for (const query of ["", "?untagged=1"]) {
      expect(await rowsRead(`${lab.at("app", "images")}${query}`), query).toBeLessThan(101 * 5 + 50);
    }
    for (const query of ["untagged=2", "after=x", "after=WzFd"]) {
      expect(await outcome(`${lab.at("app", "images")}?${query}`), query).toBe("400 query-invalid");
    }
  });

  it("without a tag are those that no tag is on any more", async () => {
    const lab = await newLab();
    const [{ digest: first }] = (await allItems<Listed>(lab.at("app", "images"))) as [Listed];
    const untagged = async () =>
      (await allItems<Listed>(`${lab.at("app", "images")}?untagged=1`)).map(({ digest }) => digest);
    expect(await untagged()).toEqual([]);
    const second = await lab.push("app", "v1", "moved");
    expect(await untagged()).toEqual([first]);
    await askJson(lab.at("app", "tags", "old"), { method: "PUT", token: lab.owner.token, body: { digest: first } });
    expect(await untagged()).toEqual([]);
    await askJson(lab.at("app", "tags", "v1"), { method: "PUT", token: lab.owner.token, body: { digest: first } });
    expect(await untagged()).toEqual([second.digest]);
  });

  it("have their tags in natural order, a hundred at most, and the number of all", async () => {
    const lab = await newLab();
    const { containerId, imageId } = await lab.push("app", "v1");
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)
       INSERT INTO tags (container_id, arch, name, image_id, updated_at) SELECT ?, 'amd64', 't' || i, ?, 1 FROM n`,
    )
      .bind(containerId, imageId)
      .run();
    const [image] = await allItems<Listed>(lab.at("app", "images"));
    expect(image?.tagCount).toBe(151);
    expect(image?.tags).toEqual(Array.from({ length: 100 }, (_, index) => `t${index + 1}`));
  });

  it("to come are for who may push: registered, refused, or being verified", async () => {
    const lab = await newLab();
    const registered = await pendingImage(lab, "registered");
    const refused = await pendingImage(lab, "refused");
    await env.DB.prepare("UPDATE images SET refused_reason = 'It is no image.' WHERE id = ?")
      .bind(refused.imageId)
      .run();
    const verifying = await pendingImage(lab, "verifying");
    await startUpload(lab.owner.token, verifying, verifying.bytes);
    await env.DB.batch([
      env.DB.prepare("UPDATE uploads SET state = 'verifying' WHERE image_id = ?").bind(verifying.imageId),
      env.DB.prepare(
        `INSERT INTO jobs (id, kind, subject, done_bytes, total_bytes, attempts, created_at, updated_at)
         SELECT 'verify-upload:' || id, 'verify-upload', id, 25, 100, 1, 1, 9e15 FROM uploads WHERE image_id = ?`,
      ).bind(verifying.imageId),
    ]);
    const url = `${lab.at("app", "images")}?pending=1`;
    const states = Object.fromEntries(
      (await allItems<Listed>(url, { token: lab.contributor.token })).map(({ digest, state }) => [digest, state]),
    );
    expect(states).toEqual({
      [registered.digest]: { is: "registered", percent: null, reason: null },
      [refused.digest]: { is: "refused", percent: null, reason: "It is no image." },
      [verifying.digest]: { is: "verifying", percent: 25, reason: null },
    });
    expect(await outcome(url, { token: lab.reader.token })).toBe("403 forbidden");
    expect(await outcome(url)).toBe("401 unauthenticated");
    expect(await allItems(lab.at("app", "images"))).toHaveLength(1);
    for (const token of [null, lab.reader.token, lab.stranger.token]) {
      expect(await outcome(lab.at("app", "images", registered.digest), { token })).toBe("404 not-found");
    }
    const seen = await askJson(lab.at("app", "images", registered.digest), { token: lab.contributor.token });
    expect(seen).toMatchObject({ arch: null, publishedAt: null, state: { is: "registered" } });
  });
});

describe("an image", () => {
  it("has all that was read of it, in one call of the database", async () => {
    const lab = await newLab();
    const signedBy = ["B1370B258AFD83A6B1370B258AFD83A6B1370B25"];
    const bytes = makeSif({
      salt: lab.collection,
      signedBy,
      definition: "Bootstrap: docker\nFrom: debian:12\n",
      attributes: { labels: { org: "lab", Ä: "ö" }, runscript: "#!/bin/sh\nexec true\n" },
    });
    const path = `${lab.entity}/${lab.collection}/app`;
    const { containerId, ...image } = await register(lab.owner.token, path, bytes);
    await ask(await startUpload(lab.owner.token, { containerId, ...image }, bytes), { method: "PUT", body: bytes });
    await ask(`/v2/imagefile/${image.imageId}/_complete`, { method: "PUT", token: lab.owner.token, body: {} });
    await testContext().jobs.run(`inspect-image:${image.imageId}`, 10_000);
    const { env: counting, counts } = counted();
    const found = await askJson(lab.at("app", "images", image.digest), { env: counting });
    expect(counts).toEqual({ d1: 1, r2: 0, durable: 0 });
    expect(found).toMatchObject({
      digest: image.digest,
      sizeBytes: bytes.length,
      arch: "amd64",
      signed: true,
      encrypted: false,
      frozen: false,
      fingerprints: signedBy,
      tags: [],
      createdBy: null,
      shares: null,
      state: null,
      inspection: { state: "done", reason: null },
      labels: { org: "lab", Ä: "ö" },
      definition: "Bootstrap: docker\nFrom: debian:12\n",
      metadata: { objects: expect.any(Array), attributes: { runscript: "#!/bin/sh\nexec true\n" } },
    });
    const own = await askJson(lab.at("app", "images", image.digest), { token: lab.owner.token });
    expect(own).toMatchObject({ createdBy: lab.owner.username, shares: 0, state: { is: "published" } });
    const read = await askJson(lab.at("app", "images", image.digest), { token: lab.reader.token });
    expect(read).toMatchObject({ createdBy: lab.owner.username, shares: null, state: null });
  });

  it("that is damaged says so to who may push, and why nothing was read of one, too", async () => {
    const lab = await newLab();
    const { digest, imageId } = await lab.push("app", "v2");
    await env.DB.batch([
      env.DB.prepare("UPDATE blobs SET state = 'corrupt' WHERE digest = ?").bind(digest),
      env.DB.prepare("DELETE FROM inspections WHERE image_id = ?").bind(imageId),
      env.DB.prepare(
        "INSERT INTO inspections (image_id, state, error, reader, inspected_at) VALUES (?, 'failed', 'It is odd.', 1, 1)",
      ).bind(imageId),
    ]);
    const url = lab.at("app", "images", digest);
    expect(await askJson(url, { token: lab.contributor.token })).toMatchObject({
      state: { is: "corrupt" },
      inspection: { state: "failed", reason: "It is odd." },
      metadata: null,
    });
    expect(await askJson(url)).toMatchObject({ state: null, inspection: { state: "failed", reason: null } });
  });

  it("counts its share links that work, for owners alone", async () => {
    const lab = await newLab();
    const { digest, imageId } = await lab.push("app", "v1");
    const share = (id: string, expiresAt: number, max: number | null, downloads: number) =>
      env.DB.prepare(
        `INSERT INTO shares (id, hash, image_id, note, created_by, created_at, expires_at, max_downloads, downloads)
         SELECT ?, printf('%064s', ?), ?, '', id, 1, ?, ?, ? FROM users WHERE username = ?`,
      ).bind(
        `${lab.collection}${id}`,
        `${lab.collection}${id}`,
        imageId,
        expiresAt,
        max,
        downloads,
        lab.owner.username,
      );
    const soon = Date.now() + 1e6;
    await env.DB.batch([
      share("a", soon, null, 5),
      share("b", soon, 2, 1),
      share("c", soon, 2, 2),
      share("d", 5, null, 0),
    ]);
    const url = lab.at("app", "images", digest);
    expect(await askJson(url, { token: lab.owner.token })).toMatchObject({ shares: 2 });
    expect(await askJson(url, { token: lab.contributor.token })).toMatchObject({ shares: null });
  });

  it("is not there for who may not see its collection, nor in another container, nor by half a digest", async () => {
    const lab = await newLab({ private: true });
    const { digest } = await lab.push("app", "v1");
    await lab.push("other", "v1", "other");
    for (const [url, token] of [
      [lab.at("app", "images", digest), null],
      [lab.at("app", "images", digest), lab.stranger.token],
      [lab.at("app", "images"), lab.stranger.token],
      [lab.at("other", "images", digest), lab.owner.token],
      [lab.at("nothing", "images"), lab.owner.token],
    ] as const) {
      expect(await outcome(url, { token }), url).toBe("404 not-found");
    }
    for (const odd of [digest.slice(0, 40), digest.toUpperCase(), "sha256.", "v1"]) {
      expect(await outcome(lab.at("app", "images", odd), { token: lab.owner.token })).toBe("400 digest-invalid");
    }
  });
});

describe("freezing an image", () => {
  it("is for owners, and keeps it from being deleted, and its tags where they are", async () => {
    const lab = await newLab();
    const { digest } = await lab.push("app", "v1");
    const url = lab.at("app", "images", digest);
    const freeze = (token: string | null, frozen: unknown, headers: Record<string, string> = anyState) =>
      outcome(url, { method: "PATCH", token, body: { frozen }, headers });
    expect(await freeze(null, true)).toBe("401 unauthenticated");
    for (const { token } of [lab.contributor, lab.reader, lab.stranger])
      expect(await freeze(token, true)).toBe("403 forbidden");
    const pushOnly = await newTokenFor(lab.owner.username, { scopes: ["pull", "push"] });
    expect(await freeze(pushOnly, true)).toBe("403 insufficient-scope");
    expect(await freeze(lab.owner.token, true, {})).toBe("428 precondition-required");
    expect(await freeze(lab.owner.token, "true")).toBe("400 body-invalid");
    const etag = (await ask(url, lab.owner)).headers.get("ETag") ?? "";
    expect(await freeze(lab.owner.token, true, { "If-Match": etag })).toBe("204");
    expect(await freeze(lab.owner.token, false, { "If-Match": etag })).toBe("412 precondition-failed");
    expect(await askJson(url)).toMatchObject({ frozen: true });
    expect(await outcomeOf(await askAsShown(url, { method: "DELETE", token: lab.owner.token }))).toBe("409 frozen");
    const move = { method: "PUT", token: lab.owner.token, body: { digest: (await lab.push("app", "v2")).digest } };
    expect(await outcome(lab.at("app", "tags", "v1"), move)).toBe("409 tag-frozen");
    expect(await freeze(lab.owner.token, false)).toBe("204");
    const gone = lab.at("app", "images", await digestOf(makeSif({ salt: "nowhere" })));
    expect(
      await outcome(gone, { method: "PATCH", token: lab.owner.token, body: { frozen: true }, headers: anyState }),
    ).toBe("404 not-found");
  });
});
