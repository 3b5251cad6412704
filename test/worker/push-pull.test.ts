import { describe, expect, it } from "vitest";
import { makeSif } from "../support/make-sif.ts";
import { ask, askJson, newPerson, ORIGIN, pull, push, register, startUpload } from "../support/worker/registry.ts";

describe("pushing and pulling an image in one piece", () => {
  it("gives back the very bytes, by tag, by digest, by two and three part names", async () => {
    const alice = await newPerson("alice");
    const bytes = makeSif({ salt: "one" });
    const { digest } = await push(alice.token, `${alice.username}/first/app:v1,latest`, bytes);
    for (const reference of [
      `${alice.username}/first/app:v1`,
      `${alice.username}/first/app`,
      `${alice.username}/first/app:${digest}`,
      "first/app:v1",
      `first/app:${digest}`,
      `${alice.username.toUpperCase()}/FIRST/App:v1`,
    ]) {
      expect(await pull(reference), reference).toEqual(bytes);
    }
  });

  it("describes the image as the clients read it", async () => {
    const alice = await newPerson("alice");
    const fingerprint = "B1370B258AFD83A6B1370B258AFD83A6B1370B25";
    const bytes = makeSif({ salt: "described", signedBy: [fingerprint], encrypted: true });
    const { digest, containerId } = await push(alice.token, `${alice.username}/described/app:v1`, bytes);
    const { data } = await askJson(`/v1/images/${alice.username}/described/app:v1?arch=amd64`);
    expect(data).toMatchObject({
      hash: digest,
      uploaded: true,
      size: bytes.length,
      arch: "amd64",
      signed: true,
      encrypted: true,
      fingerprints: [fingerprint],
      container: containerId,
      containerName: "app",
      collectionName: "described",
      entityName: alice.username,
      tags: ["v1"],
    });
    const times = Object.entries(data as Record<string, unknown>).filter(([key]) => key.endsWith("At"));
    for (const [, time] of times) expect(time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it("describes what holds it as the clients read it", async () => {
    const alice = await newPerson("alice");
    const { collectionId, containerId } = await push(alice.token, `${alice.username}/holders/app:v1`, makeSif());
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const common = { description: "", createdAt: time, deleted: false };
    const entity = await askJson<{ data: { id: string } }>(`/v1/entities/${alice.username}`);
    const { id } = entity.data;
    expect(entity).toEqual({ data: { ...common, id, name: alice.username } });
    const size = makeSif().length;
    // How much is in it is for its owner alone.
    const own = { ...entity.data, size, quota: 0 };
    expect(await askJson("/v1/entities", { token: alice.token })).toEqual({ data: own });
    const collection = { ...common, id: collectionId, name: "holders", entity: id, entityName: alice.username };
    const listed = { ...collection, size, private: false, updatedAt: time };
    expect(await askJson(`/v1/collections/${alice.username}/holders`)).toEqual({ data: listed });
    const { collections } = await askJson<{ collections: unknown[] }>("/v1/collections");
    expect(collections).toContainEqual(listed);
    const names = { collection: collectionId, collectionName: "holders", entity: id, entityName: alice.username };
    const container = { ...common, ...names, id: containerId, name: "app", private: false, readOnly: false };
    expect(await askJson(`/v1/containers/${alice.username}/holders/app`)).toEqual({
      data: { ...container, size, downloadCount: 0, stars: 0, updatedAt: time },
    });
  });

  it("tells a client who it is, with the token it presented, and nobody else", async () => {
    const { username, token } = await newPerson("alice");
    const who = await askJson("/v1/rbac/users/current", { token });
    expect(who).toEqual({ username, email: "", realname: username, oidc_user_meta: { secret: token } });
    const valid = await ask("/v1/token-status", { token });
    expect([valid.status, await valid.text()]).toEqual([200, ""]);
    expect((await ask("/v1/rbac/users/current")).status).toBe(401);
    expect((await ask("/v1/token-status")).status).toBe(404);
  });

  it("keeps images of different architectures under one tag apart", async () => {
    const alice = await newPerson("alice");
    const [amd, arm] = [makeSif({ salt: "a" }), makeSif({ salt: "b", archCode: "04" })];
    await push(alice.token, `${alice.username}/arches/app:v1`, amd);
    await push(alice.token, `${alice.username}/arches/app:v1`, arm, { arch: "arm64" });
    const sizes = async (arch: string) => (await ask(`/v1/images/${alice.username}/arches/app:v1?arch=${arch}`)).status;
    expect([await sizes("amd64"), await sizes("arm64"), await sizes("riscv64")]).toEqual([200, 200, 404]);
    const { data } = await askJson<{ data: { arch: string } }>(`/v1/images/${alice.username}/arches/app:v1`);
    expect(data.arch).toBe("amd64");
  });

  it("answers 303 to an absolute URL of the registry, never 302", async () => {
    const alice = await newPerson("alice");
    await push(alice.token, `${alice.username}/redirect/app:v1`, makeSif({ salt: "r" }));
    const response = await ask(`/v1/imagefile/${alice.username}/redirect/app:v1?arch=amd64`);
    expect(response.status).toBe(303);
    expect(response.headers.get("Location")).toMatch(new RegExp(`^${ORIGIN}/blobs/app_v1\\.sif\\?t=`));
  });

  it("stores content once, and needs no upload from whoever may read it already", async () => {
    const [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
    const bytes = makeSif({ salt: "shared" });
    await push(alice.token, `${alice.username}/once/app:v1`, bytes);
    const second = await register(bob.token, `${bob.username}/again/app`, bytes);
    expect(second.uploaded).toBe(true);
  });

  it("takes the whole upload from whoever may not read the image that is there", async () => {
    const [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
    const bytes = makeSif({ salt: "secret content" });
    await push(alice.token, `${alice.username}/hidden/app:v1`, bytes, { private: true });
    const second = await register(bob.token, `${bob.username}/mine/app`, bytes);
    expect(second.uploaded).toBe(false);
    await push(bob.token, `${bob.username}/mine/app:v1`, bytes);
    expect(await pull(`${bob.username}/mine/app:v1`)).toEqual(bytes);
  });

  it("works for clients that upload by v1 and tag without an architecture", async () => {
    const alice = await newPerson("alice");
    const bytes = makeSif({ salt: "v1 upload" });
    const { imageId, containerId } = await register(alice.token, `${alice.username}/old/app`, bytes);
    const sent = await ask(`/v1/imagefile/${imageId}`, { method: "POST", token: alice.token, body: bytes });
    expect(sent.status).toBe(200);
    const body = { Tag: "v1", ImageID: imageId };
    expect((await ask(`/v1/tags/${containerId}`, { method: "POST", token: alice.token, body })).status).toBe(200);
    expect(await askJson(`/v1/tags/${containerId}`)).toEqual({ data: { v1: imageId } });
    expect(await askJson(`/v2/tags/${containerId}`)).toEqual({ data: { amd64: { v1: imageId } } });
    expect(await pull(`${alice.username}/old/app:v1`)).toEqual(bytes);
  });

  it("shows an image whose bytes are still to come only to who pushes it", async () => {
    const alice = await newPerson("alice");
    const bytes = makeSif({ salt: "half" });
    const { digest } = await register(alice.token, `${alice.username}/half/app`, bytes);
    const path = `/v1/images/${alice.username}/half/app:${digest}?arch=amd64`;
    expect((await ask(path)).status).toBe(404);
    const { data } = await askJson<{ data: { uploaded: boolean } }>(path, { token: alice.token });
    expect(data.uploaded).toBe(false);
    expect(await pull(`${alice.username}/half/app:${digest}`, alice.token)).toBe(404);
  });

  it("moves a tag set before completion when the image is published, and leaves it where it was until then", async () => {
    const alice = await newPerson("alice");
    const [old, fresh] = [makeSif({ salt: "old" }), makeSif({ salt: "fresh" })];
    const path = `${alice.username}/wanted/app`;
    await push(alice.token, `${path}:v1`, old);
    const next = await register(alice.token, path, fresh);
    const url = await startUpload(alice.token, next, fresh);
    const body = { Arch: "amd64", Tag: "v1", ImageID: next.imageId };
    expect((await ask(`/v2/tags/${next.containerId}`, { method: "POST", token: alice.token, body })).status).toBe(200);
    expect(await pull(`${path}:v1`)).toEqual(old);
    await ask(url, { method: "PUT", body: fresh });
    await ask(`/v2/imagefile/${next.imageId}/_complete`, { method: "PUT", token: alice.token, body: {} });
    expect(await pull(`${path}:v1`)).toEqual(fresh);
  });

  it("keeps a replaced image pullable by its digest", async () => {
    const alice = await newPerson("alice");
    const [old, fresh] = [makeSif({ salt: "replaced" }), makeSif({ salt: "replacing" })];
    const { digest } = await push(alice.token, `${alice.username}/replace/app:v1`, old);
    await push(alice.token, `${alice.username}/replace/app:v1`, fresh);
    expect(await pull(`${alice.username}/replace/app:v1`)).toEqual(fresh);
    expect(await pull(`${alice.username}/replace/app:${digest}`)).toEqual(old);
  });

  it("has no OCI redirect yet, and says so with the 404 that clients fall back on", async () => {
    expect((await ask("/v1/oci-redirect?namespace=a/b/c")).status).toBe(404);
  });
});
