import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setFrozen, setReadOnly } from "../../worker/registry/catalog/manage.ts";
import { parseImageReference } from "../../worker/registry/names.ts";
import { makeSif } from "../support/make-sif.ts";
import { ask, newPerson, type Person, push, register, startUpload, testContext } from "../support/worker/registry.ts";

let alice: Person;

beforeAll(async () => {
  alice = await newPerson("alice");
  await push(alice.token, `${alice.username}/tools/image:v1`, makeSif());
});

async function actionsOn(target: string): Promise<string[]> {
  const { results } = await env.DB.prepare("SELECT action FROM audit WHERE target = ? ORDER BY id")
    .bind(target)
    .all<{ action: string }>();
  return results.map(({ action }) => action);
}

describe("the audit log", () => {
  it("names a container by its path, not by an id that nobody knows, when it is frozen or made read-only", async () => {
    const path = `${alice.username}/tools/image`;
    const reference = parseImageReference(`${path}:v1`);
    await setFrozen(testContext(), operator, reference, null, true);
    await setFrozen(testContext(), operator, reference, null, false);
    const container = { entity: alice.username, collection: "tools", container: "image" };
    await setReadOnly(testContext(), operator, container, true);
    expect(await actionsOn(path)).toEqual(expect.arrayContaining(["freeze", "thaw", "container.read-only"]));
  });

  it("says that a tag moved which waited for its image, and who wanted it", async () => {
    const bytes = makeSif({ salt: "waiting" });
    const pushed = await register(alice.token, `${alice.username}/tools/late`, bytes);
    const body = { Arch: "amd64", Tag: "v2", ImageID: pushed.imageId };
    await ask(`/v2/tags/${pushed.containerId}`, { method: "POST", token: alice.token, body });
    const target = `${alice.username}/tools/late:v2`;
    expect(await actionsOn(target)).toEqual([]);
    await ask(await startUpload(alice.token, pushed, bytes), { method: "PUT", body: bytes });
    await ask(`/v2/imagefile/${pushed.imageId}/_complete`, { method: "PUT", token: alice.token, body: {} });
    expect(await actionsOn(target)).toEqual(["tag.set"]);
    const [entry] = (await env.DB.prepare("SELECT actor, detail FROM audit WHERE target = ?").bind(target).all())
      .results;
    expect(entry).toMatchObject({ actor: alice.username, detail: expect.stringContaining("amd64") });
  });

  it("says that a container was made, once", async () => {
    const path = `${alice.username}/tools/another`;
    await push(alice.token, `${path}:v1`, makeSif({ salt: "first" }));
    await push(alice.token, `${path}:v2`, makeSif({ salt: "again" }));
    const actions = await actionsOn(path);
    expect(actions.filter((action) => action === "container.create")).toHaveLength(1);
  });

  it("is asked for with any capital letters in a name", async () => {
    const admin = await newPerson("auditor", { role: "admin" });
    const answer = await ask(`/api/v1/audit?target=${alice.username.toUpperCase()}`, { token: admin.token });
    const { items } = await answer.json<{ items: unknown[] }>();
    expect(items.length).toBeGreaterThan(0);
  });

  it("refuses a cursor that is none, rather than begin anew without end", async () => {
    const admin = await newPerson("auditor", { role: "admin" });
    const answer = await ask("/api/v1/audit?after=nonsense", { token: admin.token });
    expect([answer.status, (await answer.json<{ code: string }>()).code]).toEqual([400, "query-invalid"]);
  });
});
