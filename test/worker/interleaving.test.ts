import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { deleteCollection } from "../../worker/registry/catalog/manage.ts";
import { deleteUser } from "../../worker/registry/people/delete-user.ts";
import { checkIntegrity } from "../../worker/registry/upkeep/check-integrity.ts";
import { makeSif } from "../support/make-sif.ts";
import { type Call, interrupted } from "../support/worker/calls.ts";
import {
  ask,
  askJson,
  environment,
  newPerson,
  pull,
  push,
  register,
  startUpload,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";

/*
 * What somebody else does between two steps of one request. `concurrency.test.ts` lets chance decide; here
 * each unlucky moment is made to happen.
 */

/** Just before a statement that begins so is run. */
function statement(beginning: RegExp): (call: Call) => boolean {
  return ({ sql }) => sql.some((text) => beginning.test(text.trim()));
}

async function newPath(stem: string) {
  const person = await newPerson("person");
  const path = { entity: person.username, name: uniqueName(stem) };
  return { ...person, path, container: `${path.entity}/${path.name}/app` };
}

const gone = (path: { entity: string; name: string }) => () => deleteCollection(testContext(), operator, path);

describe("a tag", () => {
  it("asked for while somebody else publishes the image is set", async () => {
    const { token, container } = await newPath("late");
    const bytes = makeSif({ salt: "published meanwhile" });
    const image = await register(token, container, bytes);
    const moment = interrupted(environment(), statement(/^insert into "wanted_tags"/i), () =>
      push(token, `${container}:theirs`, bytes),
    );
    const body = { Arch: "amd64", Tag: "ours", ImageID: image.imageId };
    const set = await ask(`/v2/tags/${image.containerId}`, { method: "POST", token, body, env: moment });
    expect(set.status).toBe(200);
    expect(await pull(`${container}:theirs`)).toEqual(bytes);
    expect(await pull(`${container}:ours`)).toEqual(bytes);
  });

  it("on an image that is deleted meanwhile is refused for that, and not as frozen", async () => {
    const { token, container } = await newPath("deleted");
    const image = await push(token, `${container}:v1`, makeSif({ salt: "deleted meanwhile" }));
    const moment = interrupted(environment(), statement(/^insert into "tags"/i), () =>
      ask(`/v1/images/${container}:${image.digest}`, { method: "DELETE", token }),
    );
    const body = { Arch: "amd64", Tag: "v2", ImageID: image.imageId };
    const set = await ask(`/v2/tags/${image.containerId}`, { method: "POST", token, body, env: moment });
    expect([set.status, await set.text()]).toEqual([404, expect.not.stringContaining("frozen")]);
  });
});

describe("a collection that is deleted in the middle of a request", () => {
  it("makes each step of a push fail with words a person understands, never with a 5xx", async () => {
    const steps: [string, RegExp][] = [
      ["/v1/containers", /^insert into "containers"/i],
      ["/v1/images", /^insert into "images"/i],
      ["/v2/imagefile/", /^insert into "uploads"/i],
      ["/v2/tags/", /^insert into "wanted_tags"/i],
    ];
    for (const [step, moment] of steps) {
      const { token, path, container } = await newPath("vanishing");
      const image = await register(token, container, makeSif({ salt: `vanishing ${step}` }));
      const bodies: Record<string, [string, Record<string, unknown>]> = {
        "/v1/containers": [step, { name: "other", collection: image.collectionId }],
        "/v1/images": [step, { hash: `sha256.${"5".repeat(64)}`, container: image.containerId }],
        "/v2/imagefile/": [`${step}${image.imageId}`, { filesize: 10, sha256sum: "" }],
        "/v2/tags/": [`${step}${image.containerId}`, { Arch: "amd64", Tag: "v1", ImageID: image.imageId }],
      };
      const [url, body] = bodies[step] ?? ["", {}];
      const during = interrupted(environment(), statement(moment), gone(path));
      const response = await ask(url, { method: "POST", token, body, env: during });
      const { error } = (await response.json()) as { error: { code: number; message: string } };
      expect([response.status, error.message], step).toEqual([409, expect.stringContaining("at the same time")]);
      expect((await ask(`/v1/containers/${container}`, { token })).status, step).toBe(404);
    }
  });

  it("does the same to creating a collection for a user who is deleted", async () => {
    const { token, username } = await newPath("nobody");
    const { data } = await askJson<{ data: { id: string } }>(`/v1/entities/${username}`, { token });
    const during = interrupted(environment(), statement(/^insert into "collections"/i), () =>
      deleteUser(testContext(), operator, username, "any", null),
    );
    const body = { name: uniqueName("made"), entity: data.id };
    expect((await ask("/v1/collections", { method: "POST", token, body, env: during })).status).toBe(409);
  });

  it("leaves nothing published, and no bytes that nobody counts", async () => {
    const { token, path, container } = await newPath("published");
    const bytes = makeSif({ salt: "deleted while publishing" });
    const image = await register(token, container, bytes);
    await ask(await startUpload(token, image, bytes), { method: "PUT", body: bytes });
    const during = interrupted(environment(), statement(/^update "uploads"/i), gone(path));
    const url = `/v2/imagefile/${image.imageId}/_complete`;
    const done = await ask(url, { method: "PUT", token, body: {}, env: during });
    expect(done.status).toBe(404);
    const blob = env.DB.prepare("SELECT count(*) AS n FROM blobs WHERE digest = ?").bind(image.digest);
    expect(await blob.first("n")).toBe(0);
    const { findings } = await checkIntegrity(testContext(), operator, null);
    expect(findings.filter(({ kind }) => !["upload-open", "blob-unreferenced"].includes(kind))).toEqual([]);
  });
});

describe("an upload that another client completes first", () => {
  for (const held of [false, true]) {
    it(`is there for both, ${held ? "also when the registry held the content already" : "when its content is new"}`, async () => {
      const { token, container } = await newPath("raced");
      const bytes = makeSif({ salt: `raced ${held}` });
      if (held) {
        const other = await newPath("held");
        await push(other.token, `${other.container}:v1`, bytes, { private: true });
      }
      const image = await register(token, container, bytes);
      await ask(await startUpload(token, image, bytes), { method: "PUT", body: bytes });
      const complete = { method: "PUT", token, body: {} };
      const url = `/v2/imagefile/${image.imageId}/_complete`;
      const isRead = ({ kind, name }: Call) => kind === "r2" && name === "get";
      const during = interrupted(environment(), isRead, () => ask(url, complete));
      expect((await ask(url, { ...complete, env: during })).status).toBe(200);
    });
  }
});
