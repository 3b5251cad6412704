import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setFrozen, setReadOnly } from "../../worker/registry/catalog/manage.ts";
import { limits } from "../../worker/registry/limits.ts";
import { parseContainerPath, parseImageReference } from "../../worker/registry/names.ts";
import { makeSif } from "../support/make-sif.ts";
import {
  ask,
  askJson,
  digestOf,
  indexed,
  newPerson,
  type Pushed,
  pull,
  push,
  register,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";

async function pushed(stem: string) {
  const person = await newPerson("tagger");
  const path = `${person.username}/${uniqueName(stem)}/app`;
  const bytes = makeSif({ salt: path });
  return { person, path, bytes, ...(await push(person.token, `${path}:v1`, bytes)) };
}

function setTag(
  token: string,
  { containerId, imageId }: Pick<Pushed, "containerId" | "imageId">,
  tag: string,
  arch = "amd64",
) {
  const body = { Arch: arch, Tag: tag, ImageID: imageId };
  return ask(`/v2/tags/${containerId}`, { method: "POST", token, body });
}

async function freeze(reference: string, frozen = true): Promise<void> {
  await setFrozen(testContext(), operator, parseImageReference(reference), null, frozen);
}

describe("setting a tag", () => {
  it("takes any OCI tag with its case, and refuses the others and the forms that name content", async () => {
    const { person, ...image } = await pushed("forms");
    for (const tag of ["V1.0_RC", "_x", "1", "a".repeat(128)]) {
      expect((await setTag(person.token, image, tag)).status, tag).toBe(200);
    }
    const forms = ["", "x@y", ".a", "-a", "a/b", "a b", "ü", "a".repeat(129), image.digest, image.digest.toUpperCase()];
    for (const tag of [...forms, `sif.${crypto.randomUUID()}`]) {
      const response = await setTag(person.token, image, tag);
      expect(response.status, tag).toBe(400);
      expect(await response.text()).toContain("tag");
    }
    expect((await ask(`/v1/images/${image.path}:v1.0_rc`)).status).toBe(404);
    expect((await ask(`/v1/images/${image.path}:V1.0_RC`)).status).toBe(200);
  });

  it("refuses an architecture that is not the image's", async () => {
    const { person, ...image } = await pushed("arch");
    const response = await setTag(person.token, image, "v2", "arm64");
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining("built for amd64")]);
  });

  it("refuses an image of another container, as if it were not there", async () => {
    const [one, other] = [await pushed("one"), await pushed("other")];
    const mixed = { containerId: one.containerId, imageId: other.imageId };
    expect((await setTag(one.person.token, mixed, "v1")).status).toBe(404);
    expect(await pull(`${one.path}:v1`)).toEqual(one.bytes);
  });

  it("touches nothing of the same name elsewhere", async () => {
    const [one, other] = [await pushed("same"), await pushed("same")];
    await push(one.person.token, `${one.path}:v1`, makeSif({ salt: "moved" }));
    expect(await pull(`${other.path}:v1`)).toEqual(other.bytes);
  });
});

describe("listing tags", () => {
  it("answers no more than fit an answer, however many there are", async () => {
    const { imageId, containerId } = await pushed("many");
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
       INSERT INTO tags (container_id, arch, name, image_id, updated_at) SELECT ?2, 'amd64', 'many-' || i, ?3, 0 FROM n`,
    )
      .bind(limits.listedTags + 1, containerId, imageId)
      .run();
    const { data } = await askJson<{ data: Record<string, object> }>(`/v2/tags/${containerId}`);
    expect(Object.keys(data.amd64 ?? {})).toHaveLength(limits.listedTags);
  });
});

describe("a frozen tag", () => {
  it("is not replaced or deleted, and says so in sregistry's words", async () => {
    const { person, path, bytes, ...image } = await pushed("frozen");
    await freeze(`${path}:v1`);
    const next = makeSif({ salt: "next" });
    await expect(push(person.token, `${path}:v1`, next)).rejects.toThrow(/400.*This tag exists, and is frozen\./);
    expect((await ask(`/v1/images/${path}:v1`, { method: "DELETE", token: person.token })).status).toBe(400);
    expect((await ask(`/v1/images/${path}:${image.digest}`, { method: "DELETE", token: person.token })).status).toBe(
      400,
    );
    expect(await pull(`${path}:v1`)).toEqual(bytes);
    expect((await setTag(person.token, image, "v1")).status).toBe(200);
    await freeze(`${path}:v1`, false);
    await push(person.token, `${path}:v1`, next);
    expect(await pull(`${path}:v1`)).toEqual(next);
  });

  it("does not move when an image that waited for it is published", async () => {
    const { person, path, bytes } = await pushed("waited");
    const next = makeSif({ salt: "waiting" });
    const waiting = await register(person.token, path, next);
    expect((await setTag(person.token, waiting, "v1")).status).toBe(200);
    await freeze(`${path}:v1`);
    await push(person.token, `${path}:v2`, next);
    expect([await pull(`${path}:v1`), await pull(`${path}:v2`)]).toEqual([bytes, next]);
  });
});

describe("a frozen image", () => {
  it("keeps its tags and cannot be deleted", async () => {
    const { person, path, bytes, digest } = await pushed("icy");
    await freeze(`${path}:${digest}`);
    await expect(push(person.token, `${path}:v1`, makeSif({ salt: "warm" }))).rejects.toThrow(/400.*frozen/);
    for (const selector of ["v1", digest]) {
      const gone = await ask(`/v1/images/${path}:${selector}`, { method: "DELETE", token: person.token });
      expect([gone.status, await gone.text()]).toEqual([400, expect.stringContaining("frozen")]);
    }
    expect(await pull(`${path}:v1`)).toEqual(bytes);
  });
});

describe("a read-only container", () => {
  it("stays as it is", async () => {
    const { person, path, bytes, ...image } = await pushed("readonly");
    const container = parseContainerPath(path);
    if (container === null) throw new Error(path);
    await setReadOnly(testContext(), operator, container, true);
    await expect(push(person.token, `${path}:v2`, makeSif({ salt: "ro" }))).rejects.toThrow(/409.*read-only/);
    expect((await setTag(person.token, image, "v2")).status).toBe(409);
    expect((await ask(`/v1/images/${path}:v1`, { method: "DELETE", token: person.token })).status).toBe(409);
    expect(await pull(`${path}:v1`)).toEqual(bytes);
  });
});

describe("deleting", () => {
  it("takes a tag, and the image with its last tag", async () => {
    const { person, path, digest, ...image } = await pushed("delete");
    await setTag(person.token, image, "v2");
    const remove = (selector: string) =>
      askJson(`/v1/images/${path}:${selector}?arch=amd64`, { method: "DELETE", token: person.token });
    expect(await remove("v1")).toEqual({ data: { hash: digest, tags: ["v1"], imageDeleted: false } });
    expect((await ask(`/v1/images/${path}:v2`)).status).toBe(200);
    expect(await remove("v2")).toEqual({ data: { hash: digest, tags: ["v2"], imageDeleted: true } });
    expect((await ask(`/v1/images/${path}:${digest}`)).status).toBe(404);
    expect((await ask(`/v1/images/${path}:v2`, { method: "DELETE", token: person.token })).status).toBe(404);
  });

  it("by digest takes the image and all its tags", async () => {
    const { person, path, digest, ...image } = await pushed("digest");
    await setTag(person.token, image, "v2");
    await askJson(`/v1/images/${path}:${digest}`, { method: "DELETE", token: person.token });
    expect([await pull(`${path}:v1`), await pull(`${path}:v2`), await pull(`${path}:${digest}`)]).toEqual([
      404, 404, 404,
    ]);
  });

  it("leaves the content to others who have it, and lets a push bring it back", async () => {
    const [one, other] = [await pushed("mine"), await newPerson("other")];
    const theirs = `${other.username}/${uniqueName("theirs")}/app`;
    await push(other.token, `${theirs}:v1`, one.bytes);
    await askJson(`/v1/images/${one.path}:v1`, { method: "DELETE", token: one.person.token });
    expect(await pull(`${theirs}:v1`)).toEqual(one.bytes);
    await push(one.person.token, `${one.path}:v1`, one.bytes);
    expect(await pull(`${one.path}:v1`)).toEqual(one.bytes);
  });
});

describe("searching", () => {
  it("finds images by any part of their names, for the architectures asked for, signed ones on request", async () => {
    const alice = await newPerson("searcher");
    const path = `${alice.username}/${uniqueName("findable")}/needle`;
    await push(alice.token, `${path}:plain`, makeSif({ salt: "unsigned needle" }));
    const signedBy = ["B1370B258AFD83A6B1370B258AFD83A6B1370B25"];
    await push(alice.token, `${path}:signed`, makeSif({ salt: "signed needle", signedBy }));
    await indexed();
    const tagsOf = async (query: string) => {
      const { data } = await askJson<{ data: { image: { tags: string[] }[] } }>(`/v1/search?${query}`);
      return data.image.flatMap((image) => image.tags).sort();
    };
    expect(await tagsOf("arch=amd64&value=needle")).toEqual(["plain", "signed"]);
    expect(await tagsOf("arch=amd64&value=NEEDL")).toEqual(["plain", "signed"]);
    expect(await tagsOf(`arch=amd64,arm64&value=${encodeURIComponent(path)}`)).toEqual(["plain", "signed"]);
    expect(await tagsOf("arch=amd64&value=needle&signed=true")).toEqual(["signed"]);
    expect(await tagsOf("arch=arm64&value=needle")).toEqual([]);
    expect(await tagsOf("value=%25%25%25")).toEqual([]);
    const { imageId } = await push(alice.token, `${path}:accented`, makeSif({ salt: "accented" }));
    await env.DB.prepare("UPDATE images SET description = 'Mesures à l''École' WHERE id = ?").bind(imageId).run();
    await indexed();
    expect(await tagsOf(`value=${encodeURIComponent("L'École")}`)).toEqual(["accented"]);
    for (const value of ["ab", "", "x".repeat(101)]) {
      expect((await ask(`/v1/search?value=${value}`)).status).toBe(400);
    }
  });

  it("does not show an image whose tag was refused: it is there by its digest alone", async () => {
    const alice = await newPerson("searcher");
    const path = `${alice.username}/${uniqueName("refused")}/haystack`;
    const bytes = makeSif({ salt: path });
    await expect(push(alice.token, `${path}:bad tag`, bytes)).rejects.toThrow("400");
    await indexed();
    const { data } = await askJson<{ data: { image: unknown[] } }>("/v1/search?value=haystack");
    expect(data.image).toEqual([]);
    expect(await pull(`${path}:${await digestOf(bytes)}`)).toEqual(bytes);
    await push(alice.token, `${path}:good`, bytes);
    await indexed();
    expect((await askJson<{ data: { image: unknown[] } }>("/v1/search?value=haystack")).data.image).toHaveLength(1);
  });
});
